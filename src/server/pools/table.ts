/**
 * The elements of all pools, in memory: by pool ascending by id, as selections want them, and for each registrar the checksum of
 * those whose home it is.
 *
 * Of two registrations of one element the later one holds (`iat` is the element's own clock, which nobody else's is compared
 * with), so registrars may hear of them in any order. Of the same one, had from two registrars, that with the lower id is its home.
 */
import { createHash } from 'node:crypto';
import type { Entry, PoolElement, RegistrationClaims } from '../../protocol/pools.ts';
import { BoundedMap } from '../proof/bounded-map.ts';

export interface Member extends Entry {
  claims: RegistrationClaims;
  /** What pool users get. */
  element: PoolElement;
  /** The public key that it signs with. */
  key: string;
  /** When its home, or who tells of it, last heard of it; milliseconds since 1970. */
  seenAt: number;
  /** Since when it is in this table, through all its registrations. */
  since: number;
  /** A part of its home's checksum. */
  digest: number;
}

export interface Tally {
  checksum: number;
  count: number;
}

/** Checksums are below this. */
const MODULUS = 2 ** 48;
/** Elements that are gone are remembered, for their registrations not to be replayed. */
const GONE_KEPT = 10_000;

export function memberOf(entry: Entry, claims: RegistrationClaims, key: string, seenAt: number): Member {
  const { id, addresses, policy, load, successors } = claims;
  const { statement, voucher, home } = entry;
  const element = { id, addresses, policy, load, successors, voucher };
  const digest = createHash('sha256').update(`${claims.handle} ${id} ${claims.iat}`).digest().readUIntBE(0, 6);
  return { statement, voucher, home, claims, element, key, seenAt, since: seenAt, digest };
}

export class Table {
  readonly #pools = new Map<string, Pool>();
  readonly #tallies = new Map<number, Tally>();
  /** The last registration of those that are gone. */
  readonly #gone = new BoundedMap<string, number>(GONE_KEPT);

  get(handle: string, id: number): Member | undefined {
    return this.#pools.get(handle)?.members.get(id);
  }

  /** Whether an element went after this registration of its. */
  isOver({ handle, id, iat }: RegistrationClaims): boolean {
    return iat <= (this.#gone.get(`${handle} ${id}`) ?? -1);
  }

  /** Whether this is news, against what is known of the element. */
  isNews(member: Member): boolean {
    const known = this.get(member.claims.handle, member.claims.id);
    if (known === undefined) return true;
    const later = member.claims.iat - known.claims.iat;
    return later > 0 || (later === 0 && member.home < known.home);
  }

  put(member: Member): void {
    const { handle, id } = member.claims;
    const pool = this.#pools.get(handle) ?? { members: new Map<number, Member>(), elements: [] };
    this.#pools.set(handle, pool);
    const known = pool.members.get(id);
    if (known !== undefined) this.#tally(known.home, -known.digest, -1);
    pool.members.set(id, known === undefined ? member : { ...member, since: known.since });
    const at = placeOf(pool.elements, id);
    pool.elements.splice(at, known === undefined ? 0 : 1, member.element);
    this.#tally(member.home, member.digest, 1);
  }

  remove(handle: string, id: number): void {
    const pool = this.#pools.get(handle);
    const known = pool?.members.get(id);
    if (pool === undefined || known === undefined) return;
    pool.members.delete(id);
    pool.elements.splice(placeOf(pool.elements, id), 1);
    if (pool.elements.length === 0) this.#pools.delete(handle);
    this.#tally(known.home, -known.digest, -1);
    this.#gone.set(`${handle} ${id}`, known.claims.iat);
  }

  /** Another registrar is the home of an element, or of all that one had. @returns how many. */
  rehome(from: number, to: number): number {
    let moved = 0;
    for (const member of this.all()) {
      if (member.home !== from) continue;
      this.put({ ...member, home: to });
      moved += 1;
    }
    return moved;
  }

  /** Who is a home. */
  homes(): number[] {
    return [...this.#tallies.keys()];
  }

  /** Those of a home that come after a place, in the order of handles and identifiers; so many at most. */
  after(home: number, place: { handle: string; id: number } | undefined, count: number): Member[] {
    const found: Member[] = [];
    for (const handle of this.handles()) {
      if (place !== undefined && handle < place.handle) continue;
      const { elements, members } = this.#pools.get(handle) as Pool;
      for (let at = handle === place?.handle ? placeOf(elements, place.id + 1) : 0; at < elements.length; at++) {
        const member = members.get((elements[at] as PoolElement).id) as Member;
        if (member.home === home && found.push(member) === count) return found;
      }
    }
    return found;
  }

  handles(): string[] {
    return [...this.#pools.keys()].toSorted();
  }

  /** Ascending by id. */
  elements(handle: string): readonly PoolElement[] {
    return this.#pools.get(handle)?.elements ?? [];
  }

  members(handle: string): Iterable<Member> {
    return this.#pools.get(handle)?.members.values() ?? [];
  }

  get size(): number {
    return [...this.#tallies.values()].reduce((sum, { count }) => sum + count, 0);
  }

  *all(): Generator<Member> {
    for (const { members } of this.#pools.values()) yield* members.values();
  }

  /** Of the elements whose home it is. */
  tally(home: number): Tally {
    return this.#tallies.get(home) ?? { checksum: 0, count: 0 };
  }

  #tally(home: number, digest: number, count: number): void {
    const tally = this.tally(home);
    const changed = { checksum: (tally.checksum + digest + MODULUS) % MODULUS, count: tally.count + count };
    if (changed.count === 0) this.#tallies.delete(home);
    else this.#tallies.set(home, changed);
  }
}

interface Pool {
  members: Map<number, Member>;
  elements: PoolElement[];
}

/** Whether another registration of an identifier may be of the same element: of its key, or of one of its addresses. */
export function isOfSame(known: Member, { addresses }: RegistrationClaims, key: string): boolean {
  return known.key === key || known.claims.addresses.some((address) => addresses.includes(address));
}

/** Where the element is, or would be. */
function placeOf(elements: readonly PoolElement[], id: number): number {
  let low = 0;
  let high = elements.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((elements[middle] as PoolElement).id < id) low = middle + 1;
    else high = middle;
  }
  return low;
}
