/** What a client of the storm wrote down: a line for each exchange, so that a kill loses nothing that was answered. */
import { existsSync, readFileSync } from 'node:fs';
import type { Lease } from '../../../src/domain/work.ts';
import type { ReportResult } from '../../../src/protocol/keyserver.ts';

export interface Answered {
  lease: string;
  contest: string;
  first: number;
  count: number;
  outcome: ReportResult['outcome'];
  code?: string | undefined;
  detail?: string | undefined;
  /** Which keyserver said so. */
  by: string;
  at: number;
}

export interface JournalLine {
  got: readonly Lease[];
  answered: readonly Answered[];
  /** The whole exchange was refused. */
  refused?: string;
  /** No answer came. */
  unanswered?: true;
}

/** The lines of a client's journal; a kill may have torn the last one of a life. */
export function readJournal(path: string): JournalLine[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as JournalLine];
      } catch {
        return [];
      }
    });
}
