/**
 * The core flows in Firefox and in WebKit: start, a proof, pause, reload, offline, resume, one report. The built server and
 * real work; the evidence of a block that was interrupted three times is compared with that of an uninterrupted search. Both
 * browsers at once, one worker each: they share two cores on small machines. What is tested in Chromium only is in
 * `interruptions.test.ts`.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { manifests } from '../../src/contests/manifests.ts';
import type { ContestManifest } from '../../src/domain/contest.ts';
import { otherBrowsers, type Tab } from '../helpers/browsers.ts';
import { ogrContest } from '../helpers/ogr-contest.ts';
import { ServerProcess } from '../helpers/server-process.ts';
import { checkpoints, look, reportsWaiting, until } from '../helpers/tab.ts';

const builtIn = (name: string): ContestManifest => manifests.find((one) => one.name === name) as ContestManifest;

/** The proof of a second that no ruler with 12 marks is shorter than this one. */
const RULER = [0, 2, 6, 24, 29, 40, 43, 55, 68, 75, 76, 85];
const proof = ogrContest('ogr-12', { marks: 12, maxLength: 85 });

/** Its first unit lasts some ten seconds, so that it can be interrupted: so many nodes, as counted by one call of the kernel. */
const NODES = 130_880_843;
const long = ogrContest('ogr-15', { marks: 15, maxLength: 153 });
/** One at a time, so that the block after it is of keys. */
long.block = { maxUnits: 1, maxLeases: 1 };

for (const { name, missing, open } of otherBrowsers) {
  test.concurrent(`${name}: start, a proof, pause, reload, kill -9 of the server, offline, resume, one report`, async (context) => {
    if (missing !== undefined) return context.skip(missing);
    const server = await ServerProcess.start([proof, long, builtIn('rc5-56')]);
    try {
      const browsing = await open();
      try {
        const { tab } = browsing;
        await startAndProve(tab, server);
        await pauseAndReload(tab);
        await loseTheServer(tab, server);
        expect(await look(tab)).toMatchObject({ running: true, outBuffer: 0 });
      } finally {
        await browsing.close();
      }
    } finally {
      await server.close();
    }
  });
}

async function startAndProve(tab: Tab, server: ServerProcess): Promise<void> {
  await tab.goto(server.url);
  const fresh = await until(tab, 'the contests', ({ contests }) => 'rc5-56' in contests);
  expect(fresh).toMatchObject({ running: false, pause: 'not-started', rate: 0, blocks: [], inBuffer: 0 });
  // WebKit says four whatever the machine has.
  for (let { workers } = fresh; workers > 1; { workers } = await look(tab)) await tab.click('fewer');
  await tab.click('run');
  await until(tab, 'the proof', ({ contests }) => contests['ogr-12']?.state === 'closed');
  await until(tab, 'the long block', ({ blocks, rate }) => blocks[0]?.contest === 'ogr-15' && rate > 0);
  const { contests, reports } = await server.status();
  expect(contests[0]).toMatchObject({ done: proof.units, state: 'closed', hits: [{ marks: RULER }] });
  expect(reports).toMatchObject({ refused: 0, duplicate: 0 });
}

async function pauseAndReload(tab: Tab): Promise<void> {
  const before = await look(tab);
  const lease = before.blocks[0]?.lease ?? '';
  await tab.click('run');
  await until(tab, 'pause', ({ pause, rate }) => pause === 'by-you' && rate === 0);
  const kept = await atRest(tab, lease);
  expect(kept).toBeGreaterThanOrEqual(before.blocks[0]?.steps ?? 0);

  await tab.reload();
  await until(tab, 'the pause again', ({ pause }) => pause === 'by-you');
  expect((await checkpoints(tab))[lease]?.steps).toBe(kept);
  await tab.click('run');
  const { blocks } = await until(tab, 'the block again', ({ rate }) => rate > 0);
  expect(blocks[0]?.lease).toBe(lease);
  expect(blocks[0]?.steps).toBeGreaterThanOrEqual(kept);
}

/** The steps that are kept of a block, once they have been the same for a second. */
async function atRest(tab: Tab, lease: string): Promise<number> {
  for (let before = -1; ; ) {
    const steps = (await checkpoints(tab))[lease]?.steps ?? 0;
    if (steps === before && steps > 0) return steps;
    before = steps;
    await sleep(1000);
  }
}

async function loseTheServer(tab: Tab, server: ServerProcess): Promise<void> {
  const before = await server.status();
  await tab.evaluate(() => navigator.serviceWorker.ready.then(() => true));
  await server.kill();

  // The shell, the kernels and the buffers are all here.
  const lease = (await look(tab)).blocks[0]?.lease ?? '';
  await tab.reload();
  const kept = (await checkpoints(tab))[lease]?.steps ?? 0;
  expect(kept).toBeGreaterThan(0);
  const { blocks } = await until(tab, 'the block again', ({ rate }) => rate > 0);
  expect(blocks[0]).toMatchObject({ lease });
  expect(blocks[0]?.steps).toBeGreaterThanOrEqual(kept);

  const offline = await until(tab, 'keys', (seen) => seen.blocks[0]?.contest === 'rc5-56' && seen.rate > 0);
  expect(offline).toMatchObject({ running: true, gateway: 'unreachable', outBuffer: 1 });
  expect(await reportsWaiting(tab)).toMatchObject([{ lease, first: 0, evidence: [{ kind: 'ogr', nodes: NODES }] }]);

  await server.restart();
  // As a browser tells that the network is back; by itself the tab asks again after a wait that doubles each time.
  await tab.evaluate(() => dispatchEvent(new Event('online')));
  await until(tab, 'the report acknowledged', ({ outBuffer }) => outBuffer === 0);
  const { contests, reports } = await server.status();
  expect(contests[1]).toMatchObject({ name: 'ogr-15', done: 1 });
  expect(reports).toMatchObject({ accepted: before.reports.accepted + 1, refused: 0, duplicate: 0 });
}
