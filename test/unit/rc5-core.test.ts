/** Every RC5 kernel against the published rows, its slow twin, the other kernels, and itself under every slicing. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { manifests } from '../../src/contests/manifests.ts';
import { firstBlocks } from '../../src/contests/rc5/keys.ts';
import { rc5Search } from '../../src/contests/rc5/rc5.ts';
import { catalogue } from '../../src/cores/catalogue.ts';
import rows from '../../src/cores/rc5/known-answers.json' with { type: 'json' };
import { rc5Difference } from '../../src/cores/rc5/known-answers.ts';
import type { ContestManifest } from '../../src/domain/contest.ts';
import { KEYS_PER_UNIT, type UnitCheckpoint } from '../../src/domain/work.ts';
import { rc5Cores } from '../helpers/cores.ts';
import { encrypt, keyOf, search } from '../reference/rc5.ts';
import near from '../vectors/rc5-near-matches.json' with { type: 'json' };

/** Low bits that must agree: few, so that a few thousand keys hold several matches. */
const MASK = 0xff;
const word = fc.integer({ min: 0, max: 0xffffffff });
/** More keys than any core tries at once. */
const BATCH = 32;

const manifest = manifests.find(({ name }) => name === 'rc5-56') as ContestManifest;
const openContest = manifests.find(({ name }) => name === 'rc5-72') as ContestManifest;

/** Unit 5 holds the answer; all of its 2^28 keys would take a while, so the tests look at its last stretch. */
const answer = { unit: 5, offset: 0xcc20999 };
const at = (keysDone: number): UnitCheckpoint => ({ format: 'rc5-1', unit: answer.unit, keysDone, nearMatches: [] });

test('the tests know every core of the catalogue', () => {
  const names = catalogue.filter(({ kind }) => kind === 'rc5').map(({ name }) => name);
  expect(rc5Cores.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
});

describe.each(rc5Cores)('$name', ({ module, kernel: makeKernel, core }) => {
  const kernel = makeKernel();

  function kernelSearch(counter: bigint, b: number, count: number, plain: [number, number], target: number): number[] {
    kernel.begin({ key: Uint8Array.from(keyOf(counter, b)), plain, target, mask: MASK });
    return kernel.search(count).offsets;
  }

  test('the wasm imports nothing', () => {
    expect(WebAssembly.Module.imports(module)).toEqual([]);
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

  describe('against the slow twin', () => {
    for (const b of [7, 8, 9]) {
      test(`b = ${b}: random starts and lengths, odd ones too, plaintexts, targets`, () => {
        const start = fc.bigInt({ min: 0n, max: (1n << BigInt(8 * b)) - 1000n });
        const count = fc.integer({ min: 1, max: 240 });
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

    test('every lane finds its key, and no other does', () => {
      for (let lane = 0; lane < BATCH; lane++) {
        const [target] = encrypt(keyOf(4096n + BigInt(lane), 9), [3, 4]);
        kernel.begin({ key: Uint8Array.from(keyOf(4096n, 9)), plain: [3, 4], target, mask: 0xffffffff });
        expect(kernel.search(BATCH).offsets, `lane ${lane}`).toEqual([lane]);
      }
    });

    test('goes on from where it stopped, whatever the lengths', () => {
      const counter = 0xffff_fffd_1234_5678_9bn;
      const slow = search(counter, 9, 3000, [5, 6], 0x42, MASK);
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1 }), (lengths) => {
          kernel.begin({ key: Uint8Array.from(keyOf(counter, 9)), plain: [5, 6], target: 0x42, mask: MASK });
          const found: number[] = [];
          let done = 0;
          for (const length of [...lengths, 3000]) {
            if (done >= 3000) break;
            const { tried, offsets } = kernel.search(Math.min(length, 3000 - done));
            found.push(...offsets.map((offset) => done + offset));
            done += tried;
          }
          expect(found).toEqual(slow);
        }),
        { numRuns: 40 },
      );
    });
  });

  describe('bad input', () => {
    test('is refused by name', () => {
      const run = { plain: [0, 0] as const, target: 0, mask: 0 };
      expect(() => kernel.begin({ ...run, key: new Uint8Array(5) })).toThrow(/5 bytes/);
    });

    test('more matches than there is room for: stops early, loses none', () => {
      kernel.begin({ key: new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 3]), plain: [0, 0], target: 0, mask: 0 });
      let done = 0;
      for (let calls = 0; done < 10_000; calls++) {
        expect(calls).toBeLessThan(4);
        const { tried, offsets } = kernel.search(10_000 - done);
        expect(offsets).toEqual(Array.from({ length: tried }, (_, i) => i));
        done += tried;
      }
    });
  });

  describe('a unit', () => {
    test('ends exactly at its last key, and its evidence is its near matches', () => {
      const done = 2 ** 28 - 1000;
      const last = core().open(manifest, 0, { format: 'rc5-1', unit: 0, keysDone: done, nearMatches: [7] });
      expect(last.run(999)).toBe(false);
      expect(last.run(1_000_000)).toBe(true);
      expect(last.steps).toBe(2 ** 28);
      expect(last.fraction).toBe(1);
      expect(last.evidence()).toEqual({ kind: 'rc5', nearMatches: [7] });
    });

    test('refuses a checkpoint of another unit or another kind', () => {
      expect(() => core().open(manifest, 1, at(0))).toThrow(/unit 5: rc5-1 of unit 1 wanted/);
      expect(() => core().open(manifest, 1, { format: 'ogr-3', unit: 1, nodes: 0, diffs: [] })).toThrow(/ogr-3/);
    });
  });

  test('the near matches of the first 2^24 keys of a unit are those known, each verified by encryption', () => {
    const [unit, offsets] = Object.entries(near.units)[0] ?? ['', []];
    const first = Number(unit) - rc5Search(manifest).firstUnit;
    const search = core().open(manifest, first);
    search.run(2 ** 24);
    const checkpoint = search.checkpoint();
    const nearMatches = checkpoint.format === 'rc5-1' ? checkpoint.nearMatches : [];
    expect(nearMatches).toEqual(offsets.filter((offset) => offset < 2 ** 24));
    expect(nearMatches.length).toBeGreaterThan(0);
    const { plain, near: target } = firstBlocks(rc5Search(manifest));
    for (const offset of offsets) {
      const key = keyOf(BigInt(unit) * BigInt(KEYS_PER_UNIT) + BigInt(offset), 7);
      expect((encrypt(key, [plain[0], plain[1]])[0] ^ target) & 0xffffff).toBe(0);
    }
  });
});

test('a unit is sliced anywhere, each slice by another core from the checkpoint alone, without a difference', () => {
  const from = answer.offset - 40_001;
  const [plain] = rc5Cores;
  if (plain === undefined) throw new Error('no cores');
  const whole = plain.core().open(manifest, answer.unit, at(from));
  whole.run(120_000);
  const found = whole.checkpoint();
  expect(found).toMatchObject({ nearMatches: expect.arrayContaining([answer.offset]) as unknown });
  const slice = fc.record({ budget: fc.integer({ min: 1, max: 50_000 }), core: fc.nat(rc5Cores.length - 1) });
  fc.assert(
    fc.property(fc.array(slice, { minLength: 1, maxLength: 12 }), (slices) => {
      let checkpoint = at(from);
      const end = from + 120_000;
      for (const { budget, core } of [...slices, { budget: 120_000, core: 1 }]) {
        const done = checkpoint.format === 'rc5-1' ? checkpoint.keysDone : 0;
        if (done >= end) break;
        const search = (rc5Cores[core] ?? plain).core().open(manifest, answer.unit, structuredClone(checkpoint));
        search.run(Math.min(budget, end - done));
        checkpoint = search.checkpoint();
      }
      expect(checkpoint).toEqual(found);
    }),
    { numRuns: 25 },
  );
});

test('the near matches in a quarter of a random unit of rc5-72 are the same to every core', {
  timeout: 120_000,
}, () => {
  const unit = Math.floor(Math.random() * 2 ** 44);
  const [wanted, ...others] = rc5Cores.map(({ name, core }) => {
    const search = core().open(openContest, unit);
    // In slices: V8 runs a kernel's first long call to its end in code that it has not optimised yet.
    while (search.steps < 2 ** 26) search.run(2 ** 20);
    return { name, evidence: search.evidence() };
  });
  for (const { name, evidence } of others) expect(evidence, `${name}, unit ${unit}`).toEqual(wanted?.evidence);
});
