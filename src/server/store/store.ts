/**
 * What a keyserver needs of a database, and no more: transactions that exclude each other, and the statements of the
 * ledger inside them. Two homes stand behind it: SQLite in a data folder, and any PostgreSQL.
 *
 * Invariants: when `transaction` resolves the work is on the disk (or in the database's log), not only in the
 * operating system's memory; when it rejects, nothing of it happened. Transactions run one after another, those of
 * other processes over the same database included.
 */
import type { LedgerQueries } from './queries.ts';

/** Of the tables in a PostgreSQL, which may hold other things. */
export const DEFAULT_SCHEMA = 'tabherd';

export interface Store {
  /**
   * For a keyserver that keeps in memory what the ledger has, as a proxy does: no other may claim it until this is closed.
   * @throws StoreError another has.
   */
  claim(): Promise<void>;
  /** One transaction. The queries must not be used after `work` is over. */
  transaction<T>(work: (ledger: LedgerQueries) => Promise<T>): Promise<T>;
  /**
   * One transaction that reads the journal and writes what is counted from it, tables that exchanges do not touch: it excludes
   * others like it, and exchanges only where the home has one writer at a time.
   */
  counting<T>(work: (ledger: LedgerQueries) => Promise<T>): Promise<T>;
  /** Reads outside any transaction. */
  read<T>(work: (ledger: LedgerQueries) => Promise<T>): Promise<T>;
  /** Reads that all see one moment, however long they take. */
  snapshot<T>(work: (ledger: LedgerQueries) => Promise<T>): Promise<T>;
  /** Gives back space that is not used any more; a little at a time, for a timer. */
  tidy(): Promise<void>;
  close(): Promise<void>;
}

/** The store cannot be used; the message says why and what to do. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
}
