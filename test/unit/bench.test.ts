/** The bench's parts that need no time: statistics, what dnetc prints, apt's sources. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { benchStubs } from '../../src/bench/stubs.ts';
import { openDeb822, openOneLine } from '../../src/cli/bench/apt-sources.ts';
import { type Contender, takeTurns } from '../../src/cli/bench/contenders.ts';
import { parseRate, parseVersion } from '../../src/cli/bench/dnetc.ts';
import { rc5Blocks, rc5Evidence } from '../../src/cli/bench/keyserver/contests.ts';
import { openLoad } from '../../src/cli/bench/keyserver/load.ts';
import { randomOf } from '../../src/cli/bench/random.ts';
import { medianRatio, quantiles, summary } from '../../src/cli/bench/statistics.ts';
import { rc5 } from '../../src/contests/rc5/rc5.ts';
import rows from '../vectors/ogr.json' with { type: 'json' };

describe('statistics', () => {
  test('an odd and an even number of values, in any order', () => {
    expect(summary([3, 1, 2])).toEqual({ median: 2, least: 1, most: 3, quartiles: [1.5, 2.5] });
    expect(summary([10, 4, 2, 8])).toEqual({ median: 6, least: 2, most: 10, quartiles: [3.5, 8.5] });
    expect(summary([7])).toEqual({ median: 7, least: 7, most: 7, quartiles: [7, 7] });
    expect(() => summary([])).toThrow(RangeError);
  });

  test('a ratio is taken repeat by repeat', () => {
    // The machine is half as fast in the second repeat; the ratio does not care.
    expect(medianRatio([10, 5, 12], [5, 2.5, 6])).toBe(2);
    expect(medianRatio([], [1])).toBeUndefined();
    expect(medianRatio([1, 2, 3], [1])).toBe(1);
  });
});

test('contenders take turns, forwards and backwards; one that fails is left out from then on', async () => {
  const turns: string[] = [];
  const contender = (name: string, last = Number.POSITIVE_INFINITY): Contender => ({
    kind: 'rc5',
    place: 'here',
    name,
    rates: [],
    shares: [],
    async measure() {
      turns.push(name);
      if (turns.filter((turn) => turn === name).length > last) throw new Error(`${name} is tired`);
      return { rate: turns.length, share: 1 };
    },
  });
  const contenders = [contender('a'), contender('b', 1), contender('c')];
  const failed = await takeTurns(contenders, 3, () => {});
  // abc, cba, ac.
  expect(turns.join('')).toBe('abccbaac');
  expect(contenders.map(({ rates }) => rates)).toEqual([[1, 6, 7], [2], [3, 4, 8]]);
  expect(failed.map(({ contender, reason }) => [contender.name, reason])).toEqual([['b', 'b is tired']]);
});

describe('what dnetc prints', () => {
  const head = `
distributed.net client for Linux Copyright 1997-2016, distributed.net
Please visit http://www.distributed.net/ for up-to-date contest information.
Start the client with '-help' for a list of valid command line options.


dnetc v2.9112-521-CFR-16020313 for Linux (Linux 6.1.0-35-amd64).
Please provide the *entire* version descriptor when submitting bug reports.
The distributed.net bug report pages are at http://bugs.distributed.net/

`;
  const foot = `[Nov 24 22:51:10 UTC] Compare and share your rates in the speeds database at
                      http://www.distributed.net/speed/
                      (benchmark rates are for a single processor core)
`;

  test('RC5-72', () => {
    const said = `${head}[Nov 24 22:50:51 UTC] Automatic processor type detection did not
                      recognize the processor (tag: "4001A021")
[Nov 24 22:51:10 UTC] RC5-72: using core #1 (KBE-64 3-pipe).
[Nov 24 22:51:27 UTC] RC5-72: Benchmark for core #1 (KBE-64 3-pipe)
                      0.00:00:13.25 [21,885,436 keys/sec]
${foot}`;
    expect(parseRate(said)).toEqual({ core: 1, name: 'KBE-64 3-pipe', rate: 21_885_436 });
    expect(parseVersion(said)).toBe('dnetc v2.9112-521-CFR-16020313');
  });

  test('OGR-NG', () => {
    const said = `${head}[Nov 24 22:50:51 UTC] OGR-NG: using core #0 (FLEGE-64 2.0).
[Nov 24 22:51:10 UTC] OGR-NG: Benchmark for core #0 (FLEGE-64 2.0)
                      0.00:00:16.55 [72,865,078 nodes/sec]
${foot}`;
    expect(parseRate(said)).toEqual({ core: 0, name: 'FLEGE-64 2.0', rate: 72_865_078 });
  });

  test('no such core', () => {
    expect(parseRate(`${head}dnetc: Core #14 doesn't exist for contest "rc5-72".\n`)).toBeUndefined();
  });
});

describe("apt's sources with the component that has dnetc", () => {
  test('a line a source', () => {
    expect(
      openOneLine(`# main archive
deb http://mirror.example/debian bookworm main contrib # as installed
deb [arch=amd64 signed-by=/usr/share/keyrings/x.gpg] https://mirror.example/debian bookworm-updates main non-free
deb-src http://mirror.example/debian bookworm main
deb http://mirror.example/ubuntu noble main universe
deb http://mirror.example/flat ./
`),
    ).toBe(`deb http://mirror.example/debian bookworm main contrib non-free
deb [arch=amd64 signed-by=/usr/share/keyrings/x.gpg] https://mirror.example/debian bookworm-updates main non-free
deb http://mirror.example/ubuntu noble main universe multiverse
`);
  });

  test('stanzas', () => {
    expect(
      openDeb822(`Types: deb deb-src
# an old snapshot
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBGA
 -----END PGP PUBLIC KEY BLOCK-----

Enabled: no
Types: deb
URIs: http://mirror.example/other
Suites: bookworm
Components: main


Types: deb-src
URIs: http://mirror.example/debian
Suites: bookworm
Components: main

Types: deb
URIs: http://mirror.example/flat
Suites: ./
`),
    ).toBe(`Types: deb
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main non-free
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBGA
 -----END PGP PUBLIC KEY BLOCK-----
`);
  });
});

test('a stub that distributed.net published has the count that it published', () => {
  const published = new Map(rows.ogr_ng_selftest.map((row) => [row.diffs.join('-'), row]));
  const known = benchStubs.filter(({ diffs }) => published.has(diffs.join('-')));
  expect(known).toHaveLength(2);
  for (const stub of known) {
    const { marks, max_length, nodes, found } = published.get(stub.diffs.join('-')) ?? {};
    expect({ marks, max_length, nodes, found }).toEqual({
      ...stub,
      diffs: undefined,
      own_nodes: undefined,
      found: false,
    });
  }
  // One contest: a change of it would make a core expand its tables within what is timed.
  expect(new Set(benchStubs.map(({ marks, max_length }) => `${marks}/${max_length}`)).size).toBe(1);
});

test('quantiles, in the order asked for, of values in any order', () => {
  const values = Array.from({ length: 101 }, (_, i) => (i * 37) % 101);
  expect(quantiles(values, [0.99, 0.5, 1, 0])).toEqual([99, 50, 100, 0]);
});

describe('an open load', () => {
  /** Answers one request at a time, each `service` milliseconds after it began. */
  const slow = (service: number) => ({
    post: async () => {
      await sleep(service);
      return '';
    },
  });
  const senders = { next: () => ({ body: '', took() {} }) };

  test('counts an exchange from when it was due, not from when it could be sent', async () => {
    // A hundred a second at one connection that takes twice as long for each: the line grows all the time.
    const connections = [slow(20)] as never;
    const { latencies } = await openLoad(connections, senders, { rate: 100, seconds: 0.5, random: randomOf(1) });
    expect(latencies.length).toBeGreaterThan(25);
    expect(latencies.at(-1)).toBeGreaterThan(10 * (latencies[0] ?? 0));
  });

  test('fails where an exchange fails', async () => {
    const connections = [{ post: () => Promise.reject(new Error('no')) }] as never;
    const load = openLoad(connections, senders, { rate: 1000, seconds: 0.1, random: randomOf(1) });
    await expect(load).rejects.toThrow('no');
  });
});

test("the RC5 evidence that the keyserver's bench hands in is true", () => {
  for (const [unit, evidence] of rc5Evidence.entries()) {
    const report = { lease: '', contest: rc5Blocks.name, first: unit, evidence: [evidence], core: '', seconds: 1 };
    expect(rc5.verify(rc5Blocks, report)).toEqual({ ok: true, hits: [] });
  }
});
