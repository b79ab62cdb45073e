/**
 * The figures on the page: that they read as a person would write them, never round up to a claim that is not
 * true (100 % before the end), and keep their width while they tick.
 */
import { assert, double, property } from 'fast-check';
import { expect, test } from 'vitest';
import {
  formatAxis,
  formatClock,
  formatCount,
  formatDuration,
  formatHex,
  formatPowers,
  formatRate,
  formatShare,
  rateParts,
} from '../../src/app/format.ts';

test.each([
  [0, 'keys', '0 keys/s'],
  [Number.NaN, 'keys', '0 keys/s'],
  [740, 'keys', '740 keys/s'],
  [999.6, 'keys', '1.00 kkeys/s'],
  [9_600_000, 'keys', '9.60 Mkeys/s'],
  [25_130_000, 'keys', '25.1 Mkeys/s'],
  [99_960_000, 'nodes', '100 Mnodes/s'],
  [96_000_000, 'nodes', '96.0 Mnodes/s'],
  [999_700_000, 'keys', '1.00 Gkeys/s'],
  [241_000_000_000, 'keys', '241 Gkeys/s'],
] as const)('a rate of %d %s', (rate, step, text) => {
  expect(formatRate(rate, step)).toBe(text);
});

test('a rate never needs more than four characters', () => {
  assert(
    property(double({ min: 0, max: 9e17, noNaN: true }), (rate) => {
      expect(rateParts(rate, 'keys').value.length).toBeLessThanOrEqual(4);
    }),
  );
});

test.each([
  [0, '0'],
  [500_000, '500 k'],
  [25_000_000, '25 M'],
  [12_500_000, '12.5 M'],
  [1_000_000_000, '1 G'],
])('an axis mark of %d', (rate, text) => {
  expect(formatAxis(rate)).toBe(text);
});

test.each([
  [0, '0'],
  [16, '16'],
  [12_345, '12,345'],
  [1_234_567, '1.23 million'],
  [2 ** 28, '268 million'],
  [2 ** 44, '17.6 trillion'],
])('a count of %d', (count, text) => {
  expect(formatCount(count)).toBe(text);
});

test.each([
  [0, '0 %'],
  [12 / 2 ** 44, 'under 0.01 %'],
  [0.0042, '0.42 %'],
  [0.29, '29.0 %'],
  [0.424, '42.4 %'],
  [0.99999, '99.9 %'],
  [1, '100 %'],
  [1.01, '100 %'],
])('a share of %d', (share, text) => {
  expect(formatShare(share)).toBe(text);
});

test.each([
  [-3, '0 s'],
  [8.4, '8 s'],
  [59.6, '1 min 00 s'],
  [200, '3 min 20 s'],
  [3900, '1 h 05 min'],
  [183_600, '2 d 3 h'],
  [1.9e14, '6.02 million years'],
  [Number.POSITIVE_INFINITY, 'for ever'],
])('%d seconds', (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

test('powers are raised', () => {
  expect(formatPowers('2^72 keys, x^2, 10^6')).toBe('2⁷² keys, x^2, 10⁶');
});

test('a key is spaced by bytes', () => {
  expect(formatHex('059ac5d0e1f203')).toBe('05 9a c5 d0 e1 f2 03');
});

test('a clock time is four digits', () => {
  expect(formatClock(new Date(2026, 0, 2, 9, 5).getTime())).toBe('09:05');
});
