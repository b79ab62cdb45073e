/*
 * The search for Golomb rulers below one stub, by the shift algorithm on 256-bit maps in four u64 locals each. Source:
 * the published description of OGR-NG's pruning; the words p, list, dist, comp, h and mid are its own.
 *
 * A node is a mark placed within its limit, with one more level below it; the last mark is none. Nodes and rulers
 * depend on the limit table and the stub alone: not on the size of slices, and not on where a checkpoint was
 * taken. A slice ends only just after a descent, where the marks placed so far determine everything else.
 */
import { bound, expand, fillLimits, leftSegments, middleSegments, minlen } from './bounds';
import {
  COLUMN_BYTES,
  DIFFS,
  DIST,
  END,
  FINISHED,
  FRAME_BYTES,
  FRAME_LIMIT,
  FRAME_POSITION,
  FRAMES,
  LIMIT,
  RULER,
  RUNNING,
  STOPPED_AT_RULER,
} from './layout';

export { bound, expand, minlen };

/** No distance of the word is free. */
const FULL: u64 = ~0;

let segments: i32 = 0;
let maxLength: i32 = 0;
let h: i32 = 0;
let mid: i32 = 0;
let stubDepth: i32 = 0;
let stopAtFirst: bool = false;
/** The mark to place next. */
let depth: i32 = 0;
let nodes: u64 = 0;
let finished: bool = false;
/** Length of the shortest ruler found; 0: none. */
let best: i32 = 0;

/** Call once, before anything is written to memory. */
export function init(): void {
  const pages = ((END + 0xffff) >> 16) - memory.size();
  if (pages > 0) memory.grow(pages);
}

/** After `expand`: makes the limit table for rulers of `marks` marks, none longer than `length`. */
export function prepare(marks: i32, length: i32): void {
  segments = marks - 1;
  maxLength = length;
  h = leftSegments(segments);
  mid = middleSegments(segments);
  fillLimits(segments, length);
}

/**
 * Begins below the stub of the first `stub` DIFFS with `count` >= stub of them placed, and `done` nodes behind. The
 * driver has laid a best ruler of length `ruler` (0: none) into RULER.
 */
export function open(stub: i32, count: i32, done: f64, ruler: i32, first: bool): void {
  stubDepth = stub;
  stopAtFirst = first;
  nodes = <u64>done;
  best = ruler;
  finished = false;
  memory.fill(FRAMES, 0, FRAME_BYTES);
  memory.fill(DIST, 0, 32);
  for (depth = 1; depth <= count; depth++) {
    const frame: usize = FRAMES + depth * FRAME_BYTES;
    const diff = load<i32>(DIFFS + (depth - 1) * 4);
    memory.copy(frame, frame - FRAME_BYTES, 64);
    for (let w = 0; w < 32; w += 8) store<u64>(frame + w, load<u64>(frame + w, 32) | load<u64>(DIST + w), 32);
    shiftFrame(frame, diff);
    store<i32>(frame, load<i32>(frame - FRAME_BYTES, FRAME_POSITION) + diff, FRAME_POSITION);
    store<i32>(frame, limitOf(depth), FRAME_LIMIT);
    for (let w = 0; w < 32; w += 8) store<u64>(DIST + w, load<u64>(DIST + w) | load<u64>(frame + w));
  }
  store<i32>(FRAMES + depth * FRAME_BYTES, limitOf(depth), FRAME_LIMIT);
}

/** Moves the frame's mark right by `diff`, one position at a time; the mark it left becomes a bit of the list. */
function shiftFrame(frame: usize, diff: i32): void {
  let carry: u64 = 1;
  for (; diff > 0; diff--) {
    for (let w = 0; w < 32; w += 8) {
      const list = load<u64>(frame + w);
      store<u64>(frame + w, (list >> 1) | (carry << 63));
      carry = list & 1;
      const next: u64 = w < 24 ? load<u64>(frame + w, 40) >> 63 : 0;
      store<u64>(frame + w, (load<u64>(frame + w, 32) << 1) | next, 32);
    }
    carry = 0;
  }
}

/** The last position mark d may take, with DIST measured and the marks before it placed. */
function limitOf(d: i32): i32 {
  const dist = load<u64>(DIST);
  const limit: i32 = load<u16>(LIMIT + d * COLUMN_BYTES + <i32>(dist >> 48) * 2);
  return d > h && d <= h + mid ? min(limit, middleLimit(d, dist)) : limit;
}

/** What lies right of the middle must be longer than what lies left of it. */
function middleLimit(d: i32, dist: u64): i32 {
  const limit = maxLength - 1 - load<i32>(FRAMES + h * FRAME_BYTES, FRAME_POSITION);
  // The first of two middle segments also leaves room for the second: the smallest distance not yet measured.
  return d < h + mid ? limit - 1 - <i32>clz(~dist) : limit;
}

/** Searches for `budget` nodes more, and those few that follow before a mark is placed that has room below it. */
export function run(budget: i32): i32 {
  if (finished) return FINISHED;
  const top: usize = FRAMES + stubDepth * FRAME_BYTES;
  const last: usize = FRAMES + segments * FRAME_BYTES;
  const middle: usize = FRAMES + h * FRAME_BYTES;
  const middleBytes: usize = mid * FRAME_BYTES;
  let left = budget;
  let table: usize = LIMIT + depth * COLUMN_BYTES;
  let frame: usize = FRAMES + depth * FRAME_BYTES;
  let p = load<i32>(frame - FRAME_BYTES, FRAME_POSITION);
  let limit = load<i32>(frame, FRAME_LIMIT);
  let list0 = load<u64>(frame - FRAME_BYTES, 0);
  let list1 = load<u64>(frame - FRAME_BYTES, 8);
  let list2 = load<u64>(frame - FRAME_BYTES, 16);
  let list3 = load<u64>(frame - FRAME_BYTES, 24);
  let dist0 = load<u64>(DIST, 0);
  let dist1 = load<u64>(DIST, 8);
  let dist2 = load<u64>(DIST, 16);
  let dist3 = load<u64>(DIST, 24);
  let comp0 = load<u64>(frame - FRAME_BYTES, 32) | dist0;
  let comp1 = load<u64>(frame - FRAME_BYTES, 40) | dist1;
  let comp2 = load<u64>(frame - FRAME_BYTES, 48) | dist2;
  let comp3 = load<u64>(frame - FRAME_BYTES, 56) | dist3;
  // 1 while the mark to place is new: the mark before it is not in its list yet.
  let newbit: u64 = 1;

  for (;;) {
    while (comp0 === FULL) {
      p += 64;
      list3 = list2;
      list2 = list1;
      list1 = list0;
      list0 = newbit;
      newbit = 0;
      comp0 = comp1;
      comp1 = comp2;
      comp2 = comp3;
      comp3 = 0;
    }
    const s = 1 + clz(~comp0);
    p += <i32>s;
    if (p <= limit) {
      if (frame < last) {
        if (s < 64) {
          const r = 64 - s;
          list3 = (list3 >> s) | (list2 << r);
          list2 = (list2 >> s) | (list1 << r);
          list1 = (list1 >> s) | (list0 << r);
          list0 = (list0 >> s) | (newbit << r);
          comp0 = (comp0 << s) | (comp1 >> r);
          comp1 = (comp1 << s) | (comp2 >> r);
          comp2 = (comp2 << s) | (comp3 >> r);
          comp3 = comp3 << s;
        } else {
          list3 = list2;
          list2 = list1;
          list1 = list0;
          list0 = newbit;
          comp0 = comp1;
          comp1 = comp2;
          comp2 = comp3;
          comp3 = 0;
        }
        newbit = 0;
        store<i32>(frame, p, FRAME_POSITION);
        const next0 = dist0 | list0;
        let below: i32 = load<u16>(table + COLUMN_BYTES + ((<usize>(next0 >> 48)) << 1));
        // One unsigned comparison for middle <= frame < middle + middleBytes: the mark below is in the middle.
        if (frame - middle < middleBytes) {
          below = min(below, middleLimit(<i32>(frame - FRAMES) / FRAME_BYTES + 1, next0));
        }
        left -= 1;
        // Most nodes have no room for a mark below. They count, but there is no need to descend to see it.
        const free = ~(comp0 | next0);
        if (p + 1 + <i32>clz(free) > below) continue;
        // Descend.
        store<u64>(frame, list0, 0);
        store<u64>(frame, list1, 8);
        store<u64>(frame, list2, 16);
        store<u64>(frame, list3, 24);
        store<u64>(frame, comp0, 32);
        store<u64>(frame, comp1, 40);
        store<u64>(frame, comp2, 48);
        store<u64>(frame, comp3, 56);
        dist0 = next0;
        dist1 |= list1;
        dist2 |= list2;
        dist3 |= list3;
        comp0 |= dist0;
        comp1 |= dist1;
        comp2 |= dist2;
        comp3 |= dist3;
        newbit = 1;
        frame += FRAME_BYTES;
        table += COLUMN_BYTES;
        limit = below;
        store<i32>(frame, limit, FRAME_LIMIT);
        if (left <= 0) break;
        continue;
      }
      // The last mark. Where it makes a ruler, whatever comes after is longer; where not, its place is taken.
      if (!keep(p)) {
        p -= <i32>s;
        comp0 |= (<u64>1) << (64 - s);
        continue;
      }
      if (stopAtFirst) {
        finished = true;
        nodes += <u64>(budget - left);
        return STOPPED_AT_RULER;
      }
    }
    // Back to the mark before, to move it on.
    frame -= FRAME_BYTES;
    table -= COLUMN_BYTES;
    if (frame === top) {
      finished = true;
      nodes += <u64>(budget - left);
      return FINISHED;
    }
    p = load<i32>(frame, FRAME_POSITION);
    limit = load<i32>(frame, FRAME_LIMIT);
    list0 = load<u64>(frame, 0);
    list1 = load<u64>(frame, 8);
    list2 = load<u64>(frame, 16);
    list3 = load<u64>(frame, 24);
    comp0 = load<u64>(frame, 32);
    comp1 = load<u64>(frame, 40);
    comp2 = load<u64>(frame, 48);
    comp3 = load<u64>(frame, 56);
    // The distances that the mark brought were all new, so taking them away restores what was before it.
    dist0 &= ~list0;
    dist1 &= ~list1;
    dist2 &= ~list2;
    dist3 &= ~list3;
    newbit = 0;
  }
  depth = <i32>(frame - FRAMES) / FRAME_BYTES;
  nodes += <u64>(budget - left);
  store<u64>(DIST, dist0, 0);
  store<u64>(DIST, dist1, 8);
  store<u64>(DIST, dist2, 16);
  store<u64>(DIST, dist3, 24);
  return RUNNING;
}

/** A ruler with its last mark at `length`: keeps it if it is one, and the shortest so far. False: it is none. */
function keep(length: i32): bool {
  store<i32>(FRAMES + segments * FRAME_BYTES, length, FRAME_POSITION);
  // The maps reach 256. A distance measured twice implies a shorter one, up to half the length, that is too.
  if (length > 512 && !isGolomb()) return false;
  if (best !== 0 && best <= length) return true;
  best = length;
  for (let d = 0; d <= segments; d++) store<i32>(RULER + d * 4, position(d));
  return true;
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
  return load<i32>(FRAMES + d * FRAME_BYTES, FRAME_POSITION);
}

export function nodesDone(): f64 {
  return <f64>nodes;
}

/** Marks placed besides mark 0. */
export function placed(): i32 {
  return depth - 1;
}

/** Length of the shortest ruler found, 0: none. */
export function bestLength(): i32 {
  return best;
}
