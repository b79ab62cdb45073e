/**
 * Browsers at a keyserver: many clients, of which any may be the next, and each hands in its block and takes another. As
 * the client of this repository does, in `keyserver<-client/2`: with the proof of the lease and the leases it holds.
 */
import { randomUUID } from 'node:crypto';
import type { ClientInfo } from '../../../domain/client.ts';
import type { Lease, UnitEvidence } from '../../../domain/work.ts';
import type { ExchangeReply } from '../../../protocol/keyserver.ts';
import { ogrBlocks, ogrEvidence, rc5Blocks, rc5Evidence } from './contests.ts';
import type { HttpConnection } from './http-connection.ts';
import type { Senders, Sending } from './load.ts';

interface Browser {
  client: ClientInfo;
  lease?: Lease;
}

const PROTOCOLS = ['keyserver<-client/2', 'keyserver<-client/1'];

export class Browsers implements Senders {
  readonly #random: () => number;
  /** Those that wait for no answer. */
  readonly #idle: Browser[] = [];
  /** A report of RC5 that goes with every block, as JSON; '' for none. */
  #rc5 = '';
  /** Blocks that were reported and counted. */
  accepted = 0;

  constructor(count: number, random: () => number) {
    this.#random = random;
    for (let i = 0; i < count; i++) {
      const client = {
        id: randomUUID(),
        name: `bench ${i % 1000}`,
        version: '0.2.0',
        class: 'tab',
        os: 'Linux',
      } as const;
      this.#idle.push({ client });
    }
  }

  /** From now on each block brings so many units of RC5 with it. */
  bring(units: number): void {
    this.#rc5 = units === 0 ? '' : `,${JSON.stringify(rc5Report('0'.repeat(32), rc5Evidence.slice(-units)))}`;
  }

  next(): Sending {
    const index = Math.floor(this.#random() * this.#idle.length);
    const browser = this.#idle[index];
    if (browser === undefined) throw new Error('more exchanges at once than there are browsers');
    this.#idle[index] = this.#idle.at(-1) as Browser;
    this.#idle.pop();
    return {
      body: bodyOf(browser, this.#rc5),
      took: (text) => {
        const reply = JSON.parse(text) as ExchangeReply;
        const [lease] = reply.leases;
        const [result, duplicate] = reply.results;
        const isRight =
          lease?.proof !== undefined &&
          result?.outcome === (browser.lease && 'accepted') &&
          duplicate?.outcome === (browser.lease && this.#rc5 !== '' ? 'duplicate' : undefined);
        if (!isRight) throw new Error(`not what an exchange should bring: ${text}`);
        if (browser.lease !== undefined) this.accepted += 1;
        browser.lease = lease;
        this.#idle.push(browser);
      },
    };
  }

  /** Every browser without a lease gets its first. */
  async fill(connections: readonly HttpConnection[]): Promise<void> {
    const empty = this.#idle.filter(({ lease }) => lease === undefined);
    await Promise.all(
      connections.map(async (connection) => {
        for (let browser = empty.pop(); browser !== undefined; browser = empty.pop()) {
          const reply = await connection.post('/api/v1/exchange', bodyOf(browser, ''));
          const [lease] = (JSON.parse(reply) as ExchangeReply).leases;
          if (lease === undefined) throw new Error(`no first lease: ${reply}`);
          browser.lease = lease;
        }
      }),
    );
  }
}

/** Takes the units of `bench-rc5` and hands them in: from then on they are done. */
export async function doRc5(connection: HttpConnection): Promise<void> {
  const client = { id: randomUUID(), version: '0.2.0' };
  const ask = async (reports: object[], blocks: number): Promise<ExchangeReply> => {
    const want = { blocks, from: [{ contest: rc5Blocks.name, units: rc5Blocks.units }] };
    const body = JSON.stringify({ protocols: PROTOCOLS, client, reports, want });
    return JSON.parse(await connection.post('/api/v1/exchange', body)) as ExchangeReply;
  };
  const [lease] = (await ask([], 1)).leases;
  const { results } = await ask([rc5Report(lease?.id ?? '', rc5Evidence)], 0);
  if (results[0]?.outcome !== 'accepted') throw new Error(`true evidence was refused: ${JSON.stringify(results)}`);
}

const rc5Report = (lease: string, evidence: readonly UnitEvidence[]) => ({
  lease,
  contest: rc5Blocks.name,
  first: rc5Evidence.length - evidence.length,
  evidence,
  core: 'rc5-mixed',
  seconds: 9 * evidence.length,
});

function bodyOf({ client, lease }: Browser, rc5: string): string {
  const want = {
    blocks: 1,
    from: [{ contest: ogrBlocks.name, units: 1 }],
    holding: lease === undefined ? [] : [lease.id],
  };
  const head = `{"protocols":${JSON.stringify(PROTOCOLS)},"client":${JSON.stringify(client)},"reports":[`;
  const tail = `],"want":${JSON.stringify(want)}}`;
  if (lease === undefined) return head + tail;
  const { id, contest, first, proof } = lease;
  const report = { lease: id, contest, first, evidence: [ogrEvidence(first)], core: 'ogr-simd', seconds: 60, proof };
  return head + JSON.stringify(report) + rc5 + tail;
}
