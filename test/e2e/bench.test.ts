/** The built bench, briefly: that every part of it runs, never how fast anything is. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { catalogue } from '../../src/cores/catalogue.ts';

const run = promisify(execFile);

interface Figure {
  place: string;
  name: string;
  median: number;
  rates: number[];
}

interface Report {
  machine: Record<string, unknown>;
  rc5: Figure[];
  ogr: Figure[];
  left: { place: string; name: string; reason: string }[];
  tab: Record<'tabRates' | 'bareRates' | 'ratios' | 'firstSliceMs', number[]>;
  sizes: { kernels: { file: string; brotli: number }[]; total: number };
}

interface KeyserverReport {
  machine: { homes: string[] };
  loads: { measure: string; home: string; rates: number[]; p99: number[] }[];
  memory: { leases: number }[];
  ledgers: { home: string; way: string }[];
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabherd-'));
});
afterAll(() => rm(folder, { recursive: true }));

const bench = (...args: string[]) => run(process.execPath, ['dist/server/tabherd.js', 'bench', ...args]);

test('cores: every core in Chromium and Node, the tab, the sizes', async () => {
  const path = join(folder, 'bench.json');
  const brief = ['--repeats', '1', '--seconds', '0.05', '--no-dnetc', '--in', 'chromium', 'node', '--json', path];
  const { stdout } = await bench('cores', ...brief);
  const report = JSON.parse(await readFile(path, 'utf8')) as Report;
  expect(report.machine).toMatchObject({ node: process.version, chromium: expect.stringMatching(/^\d+\./) });
  for (const place of ['chromium', 'node']) {
    for (const { name, kind } of catalogue) {
      const figure = report[kind].find((one) => one.place === place && one.name === name);
      const left = report.left.find((one) => one.place === place && one.name === name);
      // Timed, or said why not.
      expect([figure, left].filter(Boolean)).toHaveLength(1);
      if (figure === undefined) continue;
      expect(figure.rates).toEqual([figure.median]);
      expect(figure.median).toBeGreaterThan(0);
      expect(stdout).toMatch(new RegExp(`^ +${place} +${name} +\\d`, 'm'));
    }
  }
  const { tabRates, bareRates, ratios, firstSliceMs } = report.tab;
  for (const values of [tabRates, bareRates, ratios, firstSliceMs]) {
    expect(values).toHaveLength(1);
    expect(values[0]).toBeGreaterThan(0);
  }
  expect(report.sizes.kernels.length).toBeGreaterThan(0);
  expect(report.sizes.kernels.every(({ brotli }) => brotli > 0)).toBe(true);
  expect(stdout.split('\n').every((line) => line.length <= 100)).toBe(true);
});

test('keyserver: both homes loaded, what it needs, what a ledger weighs', async () => {
  const path = join(folder, 'keyserver.json');
  const { stdout } = await bench('keyserver', '--short', '--json', path);
  const report = JSON.parse(await readFile(path, 'utf8')) as KeyserverReport;
  expect(report.machine.homes).toEqual([expect.stringMatching(/^PostgreSQL \d/), expect.stringMatching(/^SQLite \d/)]);
  expect(report.loads.map(({ measure, home }) => `${measure} ${home}`)).toEqual(
    ['browsers', 'minutes', 'proxies'].flatMap((measure) => [`${measure} postgresql`, `${measure} sqlite`]),
  );
  for (const { rates, p99 } of report.loads) {
    expect(rates[0]).toBeGreaterThan(0);
    expect(p99[0]).toBeGreaterThan(0);
  }
  expect(report.memory.map(({ leases }) => leases)).toEqual([100, 100]);
  expect(report.ledgers.map(({ home, way }) => `${home} ${way}`)).toEqual(
    ['postgresql', 'sqlite'].flatMap((home) => [`${home} scattered`, `${home} drawn`]),
  );
  expect(stdout.split('\n').every((line) => line.length <= 100)).toBe(true);
});

test('trust: the zoo, in brief', async () => {
  const path = join(folder, 'trust.json');
  const { stdout } = await bench('trust', '--short', '--json', path);
  const report = JSON.parse(await readFile(path, 'utf8')) as { zoo: { name: string; clients: number }[] };
  expect(report.zoo.length).toBeGreaterThan(15);
  for (const { name, clients } of report.zoo) expect([stdout.includes(name), clients]).toEqual([true, 6]);
  expect(stdout.split('\n').every((line) => line.length <= 100)).toBe(true);
});

test('cores is what bench does when nothing is named; a core that is not there is named', async () => {
  const { stdout } = await bench('--help');
  expect(stdout).toContain('cores');
  const failure = bench('--cores', 'rc5-none', '--in', 'node', '--no-c', '--no-dnetc');
  await expect(failure).rejects.toMatchObject({
    stderr: expect.stringContaining('--cores rc5-none: there is no such'),
  });
});
