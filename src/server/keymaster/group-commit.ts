/**
 * Many exchanges, one fsync. Work that arrives while a commit is running waits and shares the next transaction;
 * work that arrives in one turn of the event loop shares one too. Each answer leaves only after its commit.
 *
 * A transaction that fails is tried again piece by piece, so that one bad piece of work fails alone. Work must
 * therefore touch nothing but the books it is given.
 */
import { UnreachableError } from '../../protocol/errors.ts';
import type { Log } from '../log.ts';
import type { Store } from '../store/store.ts';
import { Books } from './books.ts';
import type { Catalogue } from './catalogue.ts';

type Work<T> = (books: Books) => Promise<T>;

interface Waiting {
  work: Work<unknown>;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** Keeps a transaction, and with it everyone's answer, in the low milliseconds. */
const MAX_SHARED = 256;

export class GroupCommit {
  readonly #store: Store;
  readonly #catalogue: Catalogue;
  readonly #log: Log;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;
  #closed = false;

  constructor(store: Store, catalogue: Catalogue, log: Log) {
    this.#store = store;
    this.#catalogue = catalogue;
    this.#log = log;
  }

  /** @throws UnreachableError the store failed, or the keyserver is closing: nothing of the work happened. */
  run<T>(work: Work<T>): Promise<T> {
    if (this.#closed) return Promise.reject(new UnreachableError('the keyserver is closing'));
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ work, resolve, reject });
      this.#running ??= this.#drain();
    });
  }

  /** Finishes what waits, takes no more. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      // The embedded store never yields: let the requests that are in the sockets by now come aboard.
      await new Promise(setImmediate);
      const group = this.#waiting.splice(0, MAX_SHARED);
      if (!(await this.#commit(group))) for (const one of group) await this.#commit([one]);
    }
    this.#running = undefined;
  }

  /** False if the group should be tried one by one. */
  async #commit(group: readonly Waiting[]): Promise<boolean> {
    try {
      const results = await this.#store.transaction(async (ledger) => {
        const books = await Books.open(ledger, this.#catalogue);
        const values: unknown[] = [];
        for (const { work } of group) values.push(await work(books));
        await books.write();
        return values;
      });
      for (const [i, one] of group.entries()) one.resolve(results[i]);
    } catch (cause) {
      if (group.length > 1) return false;
      // Whatever it was, nothing of it was written: the same request may succeed later.
      this.#log.error({ err: cause }, 'an exchange was not written');
      for (const one of group) one.reject(new UnreachableError('the ledger could not be written', { cause }));
    }
    return true;
  }
}
