/**
 * Proxies at a keyserver: few connections, many blocks in each exchange, every request signed (`keyserver<-proxy/1`). A
 * report is a client's block, and says whose; what is asked for is one long block to cut up.
 */
import { randomUUID } from 'node:crypto';
import type { Lease } from '../../../domain/work.ts';
import type { ExchangeReply } from '../../../protocol/keyserver.ts';
import { makeAssertion } from '../../../server/proof/assertion.ts';
import { generateKey, type KeyPair } from '../../../server/proof/key.ts';
import { ogrBlocks, ogrEvidence } from './contests.ts';
import type { Senders, Sending } from './load.ts';

interface Proxy {
  key: KeyPair;
  lease?: Lease;
}

export class Proxies implements Senders {
  readonly blocks: number;
  readonly #idle: Proxy[];
  readonly #clients = Array.from({ length: 1000 }, (_, i) => ({
    id: randomUUID(),
    name: `bench ${i}`,
    version: '0.2.0',
    class: 'tab' as const,
  }));
  accepted = 0;

  /** @param blocks of one unit, in an exchange. */
  constructor(count: number, blocks: number) {
    this.blocks = blocks;
    this.#idle = Array.from({ length: count }, () => ({ key: generateKey() }));
  }

  next(): Sending {
    const proxy = this.#idle.shift();
    if (proxy === undefined) throw new Error('more exchanges at once than there are proxies');
    const { key, lease } = proxy;
    const reports = lease === undefined ? [] : this.#reports(lease);
    const body = JSON.stringify({
      protocols: ['keyserver<-proxy/1'],
      client: { id: key.id, name: 'bench proxy', version: '0.2.0', class: 'proxy' },
      assertion: makeAssertion(key, Date.now()),
      reports,
      want: {
        blocks: 1,
        from: [{ contest: ogrBlocks.name, units: this.blocks }],
        holding: lease === undefined ? [] : [lease.id],
      },
    });
    return {
      body,
      took: (text) => {
        const { results, leases } = JSON.parse(text) as ExchangeReply;
        const accepted = results.filter(({ outcome }) => outcome === 'accepted').length;
        const [next] = leases;
        if (next?.count !== this.blocks || accepted !== reports.length) {
          throw new Error(`not what a proxy's exchange should bring: ${text.slice(0, 2000)}`);
        }
        this.accepted += accepted;
        proxy.lease = next;
        this.#idle.push(proxy);
      },
    };
  }

  #reports({ id, contest, first, proof }: Lease): object[] {
    const finishedAt = Date.now();
    return Array.from({ length: this.blocks }, (_, i) => ({
      lease: id,
      contest,
      first: first + i,
      evidence: [ogrEvidence(first + i)],
      core: 'ogr-simd',
      seconds: 60,
      proof,
      client: this.#clients[(first + i) % this.#clients.length],
      finishedAt,
    }));
  }
}
