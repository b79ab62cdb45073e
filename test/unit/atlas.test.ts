/** Which maps the picture asks for: what is in sight, the middle first, a few at a time, and not again at once. */
import { expect, test } from 'vitest';
import { Atlas, channels, orderOf } from '../../src/app/picture/atlas.ts';
import { WHOLE } from '../../src/app/picture/camera.ts';
import { quadAt } from '../../src/app/picture/hilbert.ts';
import type { MapQuery, UnitMap } from '../../src/protocol/unit-map.ts';

function atlasOf(units: number) {
  const asked: MapQuery[] = [];
  const waiting: (() => void)[] = [];
  let changes = 0;
  const ask = (query: MapQuery): Promise<UnitMap> =>
    new Promise((resolve) => {
      asked.push(query);
      const { contest, first, size, cells } = query;
      const done = Array.from({ length: cells }, (_, cell) => (cell === 0 ? 255 : 0));
      waiting.push(() => resolve({ contest, first, size, at: 0, done, leased: done }));
    });
  const atlas = new Atlas({ contest: 'keys', units, ask, onChange: () => (changes += 1) });
  const answer = async (): Promise<void> => {
    for (let give = waiting.shift(); give !== undefined; give = waiting.shift()) {
      give();
      await new Promise(setImmediate);
    }
  };
  return { atlas, asked, answer, changes: () => changes };
}

test('2^44 units are a curve of 22 levels, and tiles from the whole down to units', () => {
  const { atlas } = atlasOf(2 ** 44);
  expect(atlas.order).toBe(22);
  expect(atlas.depths).toEqual([0, 3, 6, 9, 12, 15, 16]);
  expect(orderOf(12)).toBe(2);
  expect(atlasOf(12).atlas.depths).toEqual([0]);
});

test('the whole is one map; a unit is the tiles round it, of every depth, no more than four at once', async () => {
  const { atlas, asked, answer } = atlasOf(2 ** 44);
  atlas.look(WHOLE, 0);
  expect(asked).toEqual([{ contest: 'keys', first: 0, size: 2 ** 32, cells: 4096 }]);
  await answer();
  const unit = 2 ** 43 + 12_345;
  const { x, y } = quadAt(unit, 22);
  const camera = { x: (x + 0.5) * 2 ** -22, y: (y + 0.5) * 2 ** -22, side: 2 ** -21 };
  atlas.look(camera, 1);
  expect(asked).toHaveLength(1 + 4);
  await answer();
  // Each of those round the unit holds it, and is as fine as it can be.
  const middle = asked.filter(({ first, size, cells }) => first <= unit && unit < first + size * cells);
  expect(middle.map(({ size }) => size)).toEqual([2 ** 32, 4 ** 13, 4 ** 10, 4 ** 7, 4 ** 4, 4, 1]);
  expect([...atlas.told(camera, 16)].some(({ map }) => map.first <= unit && unit < map.first + 4096)).toBe(true);

  const count = asked.length;
  atlas.look(camera, 10_000);
  expect(asked).toHaveLength(count);
  atlas.look(camera, 40_000);
  await answer();
  // Only the finest, which are seen.
  const again = asked.slice(count);
  expect(again.length).toBeGreaterThan(0);
  expect(again.every(({ size }) => size === 1)).toBe(true);
});

test('nothing past the end of the contest is asked for; the same answer is no change', async () => {
  const { atlas, asked, answer, changes } = atlasOf(4 ** 9 + 1);
  expect(atlas.order).toBe(10);
  atlas.look({ x: 0.5, y: 0.5, side: 0.1 }, 0);
  await answer();
  expect(asked.every(({ first }) => first < 4 ** 9 + 1)).toBe(true);
  const before = changes();
  expect(before).toBeGreaterThan(0);
  atlas.look({ x: 0.5, y: 0.5, side: 0.1 }, 60_000);
  await answer();
  expect(changes()).toBe(before);
});

test('colours as browsers spell them', () => {
  expect(channels('rgb(1, 2, 3)')).toEqual([1, 2, 3]);
  expect(channels('color(srgb 0.2 0.4 1)')).toEqual([51, 102, 255]);
});
