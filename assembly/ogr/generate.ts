/*
 * Makes the choose table: choose[k][set] = length of the shortest Golomb ruler with k segments that measures none
 * of the distances 1..16 in `set`. Column by column; a column needs all the columns before it.
 *
 * All 65536 sets share one depth-first search. Every set has a target, its best lower bound; a pass looks for
 * rulers as long as the targets, each of which settles its target for every set it avoids. What a pass has not
 * settled is one longer, and goes into the next. The limit of a partial ruler is that of the set, among
 * those still open and not measured yet, that leaves it most room: ROOM[d][measured], in the place of LIMIT.
 * Each column takes some five times the one before; generate-choose.ts has figures.
 */
import { bound, leftSegments, middleSegments } from './bounds';
import { COLUMN_BYTES, GENERATOR_END, LIMIT, MINLEN, RESIDUES, SETS, SHORTEST, TARGET } from './layout';

const ALL = 0xffff;
const NONE = 0x7fff;
/** Nodes between two looks at what the rulers met so far have settled. */
const STEP = 500_000;

let segments: i32 = 0;
let h: i32 = 0;
let mid: i32 = 0;
let open: i32 = 0;
let openAtLimits: i32 = 0;
let untilLook: i32 = 0;
let fresh: bool = false;

export function init(): void {
  const pages = ((GENERATOR_END + 0xffff) >> 16) - memory.size();
  if (pages > 0) memory.grow(pages);
}

/** Fills MINLEN[k], the columns before it being exact. Needs KNOWN up to k. */
export function column(k: i32): void {
  segments = k;
  mid = middleSegments(k);
  h = k > 2 ? leftSegments(k) : 0;
  open = SETS;
  for (let set = 0; set < SETS; set++) {
    store<i16>(TARGET + set * 2, bound(k, set));
    store<i16>(SHORTEST + set * 2, NONE);
  }
  while (open > 0) {
    raiseTargets();
    makeRoom();
    untilLook = STEP;
    place(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    settle();
    for (let set = 0; set < SETS; set++) {
      const target = load<i16>(TARGET + set * 2);
      if (target >= 0) store<i16>(TARGET + set * 2, target + 1);
    }
  }
}

/** Lays the residues of MINLEN[k], as `expand` wants them, into RESIDUES: the bytes of the table's file. */
export function residues(k: i32): void {
  const table = MINLEN + k * COLUMN_BYTES;
  for (let set = 0; set < SETS; set++) {
    let length = bound(k, set);
    for (let rest = set; rest !== 0; rest &= rest - 1) {
      length = max(length, <i32>load<u16>(table + (set & ~(rest & -rest)) * 2));
    }
    store<u8>(RESIDUES + set, load<u16>(table + set * 2) - length);
  }
}

/** No set's ruler is shorter than that of a set with one distance less. */
function raiseTargets(): void {
  for (let set = 0; set < SETS; set++) {
    let target: i32 = load<i16>(TARGET + set * 2);
    if (target < 0) continue;
    for (let rest = set; rest !== 0; rest &= rest - 1) {
      const less = set & ~(rest & -rest);
      const known: i32 = load<i16>(TARGET + less * 2);
      target = max(target, known < 0 ? <i32>load<u16>(MINLEN + segments * COLUMN_BYTES + less * 2) : known);
    }
    store<i16>(TARGET + set * 2, target);
  }
}

/** ROOM[d][measured]: the last position mark d may take in any ruler that an open set still wants. */
function makeRoom(): void {
  for (let d = 1; d <= segments; d++) {
    const room = LIMIT + d * COLUMN_BYTES;
    const rest = MINLEN + (segments - d) * COLUMN_BYTES;
    const leftRest = MINLEN + (h - d) * COLUMN_BYTES;
    for (let measured = 0; measured < SETS; measured++) store<i16>(room + measured * 2, -1);
    for (let set = 0; set < SETS; set++) {
      const target: i32 = load<i16>(TARGET + set * 2);
      if (target < 0) continue;
      const half = (target - 1 - load<u16>(MINLEN + mid * COLUMN_BYTES + set * 2)) >> 1;
      const others = ALL & ~set;
      for (let measured = others; ; measured = (measured - 1) & others) {
        const both = (measured | set) * 2;
        let limit = target - load<u16>(rest + both);
        if (d <= h) limit = min(limit, half - <i32>load<u16>(leftRest + both));
        if (limit > load<i16>(room + measured * 2)) store<i16>(room + measured * 2, limit);
        if (measured === 0) break;
      }
    }
  }
  openAtLimits = open;
}

function roomOf(d: i32, measured: i32): i32 {
  return load<i16>(LIMIT + d * COLUMN_BYTES + measured * 2);
}

/** Settles every set whose target a ruler met so far reaches: a ruler serves all subsets of what it avoids. */
function settle(): void {
  fresh = false;
  for (let bit = 1; bit < SETS; bit <<= 1) {
    for (let set = 0; set < SETS; set++) {
      if ((set & bit) !== 0) continue;
      const more = load<i16>(SHORTEST + (set | bit) * 2);
      if (more < load<i16>(SHORTEST + set * 2)) store<i16>(SHORTEST + set * 2, more);
    }
  }
  open = 0;
  for (let set = 0; set < SETS; set++) {
    const target = load<i16>(TARGET + set * 2);
    if (target < 0) continue;
    if (load<i16>(SHORTEST + set * 2) <= target) {
      store<u16>(MINLEN + segments * COLUMN_BYTES + set * 2, target);
      store<i16>(TARGET + set * 2, -1);
    } else {
      open += 1;
    }
  }
}

/** From time to time in the search: what is settled needs no room. */
function look(): void {
  untilLook = STEP;
  if (!fresh) return;
  settle();
  if (open < openAtLimits - openAtLimits / 20) makeRoom();
}

/**
 * Tries every place for mark d; the mark before it is at p, mark h at ph. The maps are those of search.ts, 192 bits
 * long, enough for rulers up to 384.
 */
function place(
  d: i32,
  p: i32,
  ph: i32,
  list0: u64,
  list1: u64,
  list2: u64,
  dist0: u64,
  dist1: u64,
  dist2: u64,
  comp0: u64,
  comp1: u64,
  comp2: u64,
): void {
  const before = <i32>(dist0 >> 48);
  let newbit: u64 = 1;
  let limit = roomOf(d, before);
  for (;;) {
    const free = ~comp0;
    // clz of 0 is 64: a full word is passed in two steps, the first of 63 positions.
    const s: u64 = free > 1 ? 1 + clz(free) : 63;
    const r = 64 - s;
    const taken = free <= 1;
    p += <i32>s;
    if (p > limit) return;
    list2 = (list2 >> s) | (list1 << r);
    list1 = (list1 >> s) | (list0 << r);
    list0 = (list0 >> s) | (newbit << r);
    newbit = 0;
    comp0 = (comp0 << s) | (comp1 >> r);
    comp1 = (comp1 << s) | (comp2 >> r);
    comp2 = comp2 << s;
    if (taken) continue;
    const next0 = dist0 | list0;
    const measured = <i32>(next0 >> 48);
    if (p > roomOf(d, measured)) continue;
    if (d === segments) {
      const avoided = SHORTEST + (ALL & ~measured) * 2;
      if (p < load<i16>(avoided)) {
        store<i16>(avoided, p);
        fresh = true;
      }
    } else {
      if (d > h && d <= h + mid && segments > 2) {
        const right = roomOf(segments, measured) - 1 - ph;
        if (p > (d < h + mid ? right - 1 - <i32>clz(~next0) : right)) continue;
      }
      const next1 = dist1 | list1;
      const next2 = dist2 | list2;
      place(
        d + 1,
        p,
        d === h ? p : ph,
        list0,
        list1,
        list2,
        next0,
        next1,
        next2,
        comp0 | next0,
        comp1 | next1,
        comp2 | next2,
      );
    }
    if (--untilLook <= 0) look();
    if (open === 0) return;
    limit = roomOf(d, before);
  }
}
