/**
 * What an operator asks of a running keymaster. What was finished is counted before it is told.
 *
 * A count of runs is one scan of the ledger, during which a keymaster over the embedded store answers nobody else.
 */
import type {
  LedgerCheck,
  LedgerFacts,
  Rate,
  Span,
  TopEntry,
  TopScope,
  UnitHistory,
} from '../../protocol/administration.ts';
import { RefusedError } from '../../protocol/errors.ts';
import { manifestOf } from '../ledger/books.ts';
import { checkLedger } from '../ledger/check.ts';
import { historyOf } from '../ledger/history.ts';
import type { LedgerQueries } from '../store/queries.ts';
import type { ContestRow } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import type { Keymaster } from './keymaster.ts';

const SPAN_MS: Readonly<Record<Span, number>> = { hour: 3_600_000, day: 86_400_000 };

export interface InquiriesPorts {
  keymaster: Keymaster;
  store: Store;
  clock: () => number;
}

export class Inquiries {
  readonly #ports: InquiriesPorts;

  constructor(ports: InquiriesPorts) {
    this.#ports = ports;
  }

  /** Newest first; the span that is not over yet counts as long as it has lasted. */
  rates(contest: string, span: Span, limit: number): Promise<Rate[]> {
    return this.#ask(async (ledger) => {
      await contestRow(ledger, contest);
      const now = this.#ports.clock();
      return (await ledger.counting.newestRollups(contest, span, limit)).map(({ at, units, blocks }) => {
        const seconds = Math.max(1, Math.min(SPAN_MS[span], now - at) / 1000);
        return { contest, at, units, blocks, unitsPerSecond: units / seconds };
      });
    });
  }

  /** @param day `2026-01-31`; ever unless told. */
  async top(contest: string, scope: TopScope, day: string | undefined, limit: number): Promise<TopEntry[]> {
    const at = day === undefined ? 0 : Date.parse(day);
    if (Number.isNaN(at)) throw new RefusedError('body_malformed', `there is no day ${day}`, { field: '/day' });
    return this.#ask(async (ledger) => {
      await contestRow(ledger, contest);
      return ledger.counting.topRollups({ contest, scope, span: day === undefined ? 'ever' : 'day', at }, limit);
    });
  }

  who(contest: string, unit: number): Promise<UnitHistory> {
    return this.#ask(async (ledger) => {
      const { units } = manifestOf((await contestRow(ledger, contest)).manifest);
      if (unit >= units) throw new RefusedError('not_found', `${contest} ends at unit ${units}`, { status: 404 });
      return historyOf(ledger, contest, unit);
    });
  }

  facts(): Promise<LedgerFacts> {
    return this.#ports.store.read(async (ledger) => {
      const sums = await ledger.sumsOfRuns();
      const contests = (await ledger.contests()).map(({ name }) => {
        const sum = (state: string) => {
          const { runs = 0, units = 0 } = sums.find((one) => one.contest === name && one.state === state) ?? {};
          return { runs, units };
        };
        return { name, free: sum('free'), leased: sum('leased'), done: sum('done') };
      });
      return { contests, journal: await ledger.counting.countJournal(), clients: await ledger.countClients(0) };
    });
  }

  check(): Promise<LedgerCheck> {
    return this.#ports.store.snapshot(checkLedger);
  }

  async #ask<T>(work: (ledger: LedgerQueries) => Promise<T>): Promise<T> {
    await this.#ports.keymaster.desk.counting.count();
    return this.#ports.store.read(work);
  }
}

async function contestRow(ledger: LedgerQueries, contest: string): Promise<ContestRow> {
  const row = (await ledger.contests()).find(({ name }) => name === contest);
  if (row !== undefined) return row;
  throw new RefusedError('not_found', `there is no contest ${contest} in the ledger`, { status: 404 });
}
