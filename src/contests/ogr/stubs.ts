/**
 * Which stub a unit is, and back. The stubs of a contest are all Golomb prefixes of `stubDepth` differences whose
 * marks leave room for the rest: mark i at most maxLength - (the shortest ruler with marks - i marks). They are
 * numbered in lexicographic order, which is that of their marks as well as of their differences.
 *
 * Nothing is stored but counts. The manifest has one for each pair of first marks (or it is counted here, where
 * that is quick); below a pair, the stubs are counted when first needed, one count for each third mark, and the
 * last pairs are remembered. The last mark is never enumerated: its free places are counted in a bitmap.
 */
import type { OgrSearch } from '../../domain/contest.ts';
import { optimalLength } from './known.ts';
import { diffsOf, isGolomb, marksOf } from './rulers.ts';

/** Pairs whose counts by third mark are kept. A block lies within one pair nearly always. */
const PAIRS_KEPT = 64;
/** Longer prefixes whose counts are kept: blocks that follow each other share them, and a unit costs 1 ms without. */
const LONGER_KEPT = 256;
/** More stubs below a pair would take too long to count on the way (ogr-29 has 7e7 at most: a tenth of a second). */
const MOST_BELOW_PAIR = 3e8;
/** More stubs in all call for `stubsByPrefix`. */
const MOST_UNCOUNTED = 1e7;

/** The last position mark i may take in any stub of the search. */
export function lastPosition(search: OgrSearch, i: number): number {
  return search.maxLength - optimalLength(search.marks - i);
}

/** N: how many stubs the search has. */
export function countStubs(search: OgrSearch): number {
  return counter(search).total;
}

/** How many stubs begin with each pair of first marks, in lexicographic order: `stubsByPrefix` of a manifest. */
export function countStubsByPrefix(search: OgrSearch): number[] {
  return pairsOf(search).map((pair) => countBelow(search, pair));
}

/** How many stubs begin with these marks, 0 first: one entry of `countStubsByPrefix`, say. */
export function countStubsWith(search: OgrSearch, marks: readonly number[]): number {
  const fits = marks.every((mark, i) => i === 0 || mark <= lastPosition(search, i));
  return isGolomb(marks) && fits && marks.length <= search.stubDepth + 1 ? countBelow(search, marks) : 0;
}

/** The differences of a unit's stub. @throws RangeError there is no such unit. */
export function unitToStub(search: OgrSearch, unit: number): number[] {
  const { pairs, starts, total } = counter(search);
  if (!Number.isInteger(unit) || unit < 0 || unit >= total) throw new RangeError(`There is no unit ${unit}`);
  const pair = lastAtMost(starts, unit);
  let rest = unit - (starts[pair] ?? 0);
  let marks = pairs[pair] ?? [];
  while (marks.length <= search.stubDepth) {
    const next = countsByNext(search, marks).find(([, count]) => {
      if (rest < count) return true;
      rest -= count;
      return false;
    });
    if (next === undefined) throw new RangeError(`search.stubsByPrefix counts too many stubs at ${marks.join('-')}`);
    marks = [...marks, next[0]];
  }
  return diffsOf(marks);
}

/** The unit of a stub given by its differences. @throws RangeError it is no stub of the search. */
export function stubToUnit(search: OgrSearch, diffs: readonly number[]): number {
  const marks = marksOf(diffs);
  const fits = marks.every((mark, i) => i === 0 || mark <= lastPosition(search, i));
  if (diffs.length !== search.stubDepth || !isGolomb(marks) || !fits) {
    throw new RangeError(`${diffs.join('-')} is no stub of this search`);
  }
  const { pairs, starts, rootDepth } = counter(search);
  const pair = pairs.findIndex((pair) => pair.every((mark, i) => mark === marks[i]));
  let unit = starts[pair] ?? 0;
  for (let depth = rootDepth; depth < search.stubDepth; depth++) {
    for (const [next, count] of countsByNext(search, marks.slice(0, depth + 1))) {
      if (next === marks[depth + 1]) break;
      unit += count;
    }
  }
  return unit;
}

interface Counter {
  /** The first marks, 0 included, of every group of stubs that has a count. */
  readonly pairs: readonly number[][];
  /** The first unit of each. */
  readonly starts: readonly number[];
  readonly total: number;
  /** Differences in a prefix: 2, or 1 where a stub has no more. */
  readonly rootDepth: number;
  /** Counts by next mark for prefixes met lately: of pairs, and of what is longer. */
  readonly byNext: Map<string, [number, number][]>;
  readonly byNextLonger: Map<string, [number, number][]>;
}

/** By what the search says, and for speed by the object that says it. */
const counters = new Map<string, Counter>();
const countersOf = new WeakMap<OgrSearch, Counter>();

function counter(search: OgrSearch): Counter {
  let found = countersOf.get(search);
  if (found !== undefined) return found;
  const key = JSON.stringify(search);
  found = counters.get(key);
  if (found === undefined) {
    const pairs = pairsOf(search);
    const counts = search.stubsByPrefix ?? countFew(search, pairs);
    if (counts.length !== pairs.length) {
      throw new TypeError(`search.stubsByPrefix has ${counts.length} counts, but there are ${pairs.length} prefixes`);
    }
    let total = 0;
    const starts = counts.map((count) => (total += count) - count);
    found = {
      pairs,
      starts,
      total,
      rootDepth: Math.min(2, search.stubDepth),
      byNext: new Map(),
      byNextLonger: new Map(),
    };
    counters.set(key, found);
  }
  countersOf.set(search, found);
  return found;
}

/** Counts that a manifest may leave out. A manifest can come from anyone, so this must end soon. */
function countFew(search: OgrSearch, pairs: readonly number[][]): number[] {
  let total = 0;
  return pairs.map((pair) => {
    const count = countBelow(search, pair);
    total += count;
    if (total > MOST_UNCOUNTED) throw new RangeError(`search.stubsByPrefix is needed past ${MOST_UNCOUNTED} stubs`);
    return count;
  });
}

/** Every Golomb prefix of two differences (one, where stubs are that short), as marks. */
function pairsOf(search: OgrSearch): number[][] {
  const firsts = Array.from({ length: Math.max(0, lastPosition(search, 1)) }, (_, i) => [0, i + 1]);
  if (search.stubDepth === 1) return firsts;
  return firsts.flatMap((marks) => nextMarks(search, marks).map((next) => [...marks, next]));
}

function nextMarks(search: OgrSearch, marks: readonly number[]): number[] {
  const next: number[] = [];
  for (let mark = (marks.at(-1) ?? 0) + 1; mark <= lastPosition(search, marks.length); mark++) {
    if (isGolomb([...marks, mark])) next.push(mark);
  }
  return next;
}

/** For each next mark, in order, how many stubs go on with it. */
function countsByNext(search: OgrSearch, marks: readonly number[]): [number, number][] {
  const { byNext, byNextLonger } = counter(search);
  const isPair = marks.length <= 3;
  const kept = isPair ? byNext : byNextLonger;
  const key = marks.join();
  let counts = kept.get(key);
  if (counts === undefined) {
    counts = nextMarks(search, marks).map((next) => [next, countBelow(search, [...marks, next])]);
    // A Map keeps its keys in the order they came.
    kept.set(key, counts);
    if (kept.size > (isPair ? PAIRS_KEPT : LONGER_KEPT)) kept.delete(kept.keys().next().value ?? '');
  }
  return counts;
}

/** The first unit's position in the sorted starts that is not past `unit`, skipping prefixes without stubs. */
function lastAtMost(starts: readonly number[], unit: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const half = (low + high + 1) >> 1;
    if ((starts[half] ?? 0) <= unit) low = half;
    else high = half - 1;
  }
  return low;
}

/**
 * How many stubs begin with these marks. Bitmaps as in the search itself, 32 bits a word, the highest bit of word 0
 * for distance 1: `comp` says where no further mark may go, relative to the last one.
 */
function countBelow(search: OgrSearch, marks: readonly number[]): number {
  const depth = search.stubDepth;
  if (marks.length === depth + 1) return 1;
  const limits = Array.from({ length: depth + 1 }, (_, i) => (i === 0 ? 0 : lastPosition(search, i)));
  const words = (Math.max(...limits) + 31) >> 5;
  // One triple of bitmaps a level, all in one array: list, dist, comp.
  const maps = new Int32Array(3 * words * (depth + 2));

  /** Places mark i, `shift` right of the mark before it: the maps of level i from those of level i - 1. */
  const place = (i: number, shift: number): void => {
    const from = 3 * words * (i - 1);
    const to = from + 3 * words;
    const whole = shift >> 5;
    const bits = shift & 31;
    for (let w = 0; w < words; w++) {
      const right = w - whole;
      const left = w + whole;
      // Shifts count modulo 32, so what comes in from the neighbour is shifted in two steps.
      const a = right >= 0 ? (maps[from + right] ?? 0) : 0;
      const b = right > 0 ? (maps[from + right - 1] ?? 0) : 0;
      let list = (a >>> bits) | ((b << 1) << (31 - bits));
      if (w === (shift - 1) >> 5) list |= 0x80000000 >>> ((shift - 1) & 31);
      const c = left < words ? (maps[from + 2 * words + left] ?? 0) : 0;
      const d = left + 1 < words ? (maps[from + 2 * words + left + 1] ?? 0) : 0;
      const dist = (maps[from + words + w] ?? 0) | list;
      maps[to + w] = list;
      maps[to + words + w] = dist;
      maps[to + 2 * words + w] = (c << bits) | ((d >>> 1) >>> (31 - bits)) | dist;
    }
  };

  /** Stubs below the marks of levels 0..i - 1, the last at `position`. */
  let total = 0;
  const below = (i: number, position: number): number => {
    const room = (limits[i] ?? 0) - position;
    const comp = 3 * words * (i - 1) + 2 * words;
    let count = 0;
    for (let w = 0; w << 5 < room; w++) {
      let free = ~(maps[comp + w] ?? 0);
      if (room - (w << 5) < 32) free &= ~(-1 >>> (room - (w << 5)));
      if (i === depth) {
        count += ones(free);
        continue;
      }
      while (free !== 0) {
        const bit = Math.clz32(free);
        free &= ~(0x80000000 >>> bit);
        const shift = (w << 5) + bit + 1;
        place(i, shift);
        count += below(i + 1, position + shift);
      }
    }
    if (i === depth) total += count;
    if (total > MOST_BELOW_PAIR) throw new RangeError(`search.stubDepth ${depth} makes too many stubs`);
    return count;
  };

  for (const [i, shift] of diffsOf(marks).entries()) place(i + 1, shift);
  return below(marks.length, marks.at(-1) ?? 0);
}

/** The number of ones in 32 bits. */
function ones(word: number): number {
  let x = word - ((word >>> 1) & 0x55555555);
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
