/**
 * The keymaster's keys, over the rows of a store that is somebody else's. One key signs; those before it are retired:
 * leases that they signed are still out, so they are trusted until revoked. A revoked key is trusted no more, and
 * every proof that begins with it is void.
 *
 * A ring does not change. What changes it gives the rows to be stored, new ones and old ones by their id, and `with`
 * those rows is the next ring.
 */
import { generateKey, KeyPair } from './key.ts';

export interface KeyRow {
  id: string;
  secret: string;
  /** Milliseconds since 1970, like the others. */
  created_at: number;
  retired_at: number | null;
  revoked_at: number | null;
}

export class Keyring {
  readonly #rows: ReadonlyMap<string, KeyRow>;
  readonly #current: KeyPair | undefined;

  constructor(rows: Iterable<KeyRow>) {
    this.#rows = new Map(Array.from(rows, (row) => [row.id, row]));
    const newest = [...this.#rows.values()]
      .filter(isInUse)
      .reduce<KeyRow | undefined>((a, b) => (a !== undefined && a.created_at > b.created_at ? a : b), undefined);
    this.#current = newest && new KeyPair(newest.secret);
    if (this.#current?.id !== newest?.id) throw new Error(`The secret stored for key ${newest?.id} is another key's.`);
  }

  /** The key to sign with: the newest neither retired nor revoked. None before the first `rotate`. */
  current(): KeyPair | undefined {
    return this.#current;
  }

  /** The ids of all that were not revoked. */
  trusted(): string[] {
    return [...this.#rows.values()].filter((row) => row.revoked_at === null).map((row) => row.id);
  }

  isTrusted(id: string): boolean {
    return this.#rows.get(id)?.revoked_at === null;
  }

  /** A new key takes over; those in use so far are retired. Also what makes the first. */
  rotate(now: number): KeyRow[] {
    const retired = [...this.#rows.values()].filter(isInUse).map((row) => ({ ...row, retired_at: now }));
    return [...retired, newRow(now)];
  }

  /**
   * The key is trusted no more; if it was the last in use, a new one takes over.
   * @returns nothing where it was revoked before; undefined where there is no such key.
   */
  revoke(id: string, now: number): KeyRow[] | undefined {
    const row = this.#rows.get(id);
    if (row === undefined) return undefined;
    if (row.revoked_at !== null) return [];
    const revoked = { ...row, revoked_at: now };
    const next = this.with([revoked]);
    return next.current() === undefined ? [revoked, newRow(now)] : [revoked];
  }

  with(changed: Iterable<KeyRow>): Keyring {
    return new Keyring([...this.#rows.values(), ...changed]);
  }
}

const isInUse = (row: KeyRow): boolean => row.retired_at === null && row.revoked_at === null;

function newRow(now: number): KeyRow {
  const key = generateKey();
  return { id: key.id, secret: key.secret(), created_at: now, retired_at: null, revoked_at: null };
}
