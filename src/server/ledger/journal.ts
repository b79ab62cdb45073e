/**
 * What one commit finished, as it waits to be counted: one row a commit, written together with the runs it speaks of,
 * so that nothing done is ever uncounted or counted twice. `fold.ts` counts it.
 */
import { randomUUID } from 'node:crypto';
import type { ClientInfo } from '../../domain/client.ts';
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
  at: number;
}

export interface JournalEntry {
  finished: Finished[];
  /** Reports by outcome. */
  outcomes: Record<Outcome, number>;
}

/** Ids follow each other in time, so that what was finished first is found first. */
export const journalId = (now: number): string => `${now.toString(16).padStart(12, '0')}-${randomUUID()}`;
