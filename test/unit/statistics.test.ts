/**
 * The statistics of a keyserver's own: the keyblock log in the personal proxy's columns, its files and what crashes and
 * full disks do to them; verbosity keywords; the status line; rates under any clock.
 */
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { Value } from 'typebox/value';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { manifests } from '../../src/contests/manifests.ts';
import type { ContestManifest } from '../../src/domain/contest.ts';
import type { Report } from '../../src/domain/work.ts';
import type { Status } from '../../src/protocol/keyserver.ts';
import { AddressMask } from '../../src/server/statistics/address-mask.ts';
import { blockLine, type FinishedBlock } from '../../src/server/statistics/block-line.ts';
import { BlockLog, type BlockLogOptions } from '../../src/server/statistics/block-log.ts';
import { Rates, RateWindow, SavedRates } from '../../src/server/statistics/rates.ts';
import { RotatedFile, type Rotation } from '../../src/server/statistics/rotated-file.ts';
import { statusLines } from '../../src/server/statistics/status-line.ts';
import { parseVerbosity, TOPICS, type Topic } from '../../src/server/statistics/verbosity.ts';
import { silent, temporaryFolder } from '../helpers/keyservers.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOON = Date.UTC(2026, 10, 25, 12);

const contest = (name: string): ContestManifest => {
  const manifest = manifests.find((one) => one.name === name);
  if (manifest === undefined) throw new Error(`no contest ${name}`);
  return manifest;
};

function finished(name: string, first: number, evidence: Report['evidence'], also: Partial<FinishedBlock> = {}) {
  const report: Report = { lease: '0'.repeat(16), contest: name, first, evidence, core: `${name}-core`, seconds: 1 };
  const client = { id: '1'.repeat(16), name: 'ann@example.org', version: '0.2.0', os: 'Linux', cpu: 'x86_64' };
  return { at: NOON, client, contest: contest(name), report, ...also };
}
const keys = (units: number): Report['evidence'] =>
  Array.from({ length: units }, () => ({ kind: 'rc5', nearMatches: [] }));
const nodes = (...counts: number[]): Report['evidence'] => counts.map((nodes) => ({ kind: 'ogr', nodes }));

describe('a line of the keyblock log', () => {
  test('RC5-72: counter of the first key, 2^32 keys, the columns in order', () => {
    const block = finished('rc5-72', 0xc98e6f9ffb3, keys(256));
    expect(blockLine(block, '192.0.2.7', 'old')).toBe(
      '11/25/26 12:00:00,192.0.2.7,ann@example.org,C9:8E6F9FFB:30000000,16,Linux,x86_64,0.2.0,rc5-72-core\n',
    );
    expect(blockLine(finished('rc5-72', 0, keys(1)), '', 'new')).toMatch(
      /^2026-11-25 12:00:00,,ann@example.org,00:00000000:00000000,0.0625,/,
    );
  });

  test('shorter keys: their digits, from where the contest begins', () => {
    const key = (87_209_791n << 28n).toString(16).toUpperCase().padStart(14, '0');
    expect(blockLine(finished('rc5-56', 0, keys(1)), '', 'old')).toContain(`,${key},1,`);
  });

  test('OGR: the stub, the nodes of all units, and how many there are', () => {
    expect(blockLine(finished('ogr-29', 0, nodes(70)), '', 'old')).toContain(',29/1-2-4-5-8-10,70,');
    expect(blockLine(finished('ogr-29', 0, nodes(70, 0, 5)), '', 'old')).toContain(',29/1-2-4-5-8-10x3,75,');
  });

  test('any name is one field of one line for a reader of RFC 4180', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 64 }), (name) => {
        const client = { id: '1'.repeat(16), version: '1', name };
        const line = blockLine(finished('rc5-72', 0, keys(16), { client }), 'a', 'old');
        expect(line.indexOf('\n')).toBe(line.length - 1);
        expect(fieldsOf(line.slice(0, -1))).toEqual([
          '11/25/26 12:00:00',
          'a',
          name.replace(/\p{Cc}/gu, ' '),
          '00:00000000:00000000',
          '1',
          '',
          '',
          '1',
          'rc5-72-core',
        ]);
      }),
    );
    const named = (name: string) =>
      blockLine(finished('rc5-72', 0, keys(1), { client: { id: '1'.repeat(16), version: '1', name } }), '', 'old');
    expect(named('a "b", c\nd')).toContain(',"a ""b"", c d",');
  });
});

/** A reader of RFC 4180, a character at a time. */
function fieldsOf(line: string): string[] {
  const fields = [''];
  let inside = false;
  for (let i = 0; i < line.length; i++) {
    const c = line.charAt(i);
    if (c === '"' && inside && line[i + 1] === '"') fields.push(`${fields.pop()}${line.charAt(++i)}`);
    else if (c === '"') inside = !inside;
    else if (c === ',' && !inside) fields.push('');
    else fields.push(`${fields.pop()}${c}`);
  }
  return fields;
}

test('an address is the same hash all day, another the next day and in another process', () => {
  const mask = new AddressMask('hashed');
  const hash = mask.show('192.0.2.7', NOON);
  expect(hash).toMatch(/^[0-9a-f]{16}$/);
  expect(mask.show('::ffff:192.0.2.7', NOON + HOUR)).toBe(hash);
  expect(mask.show('192.0.2.8', NOON)).not.toBe(hash);
  expect(mask.show('192.0.2.7', NOON + DAY)).not.toBe(hash);
  expect(mask.show('192.0.2.7', NOON)).not.toBe(hash);
  expect(new AddressMask('hashed').show('192.0.2.7', NOON)).not.toBe(hash);
  expect(new AddressMask('plain').show('2001:db8::1', NOON)).toBe('2001:db8::1');
  expect(new AddressMask('none').show('192.0.2.7', NOON)).toBe('');
});

describe('files', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(() => folder.remove());

  const rotating = async (
    now: number,
    { rotation = 'daily', keep = 0 }: { rotation?: Rotation; keep?: number } = {},
  ) => {
    const errors: unknown[] = [];
    const file = new RotatedFile({
      folder: folder.path,
      name: 'blocks',
      rotation,
      ...(keep === 0 ? {} : { keep }),
      onPackError: (error) => errors.push(error),
    });
    await file.open(now);
    return { file, errors };
  };
  const write = (name: string, text: string) => writeFileSync(join(folder.path, name), text);
  const read = (name: string) => {
    const bytes = readFileSync(join(folder.path, name));
    return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString();
  };
  const names = () => readdirSync(folder.path).toSorted();

  test.each([
    ['none', 'blocks.csv'],
    ['hourly', 'blocks-2026-11-25T12.csv'],
    ['daily', 'blocks-2026-11-25.csv'],
    ['monthly', 'blocks-2026-11.csv'],
    ['yearly', 'blocks-2026.csv'],
  ] as const)('%s', async (rotation, name) => {
    const { file } = await rotating(NOON, { rotation });
    await file.append('one\n', NOON);
    await file.append('two\n', NOON + 1000);
    expect(names()).toEqual([name]);
    await file.append('three\n', NOON + 366 * DAY);
    await file.packed();
    await file.close();
    expect(names().map(read)).toEqual(rotation === 'none' ? ['one\ntwo\nthree\n'] : ['one\ntwo\n', 'three\n']);
  });

  test('no line is lost or twice, whatever the clock does and wherever it is killed and started again', async () => {
    const step = fc.record({ hours: fc.integer({ min: -30, max: 60 }), restart: fc.boolean(), torn: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        for (const name of names()) rmSync(join(folder.path, name));
        let now = NOON;
        let { file } = await rotating(now);
        for (const [i, { hours, restart, torn }] of steps.entries()) {
          await file.append(`line ${i}\n`, now);
          if (restart) {
            await file.close();
            // Half a line, as a kill in the middle of a write leaves it.
            const live = names().find((name) => name.endsWith('.csv'));
            if (torn && live !== undefined) appendFileSync(join(folder.path, live), 'hal');
          }
          now += hours * HOUR;
          if (restart) ({ file } = await rotating(now));
        }
        await file.append('last\n', now);
        await file.packed();
        await file.close();
        const lines = names().flatMap((name) => read(name).split('\n'));
        const wanted = [...steps.keys()].map((i) => `line ${i}`);
        expect(lines.filter((line) => line !== '' && line !== 'last').toSorted()).toEqual(wanted.toSorted());
        expect(names().filter((name) => name.endsWith('.csv'))).toHaveLength(1);
        expect(names().filter((name) => /rotated|partial/.test(name))).toEqual([]);
      }),
      { numRuns: 30 },
    );
  });

  test('what a crash left is packed at the next start, whichever step it came after', async () => {
    write('blocks-2026-11-22.csv', 'not rotated yet\n');
    write('blocks-2026-11-23.csv.rotated', 'not packed yet\n');
    write('blocks-2026-11-23.csv.gz.partial', 'half of it');
    write('blocks-2026-11-25.csv', 'today\n');
    write('notes.csv', 'not ours');
    const { file } = await rotating(NOON);
    await file.packed();
    write('blocks-2026-11-22.csv.rotated', 'packed, not deleted yet\n');
    const { file: again } = await rotating(NOON);
    await again.append('more\n', NOON);
    await again.packed();
    expect(names()).toEqual([
      'blocks-2026-11-22.csv.gz',
      'blocks-2026-11-23.csv.gz',
      'blocks-2026-11-25.csv',
      'notes.csv',
    ]);
    expect(read('blocks-2026-11-22.csv.gz')).toBe('not rotated yet\n');
    expect(read('blocks-2026-11-23.csv.gz')).toBe('not packed yet\n');
    expect(read('blocks-2026-11-25.csv')).toBe('today\nmore\n');
    await file.close();
    await again.close();
  });

  test('keeps the newest packed files, when told how many', async () => {
    const { file } = await rotating(NOON, { keep: 2 });
    for (let day = 0; day < 5; day++) await file.append(`day ${day}\n`, NOON + day * DAY);
    await file.packed();
    await file.close();
    expect(names()).toEqual(['blocks-2026-11-27.csv.gz', 'blocks-2026-11-28.csv.gz', 'blocks-2026-11-29.csv']);
  });

  const opened = (options: Partial<BlockLogOptions> = {}) =>
    BlockLog.open({ folder: folder.path, log: silent, clock: () => NOON, ...options });

  test('blocks logged in one go are all there, in order; their addresses are not', async () => {
    const blocks = await opened();
    for (let i = 0; i < 500; i++) blocks.log(finished('rc5-72', 16 * i, keys(16), { address: '192.0.2.7' }));
    blocks.log(finished('ogr-29', 51_775_824_208, nodes(3), { at: NOON + DAY }));
    await blocks.flush();
    await blocks.close();
    const again = await opened({ clock: () => NOON + DAY });
    await again.close();
    const lines = (name: string) => read(name).split('\n').slice(0, -1).map(fieldsOf);
    const first = names().find((name) => name.startsWith('blocks-2026-11-25')) ?? '';
    expect(lines(first).map((fields) => fields[3])).toEqual(
      Array.from({ length: 500 }, (_, i) => `00:${i.toString(16).toUpperCase().padStart(8, '0')}:00000000`),
    );
    expect(new Set(lines(first).map((fields) => fields[1])).size).toBe(1);
    expect(read(first)).not.toContain('192.0.2.7');
    expect(lines('blocks-2026-11-26.csv')[0]?.[3]).toMatch(/^29\/38-32-/);
    expect(blocks.unwritten).toBe(0);
  });

  test('a folder that cannot be written stops nothing: one warning, a count, and it goes on when it can', async () => {
    const said: [string, object][] = [];
    const log = {
      ...silent,
      info: (fields: object, text: string) => said.push([`info ${text}`, fields]),
      warn: (fields: object, text: string) => said.push([`warn ${text}`, fields]),
    };
    const path = join(folder.path, 'logs');
    writeFileSync(path, 'in the way');
    const blocks = await opened({ folder: path, log });
    for (let i = 0; i < 3; i++) {
      blocks.log(finished('rc5-72', i, keys(1)));
      await blocks.flush();
    }
    expect(blocks.unwritten).toBe(3);
    rmSync(path);
    mkdirSync(path);
    blocks.log(finished('rc5-72', 3, keys(1)));
    await blocks.close();
    expect(blocks.unwritten).toBe(3);
    expect(said).toEqual([
      [
        'warn the block log cannot be written; finished blocks are only counted',
        expect.objectContaining({ folder: path }),
      ],
      ['info the block log is written again', { unwritten: 3, folder: path }],
    ]);
    expect(readFileSync(join(path, 'blocks-2026-11-25.csv'), 'utf8').split('\n')).toHaveLength(2);
  });

  test.skipIf(!existsSync('/dev/full'))('a disk that is full: the block is counted, the next one written', async () => {
    const warnings: object[] = [];
    const log = { ...silent, warn: (fields: object) => warnings.push(fields) };
    symlinkSync('/dev/full', join(folder.path, 'blocks.csv'));
    const blocks = await opened({ rotation: 'none', log });
    for (let i = 0; i < 2; i++) {
      blocks.log(finished('rc5-72', i, keys(1)));
      await blocks.flush();
    }
    rmSync(join(folder.path, 'blocks.csv'));
    blocks.log(finished('rc5-72', 2, keys(1)));
    await blocks.close();
    expect(blocks.unwritten).toBe(2);
    expect(warnings).toEqual([{ err: expect.objectContaining({ code: 'ENOSPC' }) as unknown, folder: folder.path }]);
    expect(read('blocks.csv').split('\n')).toHaveLength(2);
  });
});

describe('verbosity', () => {
  const topics = Object.keys(TOPICS) as Topic[];
  const said = (text: string) => topics.filter(parseVerbosity(text));

  test.each([
    ['', topics],
    ['all', topics],
    ['none', []],
    ['exchanges hits', ['exchanges', 'hits']],
    ['Hits, errors', ['hits', 'errors']],
    ['all not exchanges', topics.filter((topic) => topic !== 'exchanges')],
    ['not exchanges leases', topics.filter((topic) => topic !== 'exchanges' && topic !== 'leases')],
    ['leases hits not leases', ['hits']],
    ['hits none errors', ['errors']],
    ['not all', []],
    ['errors not none', topics],
  ])('"%s"', (text, wanted) => {
    expect(said(text)).toEqual(wanted);
  });

  test('an unknown word is named, with those there are', () => {
    expect(() => parseVerbosity('all not exchange')).toThrow(
      `there is no verbosity keyword "exchange"; there are: all, none, not, ${topics.join(', ')}`,
    );
    expect(() => parseVerbosity('toString')).toThrow('"tostring"');
  });
});

test('the status line of a proxy and of a keymaster', () => {
  const state = { state: 'open' as const, hits: [] };
  const status: Status = {
    version: '0.2.0',
    startedAt: 0,
    contests: [
      { ...state, name: 'rc5-72', units: 2 ** 44, done: 123_456, leased: 500 },
      { ...state, name: 'ogr-29', units: 1000, done: 10, leased: 40, state: 'closed', closedBy: 'operator' },
    ],
    clients: { known: 1, lastHour: 1 },
    reports: { accepted: 1, duplicate: 0, refused: 0 },
    rates: { 'rc5-72': { hour: 25.1e6 / 2 ** 28, day: 1 }, 'ogr-29': { hour: 0.01, day: 0 } },
    stock: [{ contest: 'rc5-72', free: 1024, leased: 500, waiting: 3, low: 1000, high: 4096 }],
  };
  const kindOf = (name: string) => (name === 'rc5-72' ? 'rc5' : 'ogr');
  expect(statusLines(status, { kindOf, flushReports: 64 })).toEqual([
    'rc5-72 r=1,024/4,096, d=3/64, 25.1 Mkeys/s, total=123,456',
    'ogr-29 r=950/1,000, d=40, 36.0 units/h, total=10, closed',
  ]);
});

describe('rates', () => {
  const chunk = 300_000;

  test('what came evenly has the rate it came at, over any window, from the start on', () => {
    const rates = new Rates();
    for (let at = NOON; at <= NOON + DAY; at += 10_000) rates.add('rc5-72', 20, at);
    const now = NOON + DAY + 137_000;
    for (const seconds of [600, 3600, 86_400]) {
      expect(rates.unitsPerSecond('rc5-72', seconds, NOON + DAY)).toBeCloseTo(2, 1);
    }
    expect(rates.unitsPerSecond('rc5-72', 3600, now)).toBeLessThan(2);
    expect(rates.unitsPerSecond('rc5-72', 3600, now + 2 * HOUR)).toBe(0);
    expect(rates.unitsPerSecond('ogr-29', 3600, now)).toBe(0);
    const young = new Rates();
    for (let at = NOON; at <= NOON + 900_000; at += 10_000) young.add('rc5-72', 20, at);
    expect(young.unitsPerSecond('rc5-72', 86_400, NOON + 900_000)).toBeCloseTo(2, 1);
  });

  const events = fc.array(
    fc.record({
      units: fc.integer({ min: 0, max: 1000 }),
      // Mostly on; now and then far forwards or back, to before 1970 even.
      step: fc.oneof(
        { weight: 6, arbitrary: fc.integer({ min: 0, max: 2 * chunk }) },
        { weight: 1, arbitrary: fc.integer({ min: -4e12, max: 4e12 }) },
      ),
    }),
    { maxLength: 60 },
  );
  const ring = fc.integer({ min: 6, max: 40 });

  test('a clock that steps anywhere: never more than was added near there, never less than none', () => {
    fc.assert(
      fc.property(events, ring, fc.integer({ min: 60, max: 20_000 }), (events, chunks, seconds) => {
        const window = new RateWindow(chunks, 300, NOON);
        const added: { units: number; at: number }[] = [];
        let at = NOON;
        for (const { units, step } of events) {
          at += step;
          window.add(units, at);
          added.push({ units, at });
          const rate = window.unitsPerSecond(seconds, at);
          const reach = Math.min(seconds * 1000, chunks * chunk) + chunk;
          const near = added.filter((one) => one.at > at - reach && one.at < at + chunk);
          const most = near.reduce((sum, { units }) => sum + units, 0) / 60;
          expect(rate).toBeGreaterThanOrEqual(0);
          expect(rate).toBeLessThanOrEqual(most + 1e-9);
        }
      }),
    );
  });

  test('a clock that only goes on: no unit of the window is missing', () => {
    fc.assert(
      fc.property(events, ring, (events, chunks) => {
        const window = new RateWindow(chunks, 300, NOON);
        let at = NOON;
        const added = events.map(({ units, step }) => {
          at += Math.abs(step) % (3 * chunk);
          window.add(units, at);
          return { units, at };
        });
        const end = (Math.floor(at / chunk) + 1) * chunk;
        const sum = added.filter((one) => one.at >= end - chunks * chunk).reduce((sum, { units }) => sum + units, 0);
        const seconds = Math.min(chunks * 300, (end - NOON) / 1000);
        expect(window.unitsPerSecond(chunks * 300, end)).toBeCloseTo(sum / seconds, 6);
      }),
    );
  });

  test('kept as JSON and taken up again, it tells the same', () => {
    fc.assert(
      fc.property(events, (events) => {
        const rates = new Rates({ chunks: 12 });
        let at = NOON;
        for (const { units, step } of events) rates.add('rc5-72', units, (at += step));
        const saved: unknown = JSON.parse(JSON.stringify(rates));
        const again = Rates.from(Value.Parse(SavedRates, saved), { chunks: 12 });
        for (const seconds of [60, 1000, 3600]) {
          expect(again.unitsPerSecond('rc5-72', seconds, at)).toBeCloseTo(
            rates.unitsPerSecond('rc5-72', seconds, at),
            9,
          );
        }
      }),
    );
  });

  test('options out of range, and what is no number of units, are refused', () => {
    expect(() => new Rates({ chunks: 5 })).toThrow('chunks must be a whole number from 6 to 2016, not 5');
    expect(() => new Rates({ chunkSeconds: 1801 })).toThrow('chunkSeconds must be');
    expect(() => new Rates().add('rc5-72', Number.NaN, NOON)).toThrow('NaN is no number of units');
  });
});
