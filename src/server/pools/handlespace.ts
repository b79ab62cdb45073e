/**
 * What registrars know together: which elements are in which pool, and which registrar supervises each (its home). Two ways:
 *
 *   peers.ts    each registrar has all of it in memory, and they tell each other (ENRP, RFC 5353)
 *   shared.ts   registrars over one PostgreSQL have it there, and need tell each other nothing
 *
 * Either way a `Table` in memory answers, and is at most seconds behind. `test/conformance/pools.ts` holds for both.
 */
import type { PoolEvent } from '../../protocol/pools.ts';
import type { Member, Table } from './table.ts';

export type Reason = 'left' | 'silent' | 'unreachable';

export interface KnownRegistrar {
  id: number;
  address: string;
  /** Milliseconds since 1970. */
  heardAt: number;
}

export interface Handlespace {
  readonly mode: 'peers' | 'shared';
  readonly table: Table;
  /** An element has registered here: this registrar is its home now. @returns false: there is a later registration. */
  put(member: Member): Promise<boolean>;
  /** The element with this registration, or an earlier one, is gone. */
  remove(member: Member, reason: Reason): Promise<void>;
  /** The others, as far as they are known to be there. */
  registrars(): KnownRegistrar[];
  /** Says that this one is there, looks after the others, takes over what a silent one had. For a timer of about a second. */
  tick(): Promise<void>;
  close(): Promise<void>;
}

/** Told of what happens to a handlespace, as far as this registrar sees it. */
export type OnEvent = (event: Omit<PoolEvent, 'at'>) => void;

/** After so long without a sign a registrar is asked, and then taken over. */
export const REGISTRAR_SILENT_MS = 3500;
