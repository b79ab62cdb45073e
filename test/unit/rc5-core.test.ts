/** The RC5 kernel against the published rows, its slow twin, and itself under every slicing. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { manifests } from '../../src/contests/manifests.ts';
import { firstBlocks } from '../../src/contests/rc5/keys.ts';
import { rc5Search } from '../../src/contests/rc5/rc5.ts';
import rows from '../../src/cores/rc5/known-answers.json' with { type: 'json' };
import { rc5Difference } from '../../src/cores/rc5/known-answers.ts';
import type { ContestManifest } from '../../src/domain/contest.ts';
import { KEYS_PER_UNIT, type UnitCheckpoint } from '../../src/domain/work.ts';
import { rc5Core, rc5Kernel, rc5Module } from '../helpers/cores.ts';
import { encrypt, keyOf, search } from '../reference/rc5.ts';
import near from '../vectors/rc5-near-matches.json' with { type: 'json' };

const kernel = rc5Kernel();

test('the wasm imports nothing', () => {
  expect(WebAssembly.Module.imports(rc5Module)).toEqual([]);
});

describe('known answers: distributed.net selftest rows and the solved challenges', () => {
  for (const row of rows.selftest) {
    test(`row ${row.test}`, () => expect(rc5Difference(kernel, row)).toBeUndefined());
  }

  test('a wrong row is told apart', () => {
    const [row] = rows.selftest;
    if (row === undefined) throw new Error('no rows');
    expect(rc5Difference(kernel, { ...row, expect: -1 })).toMatch(/instead of/);
    expect(rc5Difference(kernel, { ...row, cipher_lo: '00000000' })).toMatch(/found nothing/);
  });
});

/** Low bits that must agree: few, so that a few thousand keys hold several matches. */
const MASK = 0xff;
const word = fc.integer({ min: 0, max: 0xffffffff });

function kernelSearch(counter: bigint, b: number, count: number, plain: [number, number], target: number): number[] {
  kernel.begin({ key: Uint8Array.from(keyOf(counter, b)), plain, target, mask: MASK });
  return kernel.search(count).offsets;
}

describe('against the slow twin', () => {
  for (const b of [7, 8, 9]) {
    test(`b = ${b}: random starts, lengths, plaintexts`, () => {
      const start = fc.bigInt({ min: 0n, max: (1n << BigInt(8 * b)) / 4n - 1000n }).map((n) => n * 4n);
      const count = fc.integer({ min: 1, max: 60 }).map((n) => n * 4);
      fc.assert(
        fc.property(start, count, word, word, word, (counter, keys, lo, hi, target) => {
          const slow = search(counter, b, keys, [lo, hi], target, MASK);
          expect(kernelSearch(counter, b, keys, [lo, hi], target)).toEqual(slow);
        }),
        { numRuns: 60 },
      );
    });

    test(`b = ${b}: every carry of the key counter`, () => {
      for (let byte = 1; byte < b; byte++) {
        const counter = (0x5an << BigInt(8 * byte)) - 64n;
        const slow = search(counter, b, 128, [1, 2], 0x77, MASK);
        expect(kernelSearch(counter, b, 128, [1, 2], 0x77), `carry into byte ${byte}`).toEqual(slow);
      }
    });
  }

  test('every lane finds its key', () => {
    for (let lane = 0; lane < 4; lane++) {
      const [target] = encrypt(keyOf(4000n + BigInt(lane), 9), [3, 4]);
      kernel.begin({ key: Uint8Array.from(keyOf(4000n, 9)), plain: [3, 4], target, mask: 0xffffffff });
      expect(kernel.search(4).offsets).toEqual([lane]);
    }
  });
});

describe('bad input', () => {
  test('is refused by name', () => {
    const run = { plain: [0, 0] as const, target: 0, mask: 0 };
    expect(() => kernel.begin({ ...run, key: new Uint8Array(5) })).toThrow(/5 bytes/);
    expect(() => kernel.begin({ ...run, key: new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 9]) })).toThrow(/multiple of 4/);
  });

  test('more matches than there is room for: stops early, loses none', () => {
    const key = new Uint8Array(9);
    kernel.begin({ key, plain: [0, 0], target: 0, mask: 0 });
    const first = kernel.search(10_000);
    expect(first.tried).toBe(4096);
    expect(first.offsets).toHaveLength(4096);
    expect(kernel.search(10_000 - 4096).tried).toBe(4096);
  });
});

describe('a unit', () => {
  const manifest = manifests.find(({ name }) => name === 'rc5-56') as ContestManifest;
  /** Unit 5 holds the answer; all of its 2^28 keys would take a while, so the tests look at its last stretch. */
  const answer = { unit: 5, offset: 0xcc20999 };
  const near = (offset: number): UnitCheckpoint => ({
    format: 'rc5-1',
    unit: answer.unit,
    keysDone: offset,
    nearMatches: [],
  });

  test('is sliced and resumed anywhere without a difference', () => {
    const from = answer.offset - (answer.offset % 4) - 40_000;
    const whole = rc5Core().open(manifest, answer.unit, near(from));
    whole.run(120_000);
    const found = whole.checkpoint();
    expect(found).toMatchObject({ nearMatches: expect.arrayContaining([answer.offset]) as unknown });
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 50_000 }), { minLength: 1, maxLength: 12 }), (budgets) => {
        let checkpoint = near(from);
        const end = from + 120_000;
        for (const budget of [...budgets, 120_000]) {
          const done = checkpoint.format === 'rc5-1' ? checkpoint.keysDone : 0;
          if (done >= end) break;
          // Each slice on a core of its own, from the checkpoint alone, as after a crash.
          const search = rc5Core().open(manifest, answer.unit, structuredClone(checkpoint));
          search.run(Math.min(budget, end - done));
          checkpoint = search.checkpoint();
        }
        expect(checkpoint).toEqual(found);
      }),
      { numRuns: 25 },
    );
  });

  test('ends exactly at its last key, and its evidence is its near matches', () => {
    const last = rc5Core().open(manifest, 0, { format: 'rc5-1', unit: 0, keysDone: 2 ** 28 - 1000, nearMatches: [7] });
    expect(last.run(996)).toBe(false);
    expect(last.run(1_000_000)).toBe(true);
    expect(last.steps).toBe(2 ** 28);
    expect(last.fraction).toBe(1);
    expect(last.evidence()).toEqual({ kind: 'rc5', nearMatches: [7] });
  });

  test('refuses a checkpoint of another unit or another kind', () => {
    const core = rc5Core();
    expect(() => core.open(manifest, 1, near(0))).toThrow(/unit 5: rc5-1 of unit 1 wanted/);
    expect(() => core.open(manifest, 1, { format: 'ogr-2', unit: 1, nodes: 0, diffs: [] })).toThrow(/ogr-2/);
  });
});

test('the near matches of the first 2^25 keys of a unit are those known, each verified by encryption', () => {
  const manifest = manifests.find(({ name }) => name === 'rc5-56') as ContestManifest;
  const [unit, offsets] = Object.entries(near.units)[0] ?? ['', []];
  const first = Number(unit) - rc5Search(manifest).firstUnit;
  const search = rc5Core().open(manifest, first);
  search.run(2 ** 25);
  const checkpoint = search.checkpoint();
  const nearMatches = checkpoint.format === 'rc5-1' ? checkpoint.nearMatches : [];
  expect(nearMatches).toEqual(offsets.filter((offset) => offset < 2 ** 25));
  expect(nearMatches.length).toBeGreaterThan(0);
  const { plain, target } = firstBlocks(rc5Search(manifest));
  for (const offset of offsets) {
    const key = keyOf(BigInt(unit) * BigInt(KEYS_PER_UNIT) + BigInt(offset), 7);
    expect((encrypt(key, [plain[0], plain[1]])[0] ^ target[0]) & 0xffffff).toBe(0);
  }
});
