/**
 * Honest and stubborn clients in a process that the storm kills. What a client holds outlives it in a journal, a line for each
 * answered exchange: blocks that came, reports that were answered. Whatever was not answered is sent again, to the next
 * keyserver where one does not answer, until somebody takes or refuses it. At the word `finish` the clients hand in all they
 * have and the process ends.
 */
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Lease } from '../../../src/domain/work.ts';
import { HttpKeyserver } from '../../../src/protocol/http-keyserver.ts';
import { asking, client } from '../keyservers.ts';
import { trueReport } from '../test-contest.ts';
import { answeredOf, type JournalLine, lineOfFailure, readJournal } from './client-journal.ts';

export interface ClientOrder {
  /** Each with the addresses that it tries, in turn. */
  clients: readonly { number: number; journal: string; servers: readonly string[] }[];
}

const IN_HAND = 6;
const PAUSE_MS = 80;

class StormClient {
  readonly #who: ReturnType<typeof client>;
  readonly #journal: string;
  readonly #servers: readonly string[];
  readonly #keyservers: readonly HttpKeyserver[];
  readonly #hand = new Map<string, Lease>();
  /** Finished, and sent in every exchange from then on. */
  readonly #finished = new Set<string>();
  #at = 0;

  constructor({ number, journal, servers }: ClientOrder['clients'][number]) {
    this.#who = client(number);
    this.#journal = journal;
    this.#servers = servers;
    this.#keyservers = servers.map((url) => new HttpKeyserver(url, { fetch, timeoutMs: 5000 }));
    for (const line of readJournal(journal)) this.#take(line);
    // After what the last life tore.
    appendFileSync(journal, '\n');
  }

  get isEmpty(): boolean {
    return this.#hand.size === 0;
  }

  async turn(isFinishing: boolean): Promise<void> {
    for (const id of this.#hand.keys()) if (isFinishing || Math.random() < 0.5) this.#finished.add(id);
    const reports = [...this.#finished].slice(0, 16).map((id) => trueReport(this.#hand.get(id) as Lease));
    const room = isFinishing ? 0 : Math.max(0, IN_HAND - (this.#hand.size - reports.length));
    const contests = ['endless', 'middling', 'short'].toSorted(() => Math.random() - 0.5);
    const by = this.#servers[this.#at] ?? '';
    try {
      const { results, leases } = await (this.#keyservers[this.#at] as HttpKeyserver).exchange(
        asking({
          client: this.#who,
          reports,
          blocks: room,
          units: 1 + Math.floor(Math.random() * 8),
          contests,
          holding: [...this.#hand.keys()],
        }),
      );
      this.#write({ got: leases, answered: answeredOf(reports, results, by) });
      process.send?.('answered');
      // Back home now and then.
      if (Math.random() < 0.05) this.#at = 0;
    } catch (error) {
      this.#write(lineOfFailure(error));
      this.#at = (this.#at + 1) % this.#servers.length;
    }
  }

  #write(line: JournalLine): void {
    appendFileSync(this.#journal, `${JSON.stringify(line)}\n`);
    this.#take(line);
  }

  #take({ got, answered }: JournalLine): void {
    for (const lease of got) this.#hand.set(lease.id, lease);
    for (const { lease } of answered) {
      this.#hand.delete(lease);
      this.#finished.delete(lease);
    }
  }
}

async function work({ clients }: ClientOrder): Promise<void> {
  const told = { finish: false };
  process.on('disconnect', () => process.exit(0));
  process.on('message', () => {
    told.finish = true;
  });
  process.send?.('ready');
  await Promise.all(
    clients.map(async (order) => {
      const one = new StormClient(order);
      while (!told.finish || !one.isEmpty) {
        await one.turn(told.finish);
        await sleep(PAUSE_MS * (0.5 + Math.random()));
      }
    }),
  );
  process.exit(0);
}

await work(JSON.parse(process.argv[2] ?? '') as ClientOrder);
