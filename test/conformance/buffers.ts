/** What every implementation of the client's buffers must do. `reopen` gives the same buffers after a restart. */
import { describe, expect, test } from 'vitest';
import type { Buffers } from '../../src/client/buffers.ts';
import type { BlockCheckpoint, Lease, Report } from '../../src/domain/work.ts';
import type { ReportResult } from '../../src/protocol/keyserver.ts';

const id = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const lease = (n: number): Lease => ({ id: id(n), contest: 'rc5-72', first: n, count: 1, expiresAt: 2e12 });
const report = (n: number): Report => ({
  lease: id(n),
  contest: 'rc5-72',
  first: n,
  evidence: [{ kind: 'rc5', nearMatches: [1, 2, 3] }],
  core: 'rc5-scalar4',
  seconds: 10,
});
const result = (n: number, outcome: ReportResult['outcome']): ReportResult => ({
  lease: id(n),
  outcome,
  credited: outcome === 'accepted' ? 1 : 0,
  hits: [],
});
const checkpoint: BlockCheckpoint = {
  evidence: [],
  unit: { format: 'rc5-1', unit: 1, keysDone: 4096, nearMatches: [17] },
  seconds: 3,
  steps: 4096,
};

export function buffersConformance(name: string, make: () => Promise<{ reopen: () => Promise<Buffers> }>): void {
  describe(`buffers: ${name}`, () => {
    test('empty at first', async () => {
      const { reopen } = await make();
      expect(await (await reopen()).load()).toEqual({ blocks: [], reports: [], facts: {} });
    });

    test('a block with its checkpoint outlives a restart, and becomes a report in one step', async () => {
      const { reopen } = await make();
      let buffers = await reopen();
      await buffers.addBlocks([lease(1), lease(2)]);
      await buffers.saveCheckpoint(id(1), checkpoint);
      await buffers.saveCheckpoint(id(9), checkpoint);
      buffers = await reopen();
      expect((await buffers.load()).blocks).toEqual([{ lease: lease(1), checkpoint }, { lease: lease(2) }]);
      await buffers.finishBlock(report(1));
      buffers = await reopen();
      expect(await buffers.load()).toMatchObject({ blocks: [{ lease: lease(2) }], reports: [report(1)] });
      await buffers.dropBlocks([id(2)]);
      expect((await (await reopen()).load()).blocks).toEqual([]);
    });

    test('all of it is put back: in place of what is there, or only where nothing is', async () => {
      const { reopen } = await make();
      const saved = {
        blocks: [{ lease: lease(1), checkpoint }],
        reports: [report(2)],
        facts: { clientId: 'me', wanted: true },
      };
      const buffers = await reopen();
      await buffers.restore(saved, false);
      expect(await (await reopen()).load()).toEqual(saved);
      const other = { blocks: [{ lease: lease(3) }], reports: [], facts: { wanted: false } };
      await buffers.restore(other, false);
      expect(await (await reopen()).load()).toEqual(saved);
      await buffers.restore(other, true);
      expect(await (await reopen()).load()).toEqual(other);
    });

    test('a proof comes back as it was kept, with its block and with its report; a block without one has none', async () => {
      const { reopen } = await make();
      const proof = 'eyJhbGciOiJFZERTQSJ9.e30.-_~';
      let buffers = await reopen();
      await buffers.addBlocks([{ ...lease(1), proof }, lease(2)]);
      await buffers.saveCheckpoint(id(1), checkpoint);
      buffers = await reopen();
      const { blocks } = await buffers.load();
      expect(blocks.map((block) => block.lease)).toEqual([{ ...lease(1), proof }, lease(2)]);
      await buffers.finishBlock({ ...report(1), proof });
      await buffers.finishBlock(report(2));
      expect(await (await reopen()).reports()).toEqual([{ ...report(1), proof }, report(2)]);
    });

    test('a settled report is counted once, whoever settles it again', async () => {
      const { reopen } = await make();
      let buffers = await reopen();
      for (const n of [1, 2, 3]) await buffers.finishBlock(report(n));
      const totals = await buffers.settle([result(1, 'accepted'), result(2, 'duplicate'), result(3, 'refused')]);
      expect(totals).toEqual({ 'rc5-72': { blocks: 2, units: 2, runs: [1, 3] } });
      buffers = await reopen();
      expect(await buffers.settle([result(1, 'duplicate'), result(7, 'accepted')])).toEqual(totals);
      expect(await buffers.reports()).toEqual([]);
      expect((await buffers.load()).facts.totals).toEqual(totals);
    });

    test('a block that is there already keeps its checkpoint; one without begins anew', async () => {
      const { reopen } = await make();
      let buffers = await reopen();
      await buffers.addBlocks([lease(1)]);
      await buffers.saveCheckpoint(id(1), checkpoint);
      await buffers.addBlocks([lease(1), lease(2)]);
      buffers = await reopen();
      expect((await buffers.load()).blocks).toEqual([{ lease: lease(1), checkpoint }, { lease: lease(2) }]);
      await buffers.saveCheckpoint(id(1), undefined);
      expect((await (await reopen()).load()).blocks[0]).toEqual({ lease: lease(1) });
    });

    test('the first client id stays', async () => {
      const { reopen } = await make();
      const buffers = await reopen();
      expect(await Promise.all([buffers.clientId('first'), buffers.clientId('second')])).toEqual(['first', 'first']);
      expect(await (await reopen()).clientId('third')).toBe('first');
    });

    test('facts are kept one by one', async () => {
      const { reopen } = await make();
      let buffers = await reopen();
      await buffers.setFact('clientId', id(5));
      await buffers.setFact('wanted', true);
      await buffers.setFact('wanted', false);
      await buffers.setFact('stopped', 'a reason');
      await buffers.setFact('stopped', undefined);
      buffers = await reopen();
      expect((await buffers.load()).facts).toEqual({ clientId: id(5), wanted: false });
    });
  });
}
