/**
 * Pools that nothing befalls, one for each policy, at three real registrars that tell each other over HTTP: of hundreds of
 * resolutions at each of them, elements are first as often as their pool's policy says. Where it counts, to the resolution; where
 * it draws, by chi-squared over all. Three runs in a million fail by chance (CHI_7).
 */
import { Agent, get } from 'node:http';
import { text } from 'node:stream/consumers';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { POLICY_NAMES, type Policy, type PolicyName, type Resolution } from '../../src/protocol/pools.ts';
import { createGateway } from '../../src/server/http/gateway.ts';
import { HttpRegistrars } from '../../src/server/pools/http-registrar.ts';
import { Pools } from '../../src/server/pools/pools.ts';
import { CHI_7, chiSquared } from '../helpers/chi-squared.ts';
import { openKeymaster, type TestKeymaster, temporaryFolder } from '../helpers/keyservers.ts';
import { PoolWorld } from '../helpers/pools.ts';
import { freePort } from '../helpers/server-process.ts';
import { testManifest } from '../helpers/test-contest.ts';

/** At each registrar, of each pool: whole cycles of twenty. */
const RESOLUTIONS = 400;

/** Eight elements of every pool. Two have the least load, two the highest priority. */
const WEIGHTS = [1, 1, 2, 2, 3, 3, 4, 4];
const PRIORITIES = [0, 1, 1, 2, 2, 2, 5, 5];
const LOADS = [0.1, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7];
const DEGRADATIONS = [0.01, 0.02, 0.01, 0.02, 0.01, 0.02, 0.01, 0.02];

const world = new PoolWorld();
const folder = temporaryFolder();
const agent = new Agent({ keepAlive: true });
const registrars: { url: string; pools: Pools; gateway: FastifyInstance }[] = [];
let keymaster: TestKeymaster;

const policyOf = (kind: PolicyName, n: number): Policy => ({
  kind,
  weight: WEIGHTS[n] ?? 1,
  priority: PRIORITIES[n] ?? 0,
  degradation: DEGRADATIONS[n] ?? 0,
});

beforeAll(async () => {
  keymaster = await openKeymaster(folder.path, [testManifest()]);
  const urls: string[] = [];
  while (urls.length < 3) urls.push(`http://127.0.0.1:${await freePort()}`);
  for (const url of urls) {
    const pools = new Pools(
      {
        registrar: true,
        registrars: urls,
        addresses: [url],
        policy: policyOf('random', 0),
        successors: [],
        origins: [],
      },
      world.portsOf(keymaster.store),
    );
    const gateway = await createGateway({ keyserver: keymaster.keymaster, version: '0.0.0', pools });
    await gateway.listen({ host: '127.0.0.1', port: Number(new URL(url).port) });
    registrars.push({ url, pools, gateway });
  }
  await everyoneLooks();
  // Each pool registers with another registrar; the others hear of it.
  for (const [n, kind] of POLICY_NAMES.entries()) {
    const home = new HttpRegistrars([urls[n % urls.length] ?? '']);
    for (const [i, load] of LOADS.entries()) {
      const element = world.gateway(0, { id: i + 1 });
      const voucher = world.voucherFor(element.key, [element.address], { handle: kind });
      await home.register(world.registration(element, { handle: kind, load, policy: policyOf(kind, i) }, voucher));
    }
  }
});

afterAll(async () => {
  for (const { gateway, pools } of registrars) {
    await pools.close();
    await gateway.close();
  }
  agent.destroy();
  await keymaster.close();
  folder.remove();
});

/** Registrars meet, and know each other's elements. */
async function everyoneLooks(): Promise<void> {
  for (let second = 0; second < 4; second++) {
    world.now += 1000;
    for (const { pools } of registrars) await pools.tick();
  }
}

async function resolve(url: string, handle: string): Promise<Resolution> {
  const body = await new Promise<string>((resolve, reject) => {
    get(`${url}/api/v1/pools/${handle}`, { agent }, (response) => void text(response).then(resolve, reject)).on(
      'error',
      reject,
    );
  });
  return JSON.parse(body) as Resolution;
}

/** How often each element was first, at each registrar. */
async function countsOf(kind: PolicyName): Promise<number[][]> {
  const all: number[][] = [];
  for (const { url } of registrars) {
    const counts = LOADS.map(() => 0);
    for (let n = 0; n < RESOLUTIONS; n++) {
      const { elements } = await resolve(url, kind);
      const first = (elements[0]?.id ?? 0) - 1;
      counts[first] = (counts[first] ?? 0) + 1;
    }
    all.push(counts);
  }
  console.log(`${kind}: ${all.map((counts) => counts.join(' ')).join(' | ')}`);
  return all;
}

const sumsOf = (counts: readonly number[][]): number[] =>
  LOADS.map((_, n) => counts.reduce((sum, one) => sum + (one[n] ?? 0), 0));

/** Where users add to the load: as if a basin of this profile had been filled. `first`: one more is counted before it comes. */
function filled(first: 0 | 1): number[] {
  const room = LOADS.reduce((sum, load, n) => sum + load / (DEGRADATIONS[n] ?? 1) + first, RESOLUTIONS);
  const level = room / DEGRADATIONS.reduce((sum, one) => sum + 1 / one, 0);
  return LOADS.map((load, n) => (level - load) / (DEGRADATIONS[n] ?? 1) - first);
}

const half = RESOLUTIONS / 2;

test.each<{ kind: PolicyName; each: number[] }>([
  { kind: 'round-robin', each: LOADS.map(() => RESOLUTIONS / 8) },
  { kind: 'weighted-round-robin', each: WEIGHTS.map((weight) => (RESOLUTIONS * weight) / 20) },
  { kind: 'priority', each: [0, 0, 0, 0, 0, 0, half, half] },
  { kind: 'least-used', each: [half, half, 0, 0, 0, 0, 0, 0] },
  // A registrar knows no distances: that is for pool users.
  { kind: 'nearest', each: [half, half, 0, 0, 0, 0, 0, 0] },
  { kind: 'least-used-degradation', each: filled(0) },
  { kind: 'priority-least-used', each: filled(1) },
])('$kind counts', async ({ kind, each }) => {
  for (const counts of await countsOf(kind)) {
    for (const [n, times] of each.entries()) expect(Math.abs((counts[n] ?? 0) - times)).toBeLessThanOrEqual(1);
  }
});

test.each<{ kind: PolicyName; shares: number[] }>([
  { kind: 'random', shares: LOADS.map(() => 1) },
  { kind: 'weighted-random', shares: WEIGHTS },
  { kind: 'randomized-least-used', shares: LOADS.map((load) => 1 - load) },
])('$kind draws', async ({ kind, shares }) => {
  expect(chiSquared(sumsOf(await countsOf(kind)), shares)).toBeLessThan(CHI_7);
});
