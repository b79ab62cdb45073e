/** The share of the time in which a worker computes: the real slice loop over a real core. */
import { expect, test } from 'vitest';
import { manifests } from '../../src/contests/manifests.ts';
import type { ContestManifest } from '../../src/domain/contest.ts';
import { BlockWorker } from '../../src/worker/block-worker.ts';

const manifest = manifests.find(({ name }) => name === 'rc5-72') as ContestManifest;

/** Computes for so long at this pace; the share of the time that it says it computed. */
async function shareAt(worker: BlockWorker, share: number, ms: number): Promise<number> {
  worker.pace(share);
  const began = performance.now();
  let stoppedAt = 0;
  setTimeout(() => {
    stoppedAt = performance.now();
    worker.stop();
  }, ms);
  const outcome = await worker.work({ manifest, first: 0, count: 200 }, () => {});
  const now = performance.now();
  expect(now - stoppedAt, 'a stop ends a rest').toBeLessThan(200);
  return (outcome.finished ? outcome.seconds : outcome.checkpoint.seconds) / ((now - began) / 1000);
}

test('a worker computes in the share of the time that it is told, and can be stopped while it rests', async () => {
  const worker = new BlockWorker();
  await worker.prepare('rc5');
  for (const share of [0.1, 0.5, 0.8])
    expect(Math.abs((await shareAt(worker, share, 3000)) - share)).toBeLessThan(0.05);
}, 30_000);
