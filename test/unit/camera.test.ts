/** The ways of the picture's camera: from where it is to where it should be, without a jump, over any distance. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Camera, flight, isSame, WHOLE, within } from '../../src/app/picture/camera.ts';

const some = (from: number, to: number) => fc.double({ min: from, max: to, noNaN: true });
const someCamera: fc.Arbitrary<Camera> = fc
  .record({ x: some(0, 1), y: some(0, 1), zoom: some(0, 24) })
  .map(({ x, y, zoom }) => within({ x, y, side: 2 ** -zoom }));

test('a flight begins and ends where it should, in seconds', () => {
  fc.assert(
    fc.property(someCamera, someCamera, (from, to) => {
      const { at, ms } = flight(from, to);
      expect(at(0)).toEqual(from);
      expect(at(1)).toEqual(to);
      expect(ms).toBeGreaterThan(0);
      expect(ms).toBeLessThanOrEqual(6000);
    }),
  );
});

test('it never jumps: a fiftieth of a second moves the sight by a part of itself', () => {
  fc.assert(
    fc.property(someCamera, someCamera, (from, to) => {
      const { at, ms } = flight(from, to);
      const steps = Math.ceil(ms / 20);
      let last = from;
      for (let step = 1; step <= steps; step++) {
        const next = at(step / steps);
        expect(Number.isFinite(next.x + next.y + next.side)).toBe(true);
        expect(Math.hypot(next.x - last.x, next.y - last.y)).toBeLessThan(0.5 * Math.max(next.side, last.side));
        expect(Math.abs(Math.log2(next.side / last.side))).toBeLessThan(0.5);
        last = next;
      }
    }),
  );
});

test('from the whole to one of 2^44 units and back: about five seconds, and always closer', () => {
  const unit: Camera = { x: 0.3333333, y: 0.7777777, side: 1.4 * 2 ** -22 };
  const { at, ms } = flight(WHOLE, unit);
  expect(ms).toBeGreaterThan(3500);
  const sides = Array.from({ length: 101 }, (_, i) => at(i / 100).side);
  expect(sides).toEqual(sides.toSorted((a, b) => b - a));
  // The unit is in sight all the way.
  for (let i = 0; i <= 100; i++) {
    const { x, y, side } = at(i / 100);
    expect(Math.max(Math.abs(unit.x - x), Math.abs(unit.y - y))).toBeLessThanOrEqual(side / 2);
  }
  expect(isSame(flight(unit, WHOLE).at(1), WHOLE)).toBe(true);
});

test('no sight is beside the map, nor larger than it', () => {
  fc.assert(
    fc.property(some(-1, 2), some(-1, 2), some(1e-9, 3), (x, y, side) => {
      const camera = within({ x, y, side });
      const margin = (WHOLE.side - 1) / 2 + 1e-9;
      expect(camera.side).toBeLessThanOrEqual(WHOLE.side);
      for (const centre of [camera.x, camera.y]) {
        expect(centre - camera.side / 2).toBeGreaterThanOrEqual(-margin);
        expect(centre + camera.side / 2).toBeLessThanOrEqual(1 + margin);
      }
      expect(within(camera)).toEqual(camera);
    }),
  );
});
