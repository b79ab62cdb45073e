/** What a client of the storm wrote down: a line for each exchange, so that a kill loses nothing that was answered. */
import { existsSync, readFileSync } from 'node:fs';
import type { Lease, Report } from '../../../src/domain/work.ts';
import { RefusedError } from '../../../src/protocol/errors.ts';
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

/** What was answered for these reports. */
export function answeredOf(reports: readonly Report[], results: readonly ReportResult[], by: string): Answered[] {
  return results.map(({ lease, outcome, code, detail }, i) => {
    const { contest, first, evidence } = reports[i] as Report;
    return { lease, contest, first, count: evidence.length, outcome, code, detail, by, at: Date.now() };
  });
}

/** Of an exchange that brought no answer, or none but a refusal. */
export function lineOfFailure(error: unknown): JournalLine {
  const refused = error instanceof RefusedError ? { refused: `${error.code}: ${error.message}` } : {};
  return { got: [], answered: [], ...refused, unanswered: true };
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
