/** What each selection policy of RFC 5356 promises, of thousands of selections at fixed seeds. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { POLICY_NAMES, type Policy, type PolicyName } from '../../src/protocol/pools.ts';
import { type Selectable, Selector } from '../../src/protocol/selection.ts';
import { chiSquared } from '../helpers/chi-squared.ts';

const plain: Policy = { kind: 'round-robin', weight: 1, priority: 0, degradation: 0 };

const element = (id: number, load = 0, policy: Partial<Policy> = {}): Selectable => ({
  id,
  load,
  policy: { ...plain, ...policy },
});

const loads = (...loads: number[]): Selectable[] => loads.map((load, n) => element(n + 1, load));
const weights = (...weights: number[]): Selectable[] => weights.map((weight, n) => element(n + 1, 0, { weight }));

/** mulberry32: the same numbers in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How often each was selected, in the order of `elements`. */
function counts(policy: PolicyName, elements: readonly Selectable[], times: number, seed = 1): number[] {
  const selector = new Selector();
  const random = seeded(seed);
  const count = new Map(elements.map(({ id }) => [id, 0]));
  for (let n = 0; n < times; n++) {
    const [first] = selector.select(policy, elements, 3, { random });
    if (first !== undefined) count.set(first.id, (count.get(first.id) ?? 0) + 1);
  }
  return [...count.values()];
}

/** Of chi-squared with 4 degrees of freedom, one in a thousand is more. */
const CHI_4 = 18.47;

const anyElements = fc
  .uniqueArray(
    fc.record({
      id: fc.integer({ min: 1, max: 0xffff_ffff }),
      load: fc.double({ min: 0, max: 1, noNaN: true }),
      policy: fc.record({
        kind: fc.constantFrom(...POLICY_NAMES),
        weight: fc.integer({ min: 1, max: 1000 }),
        priority: fc.integer({ min: 0, max: 1000 }),
        degradation: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
    }),
    { selector: ({ id }) => id, maxLength: 12 },
  )
  .map((elements) => elements.toSorted((a, b) => a.id - b.id));

test('whatever the policy, it selects as many as there are, up to the count, and each once', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...POLICY_NAMES),
      fc.array(fc.tuple(anyElements, fc.integer({ min: 1, max: 10 })), { minLength: 1, maxLength: 10 }),
      fc.integer(),
      (policy, rounds, seed) => {
        // One selector, while elements come and go.
        const selector = new Selector();
        const random = seeded(seed);
        for (const [elements, count] of rounds) {
          const selected = selector.select(policy, elements, count, { random, distance: (id) => id % 100 });
          expect(selected).toHaveLength(Math.min(count, elements.length));
          expect(new Set(selected).size).toBe(selected.length);
          expect(elements).toEqual(expect.arrayContaining(selected));
        }
      },
    ),
  );
});

describe('round robin', () => {
  test('is even to one at every moment, and lists those whose turn is next', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 200 }), (count, times) => {
        const selected = counts('round-robin', loads(...Array<number>(count).fill(0)), times);
        expect(Math.max(...selected) - Math.min(...selected)).toBeLessThanOrEqual(1);
      }),
    );
    const selector = new Selector();
    const lists = [1, 2, 3].map(() =>
      selector.select('round-robin', loads(0, 0, 0), 2, { random: Math.random }).map(({ id }) => id),
    );
    expect(lists).toEqual([
      [1, 2],
      [2, 3],
      [3, 1],
    ]);
  });

  test('goes on behind one that has left', () => {
    const selector = new Selector();
    const first = (...ids: number[]): number | undefined =>
      selector.select(
        'round-robin',
        ids.map((id) => element(id)),
        1,
        { random: Math.random },
      )[0]?.id;
    expect([first(1, 2, 3), first(1, 2, 3), first(1, 3), first(1, 3)]).toEqual([1, 2, 3, 1]);
  });
});

describe('weighted round robin', () => {
  test('gives each its weight exactly in every full turn, and is never far from it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 3 }),
        (given, turns) => {
          const turn = given.reduce((sum, weight) => sum + weight, 0);
          expect(counts('weighted-round-robin', weights(...given), turns * turn)).toEqual(
            given.map((weight) => turns * weight),
          );
        },
      ),
    );
  });

  test('gives one that comes later its weight from then on, and one whose weight changes', () => {
    const selector = new Selector();
    const count = (given: number[], times: number): number[] => {
      const selected = given.map(() => 0);
      for (let n = 0; n < times; n++) {
        const [one] = selector.select('weighted-round-robin', weights(...given), 1, { random: Math.random });
        if (one !== undefined) selected[one.id - 1] = (selected[one.id - 1] ?? 0) + 1;
      }
      return selected;
    };
    expect(count([1, 1], 100)).toEqual([50, 50]);
    expect(count([1, 1, 2], 400)).toEqual([100, 100, 200]);
    expect(count([3, 1, 2], 600)).toEqual([300, 100, 200]);
    expect(count([3, 1], 400)).toEqual([300, 100]);
  });

  test('mixes them: a heavy one does not get its share in one go', () => {
    const selector = new Selector();
    const order = Array.from(
      { length: 7 },
      () => selector.select('weighted-round-robin', weights(5, 1, 1), 1, { random: Math.random })[0]?.id,
    );
    expect(order.join('')).not.toContain('11111');
  });
});

describe('the random ones', () => {
  test('random: each as often', () => {
    const selected = counts('random', loads(0, 0.2, 0.4, 0.6, 0.8), 5000);
    expect(chiSquared(selected, [1, 1, 1, 1, 1])).toBeLessThan(CHI_4);
  });

  test('weighted random: each by its weight', () => {
    const given = [1, 2, 3, 4, 10];
    const selected = counts('weighted-random', weights(...given), 5000);
    expect(chiSquared(selected, given)).toBeLessThan(CHI_4);
    // The test can tell: it is not even.
    expect(chiSquared(selected, [1, 1, 1, 1, 1])).toBeGreaterThan(100 * CHI_4);
  });

  test('randomised least used: each by what it has free, the full one hardly ever', () => {
    const given = [0, 0.25, 0.5, 0.75, 0.9];
    const selected = counts('randomized-least-used', loads(...given), 5000);
    const free = given.map((load) => 1 - load);
    expect(chiSquared(selected, free)).toBeLessThan(CHI_4);
    const [, full = 0] = counts('randomized-least-used', loads(0, 1), 5000);
    expect(full).toBeLessThan(50);
  });
});

describe('priority', () => {
  test('the highest has all, equals take turns', () => {
    const elements = [1, 7, 3, 7].map((priority, n) => element(n + 1, 0, { priority }));
    expect(counts('priority', elements, 100)).toEqual([0, 50, 0, 50]);
  });
});

describe('by load', () => {
  test('least used: nobody who is selected has more load than anybody left out', () => {
    fc.assert(
      fc.property(anyElements, fc.integer({ min: 1, max: 8 }), (elements, count) => {
        const selected = new Selector().select('least-used', elements, count, { random: Math.random });
        const rest = elements.filter((one) => !selected.includes(one));
        const most = Math.max(0, ...selected.map(({ load }) => load));
        expect(rest.every(({ load }) => load >= most)).toBe(true);
        expect(selected.map(({ load }) => load)).toEqual(selected.map(({ load }) => load).toSorted((a, b) => a - b));
      }),
    );
  });

  test('least used: all go to one until it tells another load; equals take turns', () => {
    expect(counts('least-used', loads(0.3, 0.1, 0.2), 90)).toEqual([0, 90, 0]);
    expect(counts('least-used', loads(0.1, 0.5, 0.1), 90)).toEqual([45, 0, 45]);
  });

  test('least used with degradation: users spread while loads are told no anew, as far as their loads allow', () => {
    const degradation = 0.01;
    const elements = [0.1, 0.1, 0.2].map((load, n) => element(n + 1, load, { degradation }));
    // 0.10 and 0.10 fill up to 0.20 with ten each; from there on all three in turn.
    expect(counts('least-used-degradation', elements, 20)).toEqual([10, 10, 0]);
    const [a = 0, b = 0, c = 0] = counts('least-used-degradation', elements, 80);
    for (const [count, expected] of [
      [a, 30],
      [b, 30],
      [c, 20],
    ] as const) {
      expect(Math.abs(count - expected)).toBeLessThanOrEqual(1);
    }
  });

  test('least used with degradation: a load that was told anew counts as it is, and the same one too', () => {
    const selector = new Selector();
    const select = (elements: Selectable[]): number | undefined =>
      selector.select('least-used-degradation', elements, 1, { random: Math.random })[0]?.id;
    const [a, b] = [element(1, 0, { degradation: 0.5 }), element(2, 0.1, { degradation: 0.5 })];
    expect([select([a, b]), select([a, b])]).toEqual([1, 2]);
    expect(select([element(1, 0.05, { degradation: 0.5 }), b])).toBe(1);
    expect(select([element(1, 0.05, { degradation: 0.5 }), b])).toBe(1);
    // Whoever comes and goes beside it makes no difference.
    expect(select([b, element(3, 0.65)])).toBe(2);
    expect(select([b, element(3, 0.65), element(4, 0.7)])).toBe(3);
  });

  test('priority least used: the load that it would have with one more counts', () => {
    const elements = [element(1, 0.1, { degradation: 0.5 }), element(2, 0.3, { degradation: 0.1 })];
    expect(new Selector().select('priority-least-used', elements, 2, { random: Math.random })[0]?.id).toBe(2);
    expect(new Selector().select('least-used', elements, 2, { random: Math.random })[0]?.id).toBe(1);
  });
});

describe('nearest', () => {
  const select = (distances: Record<number, number>, elements: Selectable[]): number[] =>
    new Selector()
      .select('nearest', elements, 9, { random: Math.random, distance: (id) => distances[id] })
      .map(({ id }) => id);

  test('of equal load the nearest, of equal distance the least used', () => {
    expect(select({ 1: 80, 2: 20, 3: 50 }, loads(0.1, 0.1, 0.1))).toEqual([2, 3, 1]);
    expect(select({ 1: 50, 2: 50, 3: 50 }, loads(0.3, 0.1, 0.2))).toEqual([2, 3, 1]);
  });

  test('half a second counts as a load from nothing to the full', () => {
    expect(select({ 1: 0, 2: 240 }, loads(0.5, 0))).toEqual([2, 1]);
    expect(select({ 1: 0, 2: 260 }, loads(0.5, 0))).toEqual([1, 2]);
  });
});
