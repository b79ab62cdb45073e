/**
 * Two real gateways on one PostgreSQL, clients at full speed on both: no unit is handed out twice while its lease lives. Then
 * one of the two is killed (kill -9), and its clients go on at the other with the blocks and reports they have.
 */
import { afterAll, expect, it, vi } from 'vitest';
import { UNCHECKED } from '../../src/cli/bench/keyserver-child.ts';
import { countStubs } from '../../src/contests/ogr/stubs.ts';
import type { ContestManifest } from '../../src/domain/contest.ts';
import type { Lease, Report, UnitEvidence } from '../../src/domain/work.ts';
import { UnreachableError } from '../../src/protocol/errors.ts';
import { HttpKeyserver } from '../../src/protocol/http-keyserver.ts';
import { openPostgresStore } from '../../src/server/store/postgres.ts';
import { asking, client } from '../helpers/keyservers.ts';
import { freshSchema, sharedPostgres } from '../helpers/postgres.ts';
import { ServerProcess } from '../helpers/server-process.ts';

const CLIENTS = 16;
/** Exchanges of a client before the kill, and after it. */
const ROUNDS = 40;

/** Millions of units whose evidence, but for rulers, is only said: so an honest report costs nothing. */
const search = { kind: 'ogr', marks: 24, maxLength: 425, stubDepth: 3 } as const;
const contest: ContestManifest = {
  version: 1,
  name: 'vast',
  title: 'Vast',
  about: 'Made for a test.',
  units: countStubs(search),
  block: { maxUnits: 8, maxLeases: 64 },
  leaseSeconds: 86_400,
  closes: 'exhausted',
  search,
};

function reportOf({ id, contest, first, count, proof }: Lease): Report {
  const evidence = Array.from({ length: count }, (): UnitEvidence => ({ kind: 'ogr', nodes: 1000 }));
  return { lease: id, contest, first, evidence, core: 'test', seconds: 1, ...(proof && { proof }) };
}

class Worker {
  readonly #who: ReturnType<typeof client>;
  readonly #gateways: HttpKeyserver[];
  #at: number;
  hand: Lease[] = [];
  /** All it ever got, by id: the same lease may come again after an answer that was lost. */
  readonly got = new Map<string, Lease>();
  readonly acknowledged: Report[] = [];
  readonly refused: unknown[] = [];
  failovers = 0;

  constructor(n: number, gateways: HttpKeyserver[]) {
    this.#who = client(n);
    this.#gateways = gateways;
    this.#at = n % gateways.length;
  }

  /** Reports half of what it has, and takes as much again. */
  async turn(blocks: number): Promise<void> {
    const reports = this.hand.slice(0, blocks === 0 ? 64 : 2).map(reportOf);
    const holding = this.hand.map(({ id }) => id);
    const request = asking({ client: this.#who, reports, blocks, contests: ['vast'], holding });
    for (;;) {
      try {
        const { results, leases } = await (this.#gateways[this.#at] as HttpKeyserver).exchange(request);
        for (const [i, result] of results.entries()) {
          if (result.outcome === 'refused') this.refused.push(result);
          else this.acknowledged.push(reports[i] as Report);
        }
        this.hand = [...this.hand.slice(reports.length), ...leases];
        for (const lease of leases) this.got.set(lease.id, lease);
        return;
      } catch (error) {
        if (!(error instanceof UnreachableError)) throw error;
        this.failovers += 1;
        this.#at = (this.#at + 1) % this.#gateways.length;
      }
    }
  }
}

afterAll(() => vi.unstubAllEnvs());

it('hand out no unit twice; when one is killed its clients lose nothing', async () => {
  const database = { url: await sharedPostgres(), schema: freshSchema() };
  // What these clients hand in is made up.
  for (const [name, value] of Object.entries(UNCHECKED)) vi.stubEnv(name, value);
  const servers = [await ServerProcess.start([contest], database), await ServerProcess.start([contest], database)];
  try {
    const gateways = servers.map(({ url }) => new HttpKeyserver(url, { fetch }));
    const workers = Array.from({ length: CLIENTS }, (_, n) => new Worker(n, gateways));
    const round = (turns: number): Promise<unknown> =>
      Promise.all(
        workers.map(async (worker) => {
          for (let turn = 0; turn < turns; turn++) await worker.turn(2);
        }),
      );
    await round(ROUNDS);
    const second = round(ROUNDS);
    await servers[1]?.kill();
    await second;
    expect(workers.some(({ failovers }) => failovers > 0)).toBe(true);
    for (const worker of workers) await worker.turn(0);

    expect(workers.flatMap(({ refused, hand }) => [...refused, ...hand])).toEqual([]);
    // None has run out, so no two may share a unit, whoever handed them out.
    const leases = workers.flatMap(({ got }) => [...got.values()]).toSorted((a, b) => a.first - b.first);
    const shared = leases.filter(({ first }, i) => i > 0 && first < endOf(leases[i - 1] as Lease));
    expect(shared).toEqual([]);
    expect(leases.length).toBeGreaterThan(CLIENTS * ROUNDS);

    await gateways[0]?.status();
    const store = await openPostgresStore(database);
    try {
      const units = workers
        .flatMap(({ acknowledged }) => acknowledged)
        .reduce((sum, one) => sum + one.evidence.length, 0);
      const credits = await store.read((ledger) => ledger.counting.credits());
      const [row] = await store.read((ledger) => ledger.contests());
      expect({ done: row?.done, credited: credits.reduce((sum, one) => sum + one.units, 0) }).toEqual({
        done: units,
        credited: units,
      });
    } finally {
      vi.unstubAllEnvs();
      await store.close();
    }
  } finally {
    for (const server of servers) await server.close();
  }
});

const endOf = ({ first, count }: Lease): number => first + count;
