/**
 * The ledger's tables, as kysely sees them. Every integer is exact in JavaScript (below 2^53) and `bigint` in
 * SQL; booleans and JSON columns are avoided, so SQLite and PostgreSQL hold the same values.
 *
 *   run      the line of units, cut where its state changes; neighbours of one state are one run
 *   journal  what was finished and not yet counted: `ledger/fold.ts` turns it into credit, rollup, member, finished
 *
 * A keymaster's runs cover every contest from 0 to N without a gap; a proxy's cover what it was ever given.
 */

export interface ContestRow {
  name: string;
  /** The order in which contests are listed, and served where no priority says otherwise. */
  position: number;
  priority: number | null;
  weight: number | null;
  /** The manifest as JSON. `search` and `units` in it never change once written. */
  manifest: string;
  closed_by: 'hit' | 'exhausted' | 'operator' | null;
  /** Σ done runs, so that telling the state costs no scan. */
  done: number;
  /** Σ leased runs. */
  leased: number;
  /** An `Allocation` as JSON that an operator gave; null: the manifest's. */
  allocation: string | null;
  /** Where the subspace in hand begins, under random allocation. */
  cursor: number | null;
  /** `start`: from the manifests given at the start, and withdrawn when they no longer name it. */
  origin: 'start' | 'operator' | 'upstream';
  /** 0: withdrawn. */
  offered: number;
}

export type RunState = 'free' | 'done' | 'leased';

/** The units first, …, past − 1. The last four columns are those of a leased run, and null in any other. */
export interface RunRow {
  contest: string;
  first: number;
  past: number;
  state: RunState;
  lease: string | null;
  holder: string | null;
  /** Milliseconds since 1970. */
  expires_at: number | null;
  /** When overdue units go back to the free ones. */
  recycle_at: number | null;
}

export interface HitRow {
  contest: string;
  lease: string;
  unit: number;
  /** The Hit as JSON, and in `found` when it was and by whom. */
  body: string;
}

export interface ClientRow {
  id: string;
  /** A short name for `finished`; null until the client finished something. */
  number: number | null;
  name: string | null;
  team: string | null;
  class: string | null;
  /** The site whose widget it is. */
  site: string | null;
  version: string;
  first_seen: number;
  /** Up to five minutes less than the truth: it is not written each time. */
  last_seen: number;
}

export interface CreditRow {
  client: string;
  contest: string;
  units: number;
  blocks: number;
  /** Units it did that others, or it itself, had done before. */
  duplicates: number;
  /** Units that it was asked to do again, and which count for it as points. */
  again_units: number;
  again_blocks: number;
}

/** Who did how much for which team: what `credit` cannot say of those who changed theirs. */
export interface MemberRow {
  /** '': none. */
  team: string;
  /** '': those who gave none. */
  name: string;
  contest: string;
  units: number;
  blocks: number;
  /** When the last of it was finished, milliseconds since 1970. */
  last_at: number;
}

export interface TallyRow {
  name: 'accepted' | 'duplicate' | 'refused';
  value: number;
}

export interface JournalRow {
  id: string;
  at: number;
  /** A `JournalEntry` as JSON. */
  body: string;
}

export interface RollupRow {
  contest: string;
  scope: 'all' | 'person' | 'team' | 'site';
  /** The person's or team's name, the site's token; '' for `all`, and for those who gave none. */
  who: string;
  span: 'hour' | 'day' | 'ever';
  /** When the span began, milliseconds since 1970; 0 for `ever`. */
  at: number;
  units: number;
  blocks: number;
}

/** Who finished what, in `ledger/packed-blocks.ts`'s form. */
export interface FinishedRow {
  contest: string;
  /** Days since 1970. */
  day: number;
  part: number;
  blocks: Uint8Array;
}

export interface MetaRow {
  name: 'role' | 'proxy-key' | 'messages' | 'state' | 'offline-looked-at';
  value: string;
}

export interface SigningKeyRow {
  id: string;
  secret: string;
  created_at: number;
  retired_at: number | null;
  revoked_at: number | null;
}

export interface ProxyRow {
  id: string;
  name: string | null;
  version: string;
  first_seen: number;
  last_seen: number;
  /** 1: by the operator, and served where only such are. */
  listed: number;
  revoked_at: number | null;
}

/** A site that shows the widget. */
export interface SiteRow {
  token: string;
  team: string;
  /** Of pages that may embed it, as a JSON array. */
  origins: string;
  created_at: number;
  revoked_at: number | null;
}

/** A kiosk as it was when it was last heard of. */
export interface KioskRow {
  client: string;
  version: string;
  label: string | null;
  rate: number;
  step: 'keys' | 'nodes';
  contest: string | null;
  /** Why it computes nothing; null while it does. */
  pause: string | null;
  blocks: number;
  up_seconds: number;
  first_seen: number;
  last_seen: number;
}

/** A block that a proxy was given: which of its units are free, leased or done is told by its runs. */
export interface UpstreamLeaseRow {
  id: string;
  contest: string;
  first: number;
  past: number;
  expires_at: number;
  proof: string | null;
}

/** A verified report on its way up. */
export interface OutboxRow {
  id: string;
  contest: string;
  first: number;
  at: number;
  /** 1: it holds a hit. */
  urgent: number;
  /** The Report as JSON. */
  body: string;
}

/** How a client conducts itself in a contest, or, with contest '', in all. */
export interface ConductRow {
  client: string;
  contest: string;
  /** A `Conduct` as JSON. */
  body: string;
}

/** What a client was caught at. */
export interface CaseFileRow {
  id: string;
  at: number;
  client: string;
  contest: string;
  pardoned_at: number | null;
  /** A `CaseBody` as JSON. */
  body: string;
}

/** A block that was done and is to be done again, by somebody else who does not know. */
export interface SecondRunRow {
  id: string;
  at: number;
  contest: string;
  first: number;
  count: number;
  /** 1: two have agreed on it. */
  known: number;
  /** While somebody has it. */
  lease: string | null;
  holder: string | null;
  expires_at: number | null;
  /** A `FirstRun` as JSON. */
  body: string;
}

/** A `SecondRunRow` without its body, which may be long. */
export type SecondRunHead = Omit<SecondRunRow, 'body'> & { size: number };

/** A registrar over this database. */
export interface RegistrarRow {
  id: number;
  address: string;
  /** By its own clock, milliseconds since 1970. */
  heard_at: number;
}

/** An element of a pool, as `server/pools/shared.ts` keeps it. */
export interface PoolElementRow {
  handle: string;
  id: number;
  /** The registrar that supervises it. */
  home: number;
  /** When the element says that it registered. */
  iat: number;
  /** When that was written, by the writer's clock. */
  changed_at: number;
  /** 1: it is in the pool no more; the row is kept for a while so that all get to know. */
  gone: number;
  statement: string;
  voucher: string;
}

export interface LedgerTables {
  contest: ContestRow;
  run: RunRow;
  hit: HitRow;
  client: ClientRow;
  credit: CreditRow;
  member: MemberRow;
  tally: TallyRow;
  journal: JournalRow;
  rollup: RollupRow;
  finished: FinishedRow;
  meta: MetaRow;
  signing_key: SigningKeyRow;
  proxy: ProxyRow;
  site: SiteRow;
  kiosk: KioskRow;
  upstream_lease: UpstreamLeaseRow;
  outbox: OutboxRow;
  conduct: ConductRow;
  case_file: CaseFileRow;
  second_run: SecondRunRow;
  registrar: RegistrarRow;
  pool_element: PoolElementRow;
}
