/** Gateways of a pool, as a registrar sees them: each with a key, an address and the keymaster's word for it, and a load. */
import { type PolicyName, type RegistrationClaims, type Vouched } from '../../../protocol/pools.ts';
import { type Member, memberOf } from '../../../server/pools/table.ts';
import { signJws } from '../../../server/proof/jws.ts';
import { generateKey, type KeyPair } from '../../../server/proof/key.ts';
import type { Random } from '../random.ts';

export const HANDLE = 'bench.pool';

interface Element {
  key: KeyPair;
  voucher: string;
  claims: Omit<RegistrationClaims, 'iat'>;
}

/** @param vouch the keymaster's word for a key at an address. */
export async function makeElements(
  count: number,
  random: Random,
  vouch: (key: string, address: string) => Promise<string>,
): Promise<Elements> {
  const make = async (i: number): Promise<Element> => {
    const key = generateKey();
    const address = `https://gateway-${i}.keys.example`;
    const claims: Element['claims'] = {
      aud: 'tabherd-registration',
      handle: HANDLE,
      id: 1 + i * Math.floor(0xffff_fff0 / count),
      addresses: [address],
      policy: {
        kind: 'round-robin',
        weight: 1 + Math.floor(random() * 10),
        priority: Math.floor(random() * 10),
        degradation: 0.001,
      },
      load: Math.round(random() * 1000) / 1000,
      successors: [],
      // None falls silent while it is timed.
      lifetimeSeconds: 3600,
    };
    return { key, voucher: await vouch(key.id, address), claims };
  };
  const elements: Element[] = [];
  while (elements.length < count) {
    const some = Array.from({ length: Math.min(64, count - elements.length) }, (_, i) => make(elements.length + i));
    elements.push(...(await Promise.all(some)));
  }
  return new Elements(elements);
}

export class Elements {
  readonly #elements: readonly Element[];
  #iat = 0;

  constructor(elements: readonly Element[]) {
    this.#elements = elements;
  }

  /** A registration of each, later than all before. */
  registrations(): Vouched[] {
    this.#iat = Math.max(this.#iat + 1, Date.now());
    return this.#elements.map((element) => this.#registration(element));
  }

  /** One after which the pool has this policy: that of its lowest identifier. */
  turning(kind: PolicyName): Vouched {
    const [first] = this.#elements;
    if (first === undefined) throw new Error('there is no element');
    first.claims = { ...first.claims, policy: { ...first.claims.policy, kind } };
    this.#iat = Math.max(this.#iat + 1, Date.now());
    return this.#registration(first);
  }

  /** As a registrar keeps them. */
  members(home: number): Member[] {
    this.#iat = Math.max(this.#iat + 1, Date.now());
    return this.#elements.map((element) => {
      const entry = { ...this.#registration(element), home };
      return memberOf(entry, { ...element.claims, iat: this.#iat }, element.key.id, this.#iat);
    });
  }

  #registration({ key, voucher, claims }: Element): Vouched {
    return { statement: signJws({ ...claims, iat: this.#iat }, key), voucher };
  }
}
