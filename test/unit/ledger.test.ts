/**
 * The ledger against a slow obvious model: random clients, clocks, reports (true, false, mismatched, late, foreign,
 * repeated), releases and restarts; and what the model cannot show: concurrency, size, forgetting, failure.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../src/domain/work.ts';
import { DONE, FREE } from '../../src/server/ledger/line.ts';
import {
  asking,
  client,
  openKeymaster,
  openStore,
  type TestKeymaster,
  temporaryFolder,
} from '../helpers/keyservers.ts';
import { LedgerTrial, someStep } from '../helpers/ledger-trial.ts';
import { freshSchema, sharedPostgres } from '../helpers/postgres.ts';
import { falseReport, testManifest, trueReport } from '../helpers/test-contest.ts';

describe('the ledger', () => {
  const steps = fc.array(someStep, { minLength: 1, maxLength: 40 });

  it('does what the obvious model does', async () => {
    const trials = fc.assert(
      fc.asyncProperty(steps, async (steps) => {
        const folder = temporaryFolder();
        await new LedgerTrial(folder.path).run(steps).finally(folder.remove);
      }),
      { numRuns: 60 },
    );
    await expect(trials).resolves.toBeUndefined();
  }, 300_000);

  it('does what the obvious model does on PostgreSQL too', async () => {
    const url = await sharedPostgres();
    const trials = fc.assert(
      fc.asyncProperty(steps, (steps) => new LedgerTrial({ url, schema: freshSchema() }).run(steps)),
      { numRuns: 20 },
    );
    await expect(trials).resolves.toBeUndefined();
  }, 300_000);

  it('takes a late report although somebody else got a part of its units meanwhile', async () => {
    const manifest = testManifest({ units: 8, maxUnits: 8, leaseSeconds: 60, recycleSeconds: 600 });
    await withServer([manifest], async ({ keymaster, clock }) => {
      const { leases: slow } = await keymaster.exchange(asking({ blocks: 1 }));
      clock.now += 61_000;
      const { leases: fast } = await keymaster.exchange(asking({ client: client(2), blocks: 1, units: 3 }));
      expect(fast).toMatchObject([{ first: 0, count: 3 }]);
      const reports = slow.map((lease) => trueReport(lease));
      const late = await keymaster.exchange(asking({ reports }));
      expect(late.results).toMatchObject([{ outcome: 'accepted', credited: 8 }]);
      expect(late.contests).toMatchObject([{ done: 8, leased: 0 }]);
    });
  });

  it.each(['SQLite', 'PostgreSQL'])(
    'counts work under a name that is no text, as older journals have them: %s',
    async (home) => {
      const folder = temporaryFolder();
      const place = home === 'SQLite' ? folder.path : { url: await sharedPostgres(), schema: freshSchema() };
      const { keymaster, close } = await openKeymaster(place, [testManifest({ units: 8, maxUnits: 4 })]);
      try {
        const strange = { ...client(), name: 'x\ud800y' };
        for (let round = 0; round < 2; round++) {
          const { leases } = await keymaster.exchange(asking({ client: strange, blocks: 1 }));
          const reports = leases.map((lease) => trueReport(lease));
          await keymaster.exchange(asking({ client: strange, reports }));
          expect((await keymaster.status()).contests).toMatchObject([{ done: 4 * (round + 1) }]);
        }
      } finally {
        await close().finally(folder.remove);
      }
    },
  );

  it('gives back no more of a lease than is named, and nothing of others', async () => {
    await withServer([testManifest({ units: 100, maxUnits: 10 })], async ({ keymaster }) => {
      const { leases } = await keymaster.exchange(asking({ blocks: 2 }));
      const { leases: others } = await keymaster.exchange(asking({ client: client(2), blocks: 1 }));
      const [one, two] = leases.map(({ id }) => id);
      const part = (lease: string, first: number, count: number) => ({ lease, contest: 'test', first, count });
      const parts = [part(one ?? '', 4, 2 ** 53 - 5), part(one ?? '', 0, 1), part(two ?? '', 0, 5)];
      const all = [...parts, part(others[0]?.id ?? '', 20, 10)];
      expect(await keymaster.release({ client: client(), leases: [], parts: all })).toEqual({ released: [one] });
      expect((await keymaster.status()).contests).toMatchObject([{ leased: 30 - 7 }]);
      expect(await keymaster.release({ client: client(), leases: [two ?? ''] })).toEqual({ released: [two] });
      expect((await keymaster.status()).contests).toMatchObject([{ leased: 13 }]);
    });
  });

  it('keeps the line whole under clients who all speak at once', async () => {
    await withServer([testManifest({ units: 1000, maxUnits: 7 })], async ({ keymaster, store }) => {
      const credited = new Map<number, number>();
      const worker = async (n: number): Promise<void> => {
        let reports: Report[] = [];
        // With a third one nobody gets work any more.
        let lies = 2;
        for (let round = 0; ; round++) {
          const reply = await keymaster.exchange(
            asking({ client: client(n), reports, blocks: 1 + (n % 3), units: 1 + n }),
          );
          for (const [i, { credited: units }] of reply.results.entries()) {
            for (let u = 0; u < units; u++) bump(credited, (reports[i]?.first ?? Number.NaN) + u);
          }
          // Some reports are false, every fourth comes twice.
          reports = reply.leases.flatMap((lease, i) => {
            if ((lease.first + n + round) % 3 === 0 && lies-- > 0) return [falseReport(lease)];
            return (i + n + round) % 4 === 0 ? [trueReport(lease), trueReport(lease)] : [trueReport(lease)];
          });
          const state = reply.contests[0];
          if (state?.state === 'closed') return;
          expect((state?.done ?? 0) + (state?.leased ?? 0)).toBeLessThanOrEqual(1000);
        }
      };
      await Promise.all(Array.from({ length: 12 }, (_, n) => worker(n)));
      expect([...credited.values()].every((times) => times === 1)).toBe(true);
      expect(credited.size).toBe(1000);
      expect((await keymaster.status()).contests).toMatchObject([{ closedBy: 'exhausted', done: 1000, leased: 0 }]);
      expect(await store.read((ledger) => ledger.runs('test'))).toEqual([
        { contest: 'test', first: 0, past: 1000, ...DONE },
      ]);
    });
  });

  it('needs a handful of rows for 2^44 units', async () => {
    await withServer([testManifest({ units: 2 ** 44, maxUnits: 256 })], async ({ keymaster, store }) => {
      const { leases } = await keymaster.exchange(asking({ blocks: 64 }));
      const reports = leases.toReversed().map((lease) => trueReport(lease));
      await keymaster.exchange(asking({ reports: reports.slice(0, 32) }));
      await keymaster.exchange(asking({ reports: reports.slice(32) }));
      expect(await store.read((ledger) => ledger.runs('test'))).toEqual([
        { contest: 'test', first: 0, past: 64 * 256, ...DONE },
        { contest: 'test', first: 64 * 256, past: 2 ** 44, ...FREE },
      ]);
    });
  });

  it('keeps no row of an ended lease, and still credits none of them again, however late', async () => {
    await withServer([testManifest({ leaseSeconds: 60 })], async ({ keymaster, store, clock }) => {
      const { leases } = await keymaster.exchange(asking({ blocks: 2 }));
      const reports = leases.map((lease) => trueReport(lease));
      await keymaster.exchange(asking({ reports: reports.slice(0, 1) }));
      clock.now += 60_000;
      await keymaster.sweep();
      expect((await store.read((ledger) => ledger.runs('test'))).filter(({ lease }) => lease !== null)).toEqual([]);
      clock.now += 365 * 86_400_000;
      const again = await keymaster.exchange(asking({ reports }));
      expect(again.results).toMatchObject([
        { outcome: 'duplicate', credited: 0 },
        { outcome: 'accepted', credited: 8 },
      ]);
      expect((await keymaster.status()).contests[0]?.done).toBe(16);
    });
  });

  it('that closes while it counts at an easy pace has counted all, and touches the store no more', async () => {
    const folder = temporaryFolder();
    const { keymaster, store, close } = await openKeymaster(folder.path, [testManifest({ units: 4096, maxUnits: 1 })]);
    let units = 0;
    for (let n = 0; n < 40; n++) {
      const { leases } = await keymaster.exchange(asking({ client: client(n), blocks: 8, units: 1 }));
      await keymaster.exchange(asking({ client: client(n), reports: leases.map((lease) => trueReport(lease)) }));
      units += leases.length;
    }
    expect(units).toBeGreaterThan(40);
    expect(await store.read((ledger) => ledger.counting.countJournal())).toBe(40);
    const counting = keymaster.desk.counting.countEasily();
    await close();
    await counting;
    const again = await openStore(folder.path);
    const credits = await again.read((ledger) => ledger.counting.credits());
    expect(credits.reduce((sum, row) => sum + row.units, 0)).toBe(units);
    expect(await again.read((ledger) => ledger.counting.countJournal())).toBe(0);
    await again.close();
    folder.remove();
  });

  it('lets one failing piece of work fail alone', async () => {
    await withServer([testManifest()], async ({ keymaster, store }) => {
      const { leases } = await keymaster.exchange(asking({ blocks: 2 }));
      // A client that no statement can name: what a full disk would do to one transaction and not to the next.
      const bad = { ...client(2), id: (2n ** 70n) as unknown as string };
      const replies = await Promise.allSettled([
        ...leases.map((lease) => keymaster.exchange(asking({ reports: [trueReport(lease)] }))),
        keymaster.exchange(asking({ client: bad, blocks: 1 })),
      ]);
      expect(replies.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
      expect(replies[2]).toMatchObject({ reason: { name: 'UnreachableError' } });
      expect((await keymaster.status()).contests).toMatchObject([{ done: 16, leased: 0 }]);
      expect((await store.read((ledger) => ledger.counting.credits()))[0]).toMatchObject({ units: 16, blocks: 2 });
    });
  });

  it('does nothing of a transaction that fails', async () => {
    await withServer([testManifest()], async ({ store }) => {
      const failing = store.transaction(async (ledger) => {
        await ledger.deleteRuns('test', [0]);
        throw new Error('no');
      });
      await expect(failing).rejects.toThrow('no');
      expect(await store.read((ledger) => ledger.runs('test'))).toHaveLength(1);
    });
  });
});

async function withServer(
  manifests: Parameters<typeof openKeymaster>[1],
  test: (server: TestKeymaster) => Promise<void>,
): Promise<void> {
  const folder = temporaryFolder();
  const server = await openKeymaster(folder.path, manifests);
  try {
    await test(server);
  } finally {
    await server.close();
    folder.remove();
  }
}

const bump = (counts: Map<number, number>, key: number): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1);
};
