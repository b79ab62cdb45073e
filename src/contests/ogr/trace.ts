/**
 * The trace of a unit: where the search stood after every `spacing` nodes, so that any interval of it can be done again
 * alone. A state is the differences of the marks placed, up to the node that is next; the search needs nothing more, for
 * the rulers it finds do not change its way. The spacing is LEAST_SPACING, doubled until there are no more than MOST_STATES:
 * 64 to 128 of them in a unit of many nodes, none in one of up to LEAST_SPACING. So every core gives a unit the same trace,
 * however it was sliced, left and resumed.
 *
 * As text, state after state, a letter being a number below 64 (the alphabet of base64url):
 *
 *   letters                        what
 *   1                              how many differences it begins with that the state before has too (the stub, at first)
 *   1                              how many more follow
 *   1 a difference below 32,       these: n, or 32 + (n >> 5) and n & 31
 *   2 a difference up to 1023
 *
 * States ascend: where two part, the later one has the greater difference, or the earlier one ends.
 */
import type { OgrSearch } from '../../domain/contest.ts';
import { marksOf, REACH } from './rulers.ts';
import { lastPosition } from './stubs.ts';

/** A twentieth of a second. A unit without states is checked whole. */
export const LEAST_SPACING = 2 ** 20;
export const MOST_STATES = 128;

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** How far apart the states are of a search that has so many nodes behind and at least one before it. */
export function spacingAt(nodes: number): number {
  let spacing = LEAST_SPACING;
  while (Math.floor(nodes / spacing) > MOST_STATES) spacing *= 2;
  return spacing;
}

/** How many states such a search has met; of a finished one, `nodes` is one less than it had in all. */
export const statesAt = (nodes: number): number => Math.max(0, Math.floor(nodes / spacingAt(nodes)));

/** The states met so far, kept while a unit is searched. */
export class Trace {
  #spacing: number;
  #states: number[][];

  constructor(nodes = 0, states: readonly number[][] = []) {
    this.#spacing = spacingAt(nodes);
    this.#states = [...states];
  }

  /** After how many nodes the next state is due. */
  get due(): number {
    return (this.#states.length + 1) * this.#spacing;
  }

  get states(): readonly number[][] {
    return this.#states;
  }

  add(diffs: number[]): void {
    this.#states.push(diffs);
    if (this.#states.length <= MOST_STATES) return;
    this.#states = this.#states.filter((_, i) => i % 2 === 1);
    this.#spacing *= 2;
  }
}

export function writeTrace(stub: readonly number[], states: readonly (readonly number[])[]): string {
  let text = '';
  let before = stub;
  for (const state of states) {
    const common = commonLength(before, state);
    const letters = [common, state.length - common];
    for (const diff of state.slice(common)) {
      if (diff < 32) letters.push(diff);
      else letters.push(32 + (diff >> 5), diff & 31);
    }
    for (const letter of letters) text += ALPHABET.charAt(letter);
    before = state;
  }
  return text;
}

/**
 * The states of a unit whose search has so many nodes behind and at least one before it. `fault`: why it cannot be the
 * trace of that search, as half a sentence.
 */
export function readTrace(
  search: OgrSearch,
  stub: readonly number[],
  nodes: number,
  text: string,
): { states: number[][]; fault?: undefined } | { fault: string } {
  const states: number[][] = [];
  const distances = new Distances();
  let before = stub;
  let at = 0;
  const next = (): number => ALPHABET.indexOf(text.charAt(at++) || ' ');
  while (at < text.length) {
    const nth = `state ${states.length + 1} of the trace`;
    const common = next();
    const more = next();
    if (common < 0 || common > before.length || more < 1) return { fault: `${nth} is malformed` };
    if (common < stub.length) return { fault: `${nth} is not below the stub ${stub.join('-')}` };
    if (common + more > search.marks - 2) return { fault: `${nth} has ${common + more} differences` };
    const state = before.slice(0, common);
    for (let i = 0; i < more; i++) {
      const letter = next();
      const low = letter < 32 ? letter : next();
      const diff = letter < 32 ? letter : (letter - 32) * 32 + low;
      // Every state can be written in one way only.
      if (low < 0 || low > 31 || diff < 1 || (letter >= 32 && diff < 32)) return { fault: `${nth} is malformed` };
      state.push(diff);
    }
    if (common < before.length && (state[common] ?? 0) <= (before[common] ?? 0)) {
      return { fault: `${nth}, ${state.join('-')}, does not come after ${before.join('-')}` };
    }
    const marks = marksOf(state);
    if (marks.some((mark, i) => i > 0 && mark > lastPosition(search, i))) {
      return { fault: `${nth}, ${state.join('-')}, leaves no room for the other marks` };
    }
    if (!distances.differ(marks)) return { fault: `${nth}, ${state.join('-')}, measures a distance twice` };
    states.push(state);
    before = state;
  }
  const wanted = statesAt(nodes);
  if (states.length !== wanted) return { fault: `the trace has ${states.length} states instead of ${wanted}` };
  return { states };
}

/** In the order of the search: below 0 where `a` comes first. What begins a state comes before it. */
export function compareStates(a: readonly number[], b: readonly number[]): number {
  const common = commonLength(a, b);
  return (a[common] ?? 0) - (b[common] ?? 0);
}

function commonLength(a: readonly number[], b: readonly number[]): number {
  let common = 0;
  while (common < a.length && common < b.length && a[common] === b[common]) common += 1;
  return common;
}

/** What `isGolomb` says within the search's reach, but for 25,000 pairs of marks in a trace it must be quick. */
class Distances {
  /** For each distance, in which call it was met last. */
  readonly #met = new Uint32Array(REACH + 1);
  #call = 0;

  differ(marks: readonly number[]): boolean {
    this.#call += 1;
    for (let i = 1; i < marks.length; i++) {
      for (let j = i - 1; j >= 0; j--) {
        const distance = (marks[i] ?? 0) - (marks[j] ?? 0);
        if (distance > REACH) break;
        if (this.#met[distance] === this.#call) return false;
        this.#met[distance] = this.#call;
      }
    }
    return true;
  }
}
