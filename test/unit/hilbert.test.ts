/** The curve of the picture: each place once, neighbours beside each other, at every scale the same. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { cover, indexOf, quadAt, quarterOf, ROOT, shareOf, walk } from '../../src/app/picture/hilbert.ts';

const someDepth = fc.integer({ min: 1, max: 26 });
const somePlace = someDepth.chain((depth) =>
  fc.record({ depth: fc.constant(depth), index: fc.maxSafeNat().map((n) => n % 4 ** depth) }),
);
const everywhere = () => true;

test('a place of the line and a square of the map are one to one', () => {
  fc.assert(
    fc.property(somePlace, ({ depth, index }) => {
      const quad = quadAt(index, depth);
      expect(Math.max(quad.x, quad.y)).toBeLessThan(2 ** depth);
      expect(indexOf(quad)).toBe(index);
    }),
  );
});

test('neighbours on the line share a side', () => {
  fc.assert(
    fc.property(somePlace, ({ depth, index }) => {
      fc.pre(index > 0);
      const [a, b] = [quadAt(index - 1, depth), quadAt(index, depth)];
      expect(Math.abs(a.x - b.x) + Math.abs(a.y - b.y)).toBe(1);
    }),
  );
});

const someSub = fc.nat({ max: 4 ** 14 - 1 });

test('a quad holds its quarters, and all below them, as deep as 2^72 keys go', () => {
  fc.assert(
    fc.property(somePlace, fc.integer({ min: 0, max: 3 }), someSub, ({ depth, index }, nth, sub) => {
      const quad = quadAt(index, depth);
      const quarter = quarterOf(quad, nth);
      expect([Math.floor(quarter.x / 2), Math.floor(quarter.y / 2)]).toEqual([quad.x, quad.y]);
      const deep = quadAt(sub, 14, quad);
      expect([Math.floor(deep.x / 2 ** 14), Math.floor(deep.y / 2 ** 14)]).toEqual([quad.x, quad.y]);
    }),
  );
});

test('what is reached from a quad above is what is reached from the whole', () => {
  // As far as one number tells where it is.
  const shallow = somePlace.filter(({ depth }) => depth <= 12);
  fc.assert(
    fc.property(shallow, someSub, ({ depth, index }, sub) => {
      expect(indexOf(quadAt(sub, 14, quadAt(index, depth)))).toBe(index * 4 ** 14 + sub);
    }),
  );
});

test('a walk visits what is seen, in order, and knows where it was interrupted', () => {
  const box = fc.record({
    x: fc.double({ min: 0, max: 1, noNaN: true }),
    y: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), box, (depth, corner) => {
      const sees = (x: number, y: number, side: number): boolean => x + side > corner.x && y + side > corner.y;
      const expected = Array.from({ length: 4 ** depth }, (_, index) => index).filter((index) => {
        const { x, y } = quadAt(index, depth);
        return sees(x * 2 ** -depth, y * 2 ** -depth, 2 ** -depth);
      });
      const seen: number[] = [];
      walk(depth, sees, (x, y, isNext) => {
        const index = indexOf({ x, y, depth });
        expect(isNext).toBe(seen.length > 0 && seen.at(-1) === index - 1);
        seen.push(index);
      });
      expect(seen).toEqual(expected);
    }),
  );
});

test('runs are covered by squares: each unit once, and no other', () => {
  const depth = 4;
  const someRuns = fc
    .uniqueArray(fc.nat({ max: 4 ** depth }), { maxLength: 12 })
    .map((ends) => ends.toSorted((a, b) => a - b))
    .map((ends) => (ends.length % 2 === 0 ? ends : ends.slice(1)));
  fc.assert(
    fc.property(someRuns, fc.integer({ min: 0, max: depth }), (runs, finest) => {
      const shares = Array.from({ length: 4 ** depth }, () => 0);
      cover(runs, { quad: ROOT, length: 4 ** depth, finest }, everywhere, (x, y, at, share) => {
        const size = 4 ** (depth - at);
        const first = indexOf({ x, y, depth: at }) * size;
        expect(share).toBeCloseTo(shareOf(runs, first, size));
        expect(at === finest || share === 1).toBe(true);
        for (let unit = first; unit < first + size; unit++) shares[unit] = (shares[unit] ?? 0) + share;
      });
      const units = runs.reduce((sum, end, i) => sum + (i % 2 === 0 ? -end : end), 0);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(units);
      if (finest < depth) return;
      for (const [unit, share] of shares.entries()) expect(share).toBe(shareOf(runs, unit, 1));
    }),
  );
});
