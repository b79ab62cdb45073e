/**
 * Units a client has finished, as a short list of runs: first, past, first, past, … ascending, neighbours as one. It is kept
 * with the totals, and told to the other tabs every second, so it is bounded: of too many runs the shortest are forgotten,
 * which a picture would show least.
 */
import { endOf, type UnitRange } from '../domain/units.ts';

export const MAX_RUNS = 512;

/** The list with these units in it. */
export function withRun(runs: readonly number[], range: UnitRange, most = MAX_RUNS): number[] {
  let { first } = range;
  let past = endOf(range);
  const before: number[] = [];
  const after: number[] = [];
  for (let i = 0; i + 1 < runs.length; i += 2) {
    const [from, to] = [runs[i] as number, runs[i + 1] as number];
    if (to < first) before.push(from, to);
    else if (from > past) after.push(from, to);
    else {
      first = Math.min(first, from);
      past = Math.max(past, to);
    }
  }
  return bounded([...before, first, past, ...after], most);
}

function bounded(runs: number[], most: number): number[] {
  if (runs.length <= 2 * most) return runs;
  let shortest = 0;
  const length = (i: number): number => (runs[i + 1] as number) - (runs[i] as number);
  for (let i = 2; i + 1 < runs.length; i += 2) if (length(i) < length(shortest)) shortest = i;
  return runs.toSpliced(shortest, 2);
}
