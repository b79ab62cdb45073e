/** Buffers carried by hand: a keymaster, and an offline proxy or client that never speaks with it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Carrying as ClientCarrying } from '../../src/client/carrying.ts';
import { MemoryBuffers } from '../../src/client/memory-buffers.ts';
import type { ContestManifest } from '../../src/domain/contest.ts';
import { type BlocksFile, packBuffers, type ReportsFile, unpackBuffers } from '../../src/protocol/buffers-file.ts';
import { gzipped } from '../../src/protocol/gzip.ts';
import { answer, handOut } from '../../src/server/carry/answer.ts';
import { carried } from '../../src/server/carry/stopped.ts';
import type { Proxy } from '../../src/server/proxy/proxy.ts';
import { asking, client, openKeymaster, START, type TestKeymaster, temporaryFolder } from '../helpers/keyservers.ts';
import { TestProxy } from '../helpers/pyramid.ts';
import { testManifest, trueReport } from '../helpers/test-contest.ts';

const manifest = testManifest({ units: 10_000, maxUnits: 8, leaseSeconds: 3600, winners: [] });
const clock = { now: START };

let folders: ReturnType<typeof temporaryFolder>[] = [];
let top: TestKeymaster;
let offline: TestProxy;
let proxy: Proxy;

const folder = (): string => {
  const one = temporaryFolder();
  folders.push(one);
  return one.path;
};

const openTop = (manifests: readonly ContestManifest[]) => openKeymaster(folder(), manifests, { clock });

beforeEach(async () => {
  clock.now = START;
  folders = [];
  top = await openTop([manifest]);
  offline = new TestProxy(folder(), () => undefined, { clock, settings: { mode: 'offline' } });
  proxy = await offline.start();
});

afterEach(async () => {
  await offline.kill();
  await top.close();
  for (const one of folders) one.remove();
});

/** Through the form that is on the stick. */
async function onStick<F extends ReportsFile | BlocksFile>(file: F): Promise<F> {
  return (await unpackBuffers((await packBuffers(file)) as Uint8Array<ArrayBuffer>)) as F;
}

const up = async (): Promise<ReportsFile> => onStick(await proxy.carrying.handUp([{ units: 32 }]));
const atTop = async (file: ReportsFile): Promise<BlocksFile> => onStick(await answer(carried(top.keymaster), file));

/** Clients of the offline proxy work so many blocks. */
async function work(blocks: number, who = client()): Promise<void> {
  const { leases } = await proxy.exchange(asking({ client: who, blocks }));
  expect(leases).toHaveLength(blocks);
  const { results } = await proxy.exchange(asking({ client: who, reports: leases.map((lease) => trueReport(lease)) }));
  expect(results.every(({ outcome }) => outcome === 'accepted')).toBe(true);
}

const credited = async () => {
  await top.keymaster.status();
  return top.store.read((ledger) => ledger.counting.credits());
};
const totals = async () => (await top.keymaster.status()).contests[0];

describe('an offline proxy', () => {
  it('gets blocks and hands in reports by files alone', async () => {
    const first = await atTop(await up());
    expect(await proxy.carrying.take(first)).toMatchObject({ blocks: [{ contest: 'test', units: 32 }], over: 0 });
    await work(2);
    await work(1, client(2));
    const reports = await up();
    // Neighbours of one client go as one.
    expect(reports.reports.map(({ places }) => places).flat()).toHaveLength(3);
    const reply = await atTop(reports);
    expect(reply.verdicts.every(({ result }) => result.outcome === 'accepted')).toBe(true);
    expect(await credited()).toMatchObject([
      { client: client(1).id, units: 16 },
      { client: client(2).id, units: 8 },
    ]);
    expect((await up()).reports).toHaveLength(reports.reports.length);
    await proxy.carrying.take(reply);
    expect((await up()).reports).toEqual([]);
    expect((await proxy.status()).stock).toMatchObject([{ free: 8 + 32, waiting: 0 }]);
    expect(await totals()).toMatchObject({ done: 24, leased: 40 });
  });

  it('is given blocks without having asked, by its identity', async () => {
    const file = await onStick(await handOut(carried(top.keymaster), proxy.id, [{ units: 64 }], '0.0.0'));
    expect(await proxy.carrying.take(file)).toMatchObject({ blocks: [{ units: 64 }] });
    await work(2);
    await atTop(await up());
    expect(await totals()).toMatchObject({ done: 16 });
  });

  it('takes files twice, late and in any order', async () => {
    const asked = await up();
    const one = await atTop(asked);
    // The answer was lost, and is made again: the same blocks.
    const again = await atTop(asked);
    expect(again.leases.map(({ id }) => id).toSorted()).toEqual(one.leases.map(({ id }) => id).toSorted());
    expect(await totals()).toMatchObject({ leased: 32 });
    await proxy.carrying.take(again);
    expect(await proxy.carrying.take(one)).toEqual({ blocks: [], known: one.leases.length, over: 0 });
    expect((await proxy.status()).stock).toMatchObject([{ free: 32 }]);
    await work(4);
    const reports = await up();
    const two = await atTop(reports);
    const dup = await atTop(reports);
    expect(dup.verdicts.every(({ result }) => result.outcome === 'duplicate')).toBe(true);
    expect(await totals()).toMatchObject({ done: 32 });
    await proxy.carrying.take(dup);
    await proxy.carrying.take(two);
    // What is done does not come back to life.
    expect(await proxy.carrying.take(one)).toMatchObject({ blocks: [] });
    expect((await proxy.status()).stock).toMatchObject([{ free: 32, waiting: 0 }]);
    await offline.kill();
    proxy = await offline.start();
    expect(await proxy.carrying.take(two)).toMatchObject({ blocks: [] });
  });

  it('has its late reports taken by their proofs, and does not hand out blocks whose time is over', async () => {
    const file = await atTop(await up());
    await proxy.carrying.take(file);
    await work(1);
    const late = await up();
    clock.now += 5 * 3_600_000;
    await top.keymaster.sweep();
    expect(await totals()).toMatchObject({ leased: 0 });
    expect((await atTop(late)).verdicts[0]?.result).toMatchObject({ outcome: 'accepted', credited: 8 });
    expect(await proxy.carrying.take(file)).toEqual({ blocks: [], known: 0, over: file.leases.length });
    expect((await proxy.exchange(asking({ blocks: 1 }))).leases).toEqual([]);
  });

  it('believes the newer of two files about contests', async () => {
    const open = await atTop(await up());
    clock.now += 1000;
    const closed = await atTop(await up());
    for (const { state } of closed.contests) Object.assign(state, { state: 'closed', closedBy: 'operator' });
    await proxy.carrying.take(closed);
    await proxy.carrying.take(open);
    expect((await proxy.contests())[0]?.state).toMatchObject({ state: 'closed', closedBy: 'operator' });
  });

  it('refuses what is not true, or not for it, and takes nothing of it', async () => {
    const file = await atTop(await up());
    const longer = structuredClone(file);
    for (const lease of longer.leases) lease.count += 1;
    await expect(proxy.carrying.take(longer)).rejects.toMatchObject({ code: 'proof_false', field: '/leases/0/proof' });
    const strange = { ...structuredClone(file), trusted: ['0'.repeat(64)] };
    await expect(proxy.carrying.take(strange)).rejects.toThrow(/key that is not trusted/);
    const forger = await openTop([manifest]);
    const forged = await answer(carried(forger.keymaster), await up());
    const mixed = { ...structuredClone(file), leases: forged.leases };
    await expect(proxy.carrying.take(mixed)).rejects.toMatchObject({ code: 'proof_false' });
    await forger.close();
    const other = await handOut(carried(top.keymaster), 'f'.repeat(64), [{ units: 8 }], '0.0.0');
    await expect(proxy.carrying.take(other)).rejects.toMatchObject({ field: '/for' });
    await expect(proxy.contests()).rejects.toThrow('has not reached its upstream');

    await proxy.carrying.take(file);
    const elsewhere = await openTop([testManifest({ units: 50 })]);
    clock.now += 1;
    const foreign = await answer(carried(elsewhere.keymaster), await up());
    await expect(proxy.carrying.take(foreign)).rejects.toThrow(/another search/);
    await elsewhere.close();
  });

  it('has reports that were tampered with refused, one by one', async () => {
    await proxy.carrying.take(await atTop(await up()));
    await work(1);
    await work(1, client(2));
    const reports = await up();
    const [first, second] = reports.reports.map(({ report }) => report);
    if (first === undefined || second?.proof === undefined) throw new Error('two reports were expected');
    first.evidence = first.evidence.map(() => ({ kind: 'ogr', nodes: 7 }));
    // Not by the ledger's own lease: that would do for a proof.
    second.lease = '00000000-0000-4000-8000-000000000000';
    second.proof = second.proof.replace(/.{4}$/, 'AAAA');
    const { verdicts } = await atTop(reports);
    expect(verdicts.map(({ result }) => result.code)).toEqual(['evidence_false', 'proof_false']);
    expect(await totals()).toMatchObject({ done: 0 });
  });

  it('works again what was refused, once it is given anew', async () => {
    await proxy.carrying.take(await atTop(await up()));
    await work(4);
    const reports = await up();
    const file = await atTop({ ...reports, reports: [] });
    const verdicts = reports.reports.map(({ places, report }) => ({
      places,
      contest: report.contest,
      first: report.first,
      result: { lease: report.lease, outcome: 'refused' as const, code: 'proof_false' as const, credited: 0, hits: [] },
    }));
    await proxy.carrying.take({ ...file, verdicts });
    clock.now += 100 * 3_600_000;
    await top.keymaster.sweep();
    expect(await proxy.carrying.take(await atTop(await up()))).toMatchObject({ blocks: [{ units: 32 }], known: 0 });
    await work(4);
  });

  it('gets nothing once it is revoked', async () => {
    const file = await up();
    await atTop(file);
    await top.keymaster.sweep();
    await top.store.transaction((ledger) => ledger.revokeProxy(proxy.id, 1));
    await top.keymaster.refresh();
    await expect(atTop(file)).rejects.toThrow(/revoked by the operator/);
  });
});

describe('a client without a network', () => {
  it('gets blocks and hands in reports by files alone', async () => {
    clock.now = Date.now();
    const buffers = new MemoryBuffers();
    const carrying = new ClientCarrying(buffers, '0.0.0');
    await buffers.setFact('about', { version: '0.0.0', name: 'a hermit', class: 'terminal' });
    const one = await atTop(await onStick(await carrying.handUp([{ units: 20 }])));
    expect(await carrying.take(one)).toMatchObject({ blocks: [{ contest: 'test', units: 20 }], known: 0 });
    const { blocks } = await buffers.load();
    for (const { lease } of blocks) await buffers.finishBlock(trueReport(lease));
    const reports = await onStick(await carrying.handUp([{ units: 8 }]));
    expect(await carrying.take(one)).toMatchObject({ blocks: [], known: one.leases.length });
    const two = await atTop(reports);
    expect(await carrying.take(two)).toMatchObject({ blocks: [{ units: 8 }] });
    expect((await buffers.load()).reports).toEqual([]);
    expect((await buffers.load()).facts.totals).toMatchObject({ test: { units: 20 } });
    expect(await credited()).toMatchObject([{ units: 20 }]);
    await expect(carrying.take({ ...two, for: proxy.id })).rejects.toMatchObject({ field: '/for' });
  });
});

describe('a file', () => {
  it('says what is wrong with it', async () => {
    const file = await up();
    const bytes = async (value: unknown) => new Uint8Array(await gzipped(JSON.stringify(value)));
    const newer = await bytes({ ...file, format: 'tabherd-buffers/2' });
    await expect(unpackBuffers(newer)).rejects.toThrow('in the form tabherd-buffers/2, and this Tabherd reads');
    const wrong = await bytes({ ...file, client: { ...file.client, id: 'X' } });
    await expect(unpackBuffers(wrong)).rejects.toThrow(/^\/client\/id /);
    const whole = await bytes(file);
    await expect(unpackBuffers(whole.slice(0, -9))).rejects.toThrow('damaged or cut off');
    await expect(unpackBuffers(new TextEncoder().encode('{}'))).rejects.toThrow('not made by tabherd export');
    await expect(unpackBuffers(await bytes({ some: 'thing' }))).rejects.toThrow('not made by tabherd export');
  });
});
