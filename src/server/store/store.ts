/**
 * What the keymaster needs of a database, and no more: one call that runs work in a transaction, and the
 * statements of the ledger inside it. Behind it stands SQLite; PostgreSQL can stand behind the same queries.
 *
 * Invariants: when `transaction` resolves the work is on the disk (or in the database's log), not only in the
 * operating system's memory; when it rejects, nothing of it happened.
 */
import type { LedgerQueries } from './queries.ts';

export interface Store {
  /** One transaction; they run one after the other. The queries must not be used after `work` is over. */
  transaction<T>(work: (ledger: LedgerQueries) => Promise<T>): Promise<T>;
  /** Reads outside any transaction. */
  read<T>(work: (ledger: LedgerQueries) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** The data folder cannot be used; the message says why and what to do. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
}
