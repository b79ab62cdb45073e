/** Contrast as WCAG 2.2 computes it, by its own examples. */
import { expect, test } from 'vitest';
import { contrast } from '../../src/widget/colors.ts';

test.each([
  [[0, 0, 0], [255, 255, 255], 21],
  [[255, 255, 255], [255, 255, 255], 1],
  [[119, 119, 119], [255, 255, 255], 4.48],
  [[118, 118, 118], [255, 255, 255], 4.54],
  [[255, 0, 0], [255, 255, 255], 4],
] as const)('%j on %j', (a, b, ratio) => {
  expect(contrast([...a], [...b])).toBeCloseTo(ratio, 1);
  expect(contrast([...b], [...a])).toBeCloseTo(ratio, 1);
});
