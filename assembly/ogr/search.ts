/*
 * The search for Golomb rulers below one stub, by the shift algorithm on 256-bit maps. Source: the published description
 * of OGR-NG's pruning; the words p, list, dist, comp, h and mid are its own. What is ours: the bound by runs
 * (bounds.ts), the count of free positions, and the stack.
 *
 * A node is a mark placed within its limit, such that
 *   - the first free position after it (65th if the first 64 are taken) is within the limit of the mark after it, and
 *   - up to the greatest length there are as many free positions as marks are missing.
 * The last mark is none, the stub's are not counted. Nodes and rulers depend on the tables and the stub alone: not on
 * the size of slices, and not on where a checkpoint was taken.
 *
 * The stack holds nodes that wait, whole. `run` takes the uppermost and writes its children over it, each judged
 * without a branch: written always, kept by moving the top or not. The furthest comes first, so the search goes
 * in ascending order. Of what waits, all is a right sibling of a mark placed: the marks placed are enough to make
 * the stack again. Frames and branches instead, with the same pruning, took 1.3 to 1.5 times as long.
 */
import {
  bound,
  expand,
  fillBeyond,
  fillLimits,
  fillRuns,
  leftSegments,
  middleSegments,
  minlen,
  runsLimit,
} from './bounds';
import {
  BEYOND,
  COLUMN_BYTES,
  DIFFS,
  END,
  FINISHED,
  LIMIT,
  LIMITS,
  POSITIONS,
  RULER,
  RUNNING,
  RUNS,
  SCRATCH,
  SLOT,
  SLOT_COMP,
  SLOT_DIST,
  SLOT_MARK,
  SLOT_SELF,
  STACK,
  STOPPED_AT_RULER,
} from './layout';

export { bound, expand, minlen };

let segments: i32 = 0;
let maxLength: i32 = 0;
let h: i32 = 0;
let mid: i32 = 0;
let stubDepth: i32 = 0;
let stopAtFirst: bool = false;
let nodes: u64 = 0;
let stopped: bool = false;
/** Length of the shortest ruler found; 0: none. */
let best: i32 = 0;
/** The end of the uppermost slot. */
let top: usize = STACK;

/** Call once, before anything is written to memory. */
export function init(): void {
  const pages = ((END + 0xffff) >> 16) - memory.size();
  if (pages > 0) memory.grow(pages);
  fillBeyond();
  store<u64>(SCRATCH, 1, SLOT_SELF);
  for (let slot: usize = STACK; slot < <usize>END; slot += SLOT) store<u64>(slot, 1, SLOT_SELF);
}

/** After `expand`: makes the limit table for rulers of `marks` marks, none longer than `length`. */
export function prepare(marks: i32, length: i32): void {
  segments = marks - 1;
  maxLength = length;
  h = leftSegments(segments);
  mid = middleSegments(segments);
  fillLimits(segments, length);
  fillRuns(segments, length);
}

/**
 * Begins below the stub of the first `stub` DIFFS with `count` >= stub of them placed, and `done` nodes behind. The
 * driver has laid a best ruler of length `ruler` (0: none) into RULER.
 */
export function open(stub: i32, count: i32, done: f64, ruler: i32, first: bool): void {
  stubDepth = stub;
  stopAtFirst = first;
  stopped = false;
  best = ruler;
  memory.fill(STACK + SLOT_SELF + 8, 0, SLOT - SLOT_SELF - 8);
  store<i32>(STACK, load<u16>(LIMIT + COLUMN_BYTES), SLOT_MARK + 4);
  top = STACK + SLOT;
  let at = 0;
  let placedAll = true;
  for (let d = 1; d <= count && placedAll; d++) {
    const parent = top - SLOT;
    at += load<i32>(DIFFS + (d - 1) * 4);
    // The stub's marks have no siblings.
    if (d <= stub) store<i32>(parent, min(at, load<i32>(parent, SLOT_MARK + 4)), SLOT_MARK + 4);
    run(1);
    while (top > parent && <i32>load<u16>(top - SLOT, SLOT_MARK) < at) top -= SLOT;
    // Where the mark is no node the search goes on with what comes after it.
    placedAll = top > parent && <i32>load<u16>(top - SLOT, SLOT_MARK) === at;
  }
  // The stub itself is no node.
  if (placedAll && count === stub) run(1);
  nodes = <u64>done;
}

/**
 * Searches through `budget` nodes more, or to the end: replaces the uppermost node by its children, again and again. (In
 * a function of its own that would take 13 % longer.)
 */
export function run(budget: i32): i32 {
  let left = budget;
  let end = top;
  while (end !== STACK && left > 0 && !stopped) {
    left -= 1;
    end -= SLOT;
    const node = end;
    const p: i32 = load<u16>(node, SLOT_MARK);
    const d = 1 + <i32>load<u16>(node, SLOT_MARK + 2);
    const limit = load<i32>(node, SLOT_MARK + 4);
    store<i32>(POSITIONS + (d - 1) * 4, p);
    store<i32>(LIMITS + d * 4, limit);
    if (d === segments) {
      placeLast(node, p, limit);
      continue;
    }
    const table: usize = LIMIT + (d + 1) * COLUMN_BYTES;
    const runs: usize = RUNS + (d + 1) * 8;
    // The mark after d is in the middle.
    const middle = d >= h && d < h + mid;
    // How many of 256 positions may be taken.
    const spare = 256 - (segments - d);
    // Positions in words of 64, the last word first; nearly always there is one.
    let word = (limit - p - 1) >> 6;
    let from = node;
    if (word > 0) {
      memory.copy(SCRATCH, node, SLOT);
      from = SCRATCH;
    }
    const distA = v128.load(from, SLOT_DIST);
    const distB = v128.load(from, SLOT_DIST + 16);
    for (; word >= 0; word--) {
      // From the fifth word on there is nothing but zeros.
      const offset: usize = min(word, 4) << 3;
      const lists = from - offset;
      const comps = from + offset;
      // The shift by s = q + 1 of a word takes s bits from its neighbour; `Over` is that, one word on.
      const listA = i64x2.shr_u(v128.load(lists, SLOT_SELF + 8), 1);
      const listB = i64x2.shr_u(v128.load(lists, SLOT_SELF + 24), 1);
      const listOverA = v128.load(lists, SLOT_SELF);
      const listOverB = v128.load(lists, SLOT_SELF + 16);
      const compA = i64x2.shl(v128.load(comps, SLOT_COMP), 1);
      const compB = i64x2.shl(v128.load(comps, SLOT_COMP + 16), 1);
      const compOverA = v128.load(comps, SLOT_COMP + 8);
      const compOverB = v128.load(comps, SLOT_COMP + 24);
      const start = p + (word << 6);
      const within = limit - start;
      let candidates = ~load<u64>(comps, SLOT_COMP);
      if (within < 64) candidates &= ~(<u64>~0 >> within);
      while (candidates !== 0) {
        const b = <i32>ctz(candidates);
        candidates &= candidates - 1;
        const q = 63 - b;
        const at = start + 64 - b;
        const newA = v128.or(i64x2.shr_u(listA, q), i64x2.shl(listOverA, b));
        const newB = v128.or(i64x2.shr_u(listB, q), i64x2.shl(listOverB, b));
        const nextA = v128.or(distA, newA);
        const nextB = v128.or(distB, newB);
        const room = maxLength - at;
        const seen = min(room, 256);
        const beyond: usize = BEYOND + (seen << 5);
        const takenA = v128.or(
          v128.or(i64x2.shl(compA, q), i64x2.shr_u(compOverA, b)),
          v128.or(nextA, v128.load(beyond)),
        );
        const takenB = v128.or(
          v128.or(i64x2.shl(compB, q), i64x2.shr_u(compOverB, b)),
          v128.or(nextB, v128.load(beyond, 16)),
        );
        const dist: u64 = i64x2.extract_lane(nextA, 0);
        let below: i32 = load<u16>(table + ((<usize>(dist >> 48)) << 1));
        below = min(below, runsLimit(runs, dist));
        if (middle) below = min(below, middleLimit(d, d === h ? at : p, dist));
        const comp: u64 = i64x2.extract_lane(takenA, 0);
        const taken =
          popcnt(comp) +
          popcnt(i64x2.extract_lane(takenA, 1)) +
          (popcnt(i64x2.extract_lane(takenB, 0)) + popcnt(i64x2.extract_lane(takenB, 1)));
        v128.store(end, newA, SLOT_SELF + 8);
        v128.store(end, newB, SLOT_SELF + 24);
        v128.store(end, takenA, SLOT_COMP);
        v128.store(end, takenB, SLOT_COMP + 16);
        v128.store(end, nextA, SLOT_DIST);
        v128.store(end, nextB, SLOT_DIST + 16);
        store<u64>(end, ((<u64>below) << 32) | <u64>(at | (d << 16)), SLOT_MARK);
        // Signs, because V8 makes a branch of two comparisons joined by &.
        const lack = (below - at - 1 - <i32>clz(~comp)) | (spare + room - seen - <i32>taken);
        end += SLOT & ~(lack >> 31);
      }
    }
  }
  top = end;
  nodes += <u64>(budget - left);
  if (stopped) return STOPPED_AT_RULER;
  return end === STACK ? FINISHED : RUNNING;
}

/** What lies right of the middle must be longer than what lies left of it, which is `ph`: the limit of mark d + 1. */
function middleLimit(d: i32, ph: i32, dist: u64): i32 {
  const limit = maxLength - 1 - ph;
  // The first of two middle segments also leaves room for the second: the smallest distance not yet measured.
  return d + 1 < h + mid ? limit - 1 - <i32>clz(~dist) : limit;
}

/** The last mark goes to its first place; where it makes a ruler, whatever comes after is longer. */
function placeLast(node: usize, p: i32, limit: i32): void {
  for (let at = p + 1; at <= limit; at++) {
    const bit = at - p - 1;
    if (bit < 256 && ((load<u64>(node + (bit >> 6) * 8, SLOT_COMP) >> (63 - (bit & 63))) & 1) === 1) continue;
    store<i32>(POSITIONS + segments * 4, at);
    // The maps reach 256. A distance measured twice implies a shorter one, up to half the length, that is too.
    if (at > 512 && !isGolomb()) continue;
    stopped = stopAtFirst;
    if (best !== 0 && best <= at) return;
    best = at;
    memory.copy(RULER, POSITIONS, (segments + 1) * 4);
    return;
  }
}

function isGolomb(): bool {
  for (let a = 0; a < segments; a++) {
    for (let b = a + 1; b <= segments; b++) {
      const distance = position(b) - position(a);
      for (let c = a + 1; c < segments; c++) {
        for (let e = c + 1; e <= segments; e++) {
          if (position(e) - position(c) === distance) return false;
        }
      }
    }
  }
  return true;
}

function position(d: i32): i32 {
  return load<i32>(POSITIONS + d * 4);
}

export function nodesDone(): f64 {
  return <f64>nodes;
}

/** Marks placed besides mark 0: up to the node that is next. Its position is laid into POSITIONS. */
export function placed(): i32 {
  if (top === STACK) return stubDepth;
  const d: i32 = load<u16>(top - SLOT, SLOT_MARK + 2);
  store<i32>(POSITIONS + d * 4, load<u16>(top - SLOT, SLOT_MARK));
  return d;
}

/** Length of the shortest ruler found, 0: none. */
export function bestLength(): i32 {
  return best;
}
