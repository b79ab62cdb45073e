/**
 * A keyserver's part in pools, as it was told to take it: a registrar, an element of one pool, both, or neither.
 *
 *   registrar.ts       ASAP's registrar: registration, supervision, resolution
 *   member.ts          ASAP's element: this gateway, with the load that load.ts measures
 *   handlespace.ts     what registrars share: peers.ts (ENRP) or shared.ts (one database), over table.ts
 *   http-registrar.ts  registrars elsewhere
 *   cards.ts           business cards of proxies that are elements themselves
 *
 * A keymaster vouches for itself. A proxy needs a voucher of its keymaster's operator: `tabherd admin vouch`.
 */
import { randomInt } from 'node:crypto';
import { RefusedError } from '../../protocol/errors.ts';
import type { ExchangeReply, ExchangeRequest } from '../../protocol/keyserver.ts';
import type { BusinessCard, KeepAlive, Policy, PoolEvent, Vouched } from '../../protocol/pools.ts';
import type { Log } from '../log.ts';
import { generateKey, isKeyId, type KeyPair } from '../proof/key.ts';
import { makeVoucher, peekVoucher } from '../proof/voucher.ts';
import type { Store } from '../store/store.ts';
import { Cards } from './cards.ts';
import type { Handlespace } from './handlespace.ts';
import { callBack, HttpRegistrars, probeElement, sendEnrp } from './http-registrar.ts';
import { LoadMeter } from './load.ts';
import { Member } from './member.ts';
import { PeerHandlespace } from './peers.ts';
import { Registrar, type RegistrarApi } from './registrar.ts';
import { SharedHandlespace } from './shared.ts';

export interface PoolsOptions {
  /** Whether this is a registrar. */
  registrar: boolean;
  /** Where other registrars are. */
  registrars: readonly string[];
  /** Where this gateway is found, as origins; needed by a registrar and an element. */
  addresses: readonly string[];
  /** The pool that it is in. */
  handle?: string | undefined;
  policy: Policy;
  successors: readonly number[];
  /** An element's or registrar's own number; a random one unless told. */
  id?: number | undefined;
  voucher?: string | undefined;
  /** Where pages of this gateway may turn to besides the elements that are known: sources as Content-Security-Policy has them. */
  origins: readonly string[];
}

export interface PoolsPorts {
  store: Store;
  /** Whether other keyservers have the same store. */
  isShared: boolean;
  clock: () => number;
  log: Log;
  isTrusted: (keymaster: string) => boolean;
  isRevoked: (key: string) => boolean;
  /** What this keyserver signs with. */
  key: () => KeyPair;
  isKeymaster: boolean;
  /** Somebody calls this proxy back: it is to speak with its upstream. */
  onCall?: (() => Promise<void>) | undefined;
  /** Told of what this registrar sees happen. */
  onEvent?: ((event: PoolEvent) => void) | undefined;
}

/** For a scrape of metrics. */
export interface PoolFigures {
  /** Of this gateway; undefined: it is in no pool. */
  load: number | undefined;
  /** This registrar's included; undefined: it is none. */
  registrars: number | undefined;
  /** By pool. */
  elements: ReadonlyMap<string, number>;
}

/** Anybody can call. */
const CALLED_EVERY_MS = 5000;
const VOUCHER_MS = 86_400_000;
const VOUCHED_EVERY_MS = 3_600_000;
/** Where there is no registrar here, elements are asked for so often, for the sake of the page's policy. */
const LOOK_EVERY_MS = 30_000;

export class Pools {
  /** What pool users ask; undefined where this keyserver has to do with no pool. */
  readonly api: RegistrarApi | undefined;
  readonly load = new LoadMeter();
  readonly #options: PoolsOptions;
  readonly #ports: PoolsPorts;
  readonly #key: KeyPair;
  readonly #registrar: Registrar | undefined;
  readonly #space: Handlespace | undefined;
  readonly #member: Member | undefined;
  readonly #cards = new Cards(callBack);
  #calledAt = Number.NEGATIVE_INFINITY;
  #voucher: { text: string; at: number } | undefined;
  #origins: readonly string[] = [];
  #lookedAt = Number.NEGATIVE_INFINITY;

  /** @throws TypeError the options contradict each other. */
  constructor(options: PoolsOptions, ports: PoolsPorts) {
    this.#options = options;
    this.#ports = ports;
    const { registrar: isRegistrar, registrars, addresses, handle, policy, successors } = options;
    const { clock, log, isTrusted, isRevoked, store } = ports;
    const [address = ''] = addresses;
    if ((isRegistrar || handle !== undefined) && address === '') {
      throw new TypeError(
        'a registrar, and a gateway in a pool, needs the address where browsers find it (--pool-addresses)',
      );
    }
    if (handle !== undefined && !isRegistrar && registrars.length === 0) {
      throw new TypeError('a gateway in a pool needs registrars (--registrars), or to be one (--registrar)');
    }
    const isInvolved = isRegistrar || handle !== undefined;
    if (isInvolved && !ports.isKeymaster) {
      if (options.voucher === undefined) {
        throw new TypeError(
          `a proxy in a pool needs the keymaster's word (--pool-voucher), which its operator makes: tabherd admin vouch ${ports.key().id} ${addresses.join(' ')}${handle === undefined ? '' : ` --pool ${handle}`}${isRegistrar ? ' --registrar' : ''}`,
        );
      }
      const fault = faultOf(options.voucher, ports.key().id, options);
      if (fault !== undefined) throw new TypeError(`the voucher (--pool-voucher) ${fault}`);
    }
    // Keymasters over one database share their key, and each needs one of its own.
    this.#key = ports.isKeymaster ? generateKey() : ports.key();
    const id = options.id ?? randomInt(1, 2 ** 32);
    const voucher = (): string | undefined => this.#ownVoucher();
    if (isRegistrar) {
      const onEvent = (event: Parameters<Registrar['onEvent']>[0]): void => this.#registrar?.onEvent(event);
      this.#space = ports.isShared
        ? new SharedHandlespace({ id, address, store, clock, onEvent })
        : new PeerHandlespace({
            id,
            address,
            key: this.#key,
            voucher,
            isTrusted,
            isRevoked,
            clock,
            onEvent,
            mentors: registrars.filter((one) => one !== address),
            send: sendEnrp,
          });
      const random = Math.random;
      this.#registrar = new Registrar({
        id,
        address,
        space: this.#space,
        isTrusted,
        isRevoked,
        probe: probeElement,
        clock,
        random,
        onHappened: ports.onEvent,
        log,
      });
    }
    this.api = this.#registrar ?? (registrars.length > 0 ? new HttpRegistrars(registrars) : undefined);
    if (handle !== undefined && this.api !== undefined) {
      const load = (): number => this.load.load();
      const own = { id, handle, addresses, policy, successors, key: this.#key, voucher, load };
      this.#member = new Member({ ...own, registrar: this.api, clock, log });
    }
  }

  /** The pool that this gateway is in. */
  get handle(): string | undefined {
    return this.#member?.handle;
  }

  /** Where a page of this gateway may turn to besides itself. */
  get origins(): readonly string[] {
    return this.#origins;
  }

  /** Whether pages of other gateways may call this one. */
  get isOpen(): boolean {
    return this.api !== undefined;
  }

  /** Undefined where this keyserver has to do with no pool. */
  get figures(): PoolFigures | undefined {
    if (this.api === undefined) return undefined;
    const table = this.#space?.table;
    return {
      load: this.#member === undefined ? undefined : this.load.load(),
      registrars: this.#space === undefined ? undefined : this.#space.registrars().length + 1,
      elements: new Map(table?.handles().map((handle) => [handle, table.elements(handle).length])),
    };
  }

  /** @throws RefusedError `not_found`: it is in no pool. */
  keepAlive(): KeepAlive {
    if (this.#member === undefined) throw new RefusedError('not_found', 'this gateway is in no pool', { status: 404 });
    return this.#member.keepAlive();
  }

  /** This gateway's business card, for its upstream; undefined where it is in no pool. */
  get card(): BusinessCard | undefined {
    const voucher = this.#member === undefined ? undefined : this.#ownVoucher();
    if (this.#member === undefined || voucher === undefined) return undefined;
    return { handle: this.#member.handle, id: this.#member.id, voucher };
  }

  /** An exchange was answered: keeps the card of a proxy, and calls proxies back where a contest is over. */
  exchanged({ client, card }: ExchangeRequest, { contests }: ExchangeReply): void {
    const { clock, isTrusted, isRevoked, log } = this.#ports;
    const now = clock();
    if (card !== undefined && isKeyId(client.id)) this.#cards.leave(client.id, card, { isTrusted, isRevoked, now });
    void this.#cards.look(contests, now).then((called) => {
      if (called > 0) log.info({ called }, 'a contest is over: proxies are called back');
    });
  }

  /** This proxy is called back. */
  called(): void {
    const { onCall, clock } = this.#ports;
    const now = clock();
    if (now - this.#calledAt < CALLED_EVERY_MS) return;
    this.#calledAt = now;
    void onCall?.();
  }

  /** A message of another registrar. @throws RefusedError */
  async receive(vouched: Vouched): Promise<Vouched> {
    if (!(this.#space instanceof PeerHandlespace)) {
      throw new RefusedError('not_found', 'this is no registrar that others speak with', { status: 404 });
    }
    const answer = await this.#space.receive(vouched);
    if (typeof answer === 'string') throw new RefusedError('proof_false', answer, { status: 403 });
    return answer;
  }

  /** For a timer of about a second. */
  async tick(): Promise<void> {
    await Promise.all([this.#registrar?.tick(), this.#member?.tick()]);
    await this.#learnOrigins();
  }

  async close(): Promise<void> {
    await this.#member?.close();
    await this.#space?.close();
  }

  async #learnOrigins(): Promise<void> {
    if (this.#member === undefined) return;
    const { handle } = this.#member;
    const now = this.#ports.clock();
    if (this.#space !== undefined) {
      const some = this.#space.table.elements(handle).slice(0, MAX_ORIGINS);
      this.#learn(some.flatMap(({ addresses }) => addresses));
    } else if (now - this.#lookedAt >= LOOK_EVERY_MS) {
      this.#lookedAt = now;
      const overview = await this.api?.overview().catch(() => undefined);
      const pool = overview?.pools.find((one) => one.handle === handle);
      if (pool !== undefined) this.#learn(pool.elements.flatMap(({ addresses }) => addresses));
    }
  }

  #learn(addresses: readonly string[]): void {
    this.#origins = [...new Set([...this.#options.origins, ...addresses.slice(0, MAX_ORIGINS)])];
  }

  #ownVoucher(): string | undefined {
    const { isKeymaster, clock, key } = this.#ports;
    if (!isKeymaster) return this.#options.voucher;
    const now = clock();
    if (this.#voucher === undefined || Math.abs(now - this.#voucher.at) >= VOUCHED_EVERY_MS) {
      const { handle, addresses, registrar } = this.#options;
      const claims = {
        sub: this.#key.id,
        ...(handle === undefined ? {} : { handle }),
        addresses: [...addresses],
        ...(registrar ? { registrar: true as const } : {}),
        exp: now + VOUCHER_MS,
      };
      this.#voucher = { text: makeVoucher(claims, key()), at: now };
    }
    return this.#voucher.text;
  }
}

/** A header must stay a header. */
const MAX_ORIGINS = 64;

/** Why a voucher does not serve; said at the start rather than by a registrar later. */
function faultOf(text: string, key: string, { handle, addresses, registrar }: PoolsOptions): string | undefined {
  const claims = peekVoucher(text);
  if (claims === undefined) return 'is none: copy all of what tabherd admin vouch has printed';
  if (claims.sub !== key) return `is for another key, ${claims.sub}; this proxy's is ${key}`;
  if (handle !== claims.handle) return `is for ${claims.handle ?? 'no pool'}, not for ${handle ?? 'none'}`;
  const strange = addresses.find((address) => !claims.addresses.includes(address));
  if (strange !== undefined) return `does not have the address ${strange}`;
  if (registrar && claims.registrar !== true) return 'is for no registrar: ask for one made with --registrar';
  return undefined;
}
