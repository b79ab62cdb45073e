/**
 * What one commit finished, as it waits to be counted: one row a commit, written together with the runs it speaks of,
 * so that nothing done is ever uncounted or counted twice. `fold.ts` counts it.
 */
import { randomUUID } from 'node:crypto';
import type { ClientInfo } from '../../domain/client.ts';
import type { UnitRange } from '../../domain/units.ts';
import type { TallyRow } from '../store/schema.ts';

export type Outcome = TallyRow['name'];

export interface Finished {
  contest: string;
  client: ClientInfo;
  /** The block that was reported. */
  first: number;
  count: number;
  /** How many of its units were new. */
  credited: number;
  /** How many were done before and count for the client all the same: it was asked to do them again, or was pardoned. */
  again?: number;
  at: number;
}

export interface Work {
  units: number;
  blocks: number;
}

export const NONE: Work = { units: 0, blocks: 0 };

export const sumOf = (some: readonly Work[]): Work =>
  some.reduce((sum, one) => ({ units: sum.units + one.units, blocks: sum.blocks + one.blocks }), NONE);

/** What counts for a client in a contest. */
export interface Counted {
  contest: string;
  /** Of which days, in days since 1970. */
  days: (Work & { day: number })[];
  /** What it did again; of which days is not kept. */
  again?: Work;
}

/** What a client that was caught had been credited with and is free again. */
export interface Taken extends Counted {
  client: string;
  ranges: UnitRange[];
}

/** A client that takes its name back: what was done under it is to count without one. */
export interface Forgotten {
  client: string;
  name: string;
  team: string;
  /** Of a site's visitor: the team goes on having the credit. */
  keptTeam?: string;
  contests: Counted[];
}

export interface JournalEntry {
  finished: Finished[];
  taken?: Taken[];
  forgotten?: Forgotten[];
  /** Reports by outcome. */
  outcomes: Record<Outcome, number>;
}

/** Ids follow each other in time, so that what was finished first is found first. */
export const journalId = (now: number): string => `${now.toString(16).padStart(12, '0')}-${randomUUID()}`;
