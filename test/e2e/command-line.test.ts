/** The built command line, as a person types it. */
import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { countStubs } from '../../src/contests/ogr/stubs.ts';
import rc5Rows from '../../src/cores/rc5/known-answers.json' with { type: 'json' };
import type { ContestManifest } from '../../src/domain/contest.ts';
import type { Status } from '../../src/protocol/keyserver.ts';
import { ServerProcess } from '../helpers/server-process.ts';

interface Ended {
  code: number;
  out: string;
  err: string;
}

function tabherd(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['dist/server/tabherd.js', ...args], (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

/** A whole proof in a moment. */
const search = { kind: 'ogr', marks: 10, maxLength: 55, stubDepth: 2 } as const;
const proof: ContestManifest = {
  version: 1,
  name: 'ogr-10',
  title: 'OGR-10',
  about: 'A ruler of 10 marks.',
  units: countStubs(search),
  block: { maxUnits: 64, maxLeases: 16 },
  leaseSeconds: 60,
  closes: 'exhausted',
  search,
};

let folder: string;
let server: ServerProcess;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabherd-'));
  server = await ServerProcess.start([proof]);
});
afterAll(() => server.close());

test('crunch proves a ruler in worker threads, and status tells', async () => {
  const data = join(folder, 'crunch.json');
  const crunch = await tabherd(
    'crunch',
    server.url,
    '--until',
    'ogr-10',
    '--workers',
    '2',
    '--data',
    data,
    '--name',
    'a test',
  );
  expect(crunch).toMatchObject({ code: 0, err: '' });
  expect(crunch.out).toContain('ogr-10: ruler of 10 marks, length 55: 0 1 6 10 23 26 34 41 53 55');
  const { out } = await tabherd('status', server.url);
  expect(out).toContain(`ogr-10: closed, all units done; ${proof.units} of ${proof.units} units done, 0 leased`);
  const status = JSON.parse((await tabherd('status', server.url, '--json')).out) as Status;
  expect(status.contests[0]).toMatchObject({ closedBy: 'exhausted', done: proof.units });
  expect(status.reports.refused).toBe(0);
});

describe('test', () => {
  test('a line a core, all right', async () => {
    const { code, out } = await tabherd('test');
    expect(code).toBe(0);
    expect(out).toMatch(/^rc5-scalar4: 18 of 18 known answers right$/m);
    expect(out).toMatch(/^ogr-simd: \d+ of \d+ known answers right$/m);
  });

  test('rows from a file; exit 1 on any difference', async () => {
    const path = join(folder, 'rows.json');
    const [row] = rc5Rows.selftest;
    await writeFile(path, JSON.stringify({ selftest: [row, { ...row, expect: 0 }] }));
    const { code, out } = await tabherd('test', '--vectors', path);
    expect(code).toBe(1);
    expect(out).toContain('rc5-scalar4: 1 of 2 known answers right');
    expect(out).toContain('row 1: found c90c0353c0d4e1fe85 instead of nothing');
  });
});

describe('what goes wrong is said in a sentence', () => {
  test.each([
    [['serve', '--port', 'x'], /--port.*whole number from 0 to 65535/],
    [['serve', '--contests', '/nowhere.json'], /\/nowhere\.json/],
    [['crunch', 'not-an-address'], /not-an-address is not the address of a gateway/],
    [['status', 'http://localhost:9'], /does not answer/],
    [['test', '--vectors', 'package.json'], /neither "selftest"/],
    [['frobnicate'], /unknown command 'frobnicate'/],
  ])('%j', async (args, sentence) => {
    const { code, err } = await tabherd(...args);
    expect(code).not.toBe(0);
    expect(err).toMatch(sentence);
    expect(err).not.toMatch(/\n\s+at /);
  });

  test('a manifest with a wrong field', async () => {
    const path = join(folder, 'bad.json');
    await writeFile(path, JSON.stringify({ ...proof, leaseSeconds: 0 }));
    const { code, err } = await tabherd('serve', '--contests', path, '--data', join(folder, 'x'), '--port', '0');
    expect(code).toBe(1);
    expect(err).toMatch(/bad\.json: \/leaseSeconds/);
  });

  test('a port in use, a data folder in use', async () => {
    const port = new URL(server.url).port;
    const busy = await tabherd('serve', '--port', port, '--data', join(folder, 'y'));
    expect(busy).toMatchObject({ code: 1, err: expect.stringContaining(port) as unknown });
  });
});

test('--help everywhere', async () => {
  for (const command of ['serve', 'crunch', 'test', 'bench', 'status']) {
    expect((await tabherd(command, '--help')).out).toContain(`Usage: tabherd ${command}`);
  }
});
