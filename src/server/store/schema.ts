/**
 * The ledger's tables, as kysely sees them. Every integer is exact in JavaScript (below 2^53) and `bigint` in
 * SQL; booleans and JSON columns are avoided, so SQLite and PostgreSQL hold the same values.
 *
 *   run     free and done units as runs that merge with their neighbours; units in neither are leased
 *   lease   one row a block handed out, kept after its end so that a repeated report gets the same answer
 *
 * Conservation, at every commit: Σ free runs + Σ done runs + Σ live leases = contest.units.
 */

export interface ContestRow {
  name: string;
  /** The order in which contests are shown and served. */
  position: number;
  /** The manifest as JSON. `search` and `units` in it never change once written. */
  manifest: string;
  closed_by: 'hit' | 'exhausted' | null;
  /** Σ done runs, so that telling the state costs no scan. */
  done: number;
  /** Σ live leases. */
  leased: number;
}

export interface RunRow {
  contest: string;
  first: number;
  count: number;
  state: 'free' | 'done';
}

/**
 *            report accepted ┌─ accepted
 *   live ────────────────────┼─ refused   report false: its units are free again
 *            time is over    ├─ expired   units free again
 *            given back      └─ released  units free again
 */
export type LeaseState = 'live' | 'accepted' | 'refused' | 'expired' | 'released';

export interface LeaseRow {
  id: string;
  contest: string;
  first: number;
  count: number;
  client: string;
  state: LeaseState;
  /** Milliseconds since 1970. */
  expires_at: number;
  /** Why it was refused; null in every other state. */
  code: string | null;
  detail: string | null;
}

export interface HitRow {
  contest: string;
  lease: string;
  unit: number;
  /** The Hit as JSON. */
  body: string;
}

export interface ClientRow {
  id: string;
  name: string | null;
  version: string;
  first_seen: number;
  last_seen: number;
}

export interface CreditRow {
  client: string;
  contest: string;
  units: number;
  blocks: number;
}

export interface TallyRow {
  name: 'accepted' | 'duplicate' | 'refused';
  value: number;
}

export interface LedgerTables {
  contest: ContestRow;
  run: RunRow;
  lease: LeaseRow;
  hit: HitRow;
  client: ClientRow;
  credit: CreditRow;
  tally: TallyRow;
}
