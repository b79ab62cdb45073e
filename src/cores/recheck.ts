/**
 * Does a spot check: runs the chosen part of a unit again, in slices like any unit, and says what differs from the report.
 * An interval of OGR is known by its two ends and the nodes between them, a stretch of RC5 by its near matches.
 */
import type { OgrSpotCheck, Rc5SpotCheck, SpotCheck } from '../contests/kind.ts';
import { diffsOf } from '../contests/ogr/rulers.ts';
import { compareStates } from '../contests/ogr/trace.ts';
import type { ContestManifest } from '../domain/contest.ts';
import type { UnitCheckpoint } from '../domain/work.ts';
import type { Core, UnitSearch } from './core.ts';

/** A spot check being done. It can be given up after any slice. */
export interface Recheck {
  /** Runs about `budget` steps more. Returns true once it is decided. */
  run(budget: number): boolean;
  /** Steps done so far. */
  readonly steps: number;
  /** What is wrong with the report, as half a sentence; undefined where nothing is, or it is not decided yet. */
  readonly fault: string | undefined;
}

/** Begins a spot check. The core forgets the unit that it was at. */
export function recheck(core: Core, manifest: ContestManifest, spot: SpotCheck): Recheck {
  return spot.kind === 'ogr' ? recheckInterval(core, manifest, spot) : recheckKeys(core, manifest, spot);
}

function recheckInterval(core: Core, manifest: ContestManifest, spot: OgrSpotCheck): Recheck {
  const { unit, from, steps, to } = spot;
  const search = core.open(manifest, unit, { format: 'ogr-3', unit, ...from });
  const stands = () => checkpointAt(search, 'ogr-3').diffs;
  // The kernel goes on after a place where its search never is.
  const isThere = from.nodes === 0 || compareStates(stands(), from.diffs) === 0;
  const begins = isThere ? undefined : `the search is never at ${from.diffs.join('-')}`;
  return doneAgain(search, from.nodes, steps, begins, (done, ended) => {
    if (ended && (to !== undefined || done !== steps)) return `the search ends after ${from.nodes + done} nodes`;
    if (!ended && to !== undefined) {
      const order = compareStates(stands(), to);
      // Past it, the rest need not be run.
      if (order > 0 || (done === steps && order < 0)) {
        return `after ${from.nodes + done} nodes the search is at ${stands().join('-')}, not at ${to.join('-')}`;
      }
    }
    if (done < steps && !ended) return undefined;
    if (done > steps || (!ended && to === undefined)) return `the search goes on after ${from.nodes + steps} nodes`;
    return rulerFault(spot, checkpointAt(search, 'ogr-3').ruler);
  });
}

/** What the shortest ruler of the interval says about the one reported: of equals the first counts. */
function rulerFault({ from, to, ruler }: OgrSpotCheck, found: number[] | undefined): string | undefined {
  const length = (marks: number[]): number => marks.at(-1) ?? 0;
  if (ruler !== undefined) {
    // The last mark is no node, so a ruler is met at the mark before it.
    const node = diffsOf(ruler).slice(0, -1);
    const isHere = compareStates(node, from.diffs) >= 0 && (to === undefined || compareStates(node, to) < 0);
    if (isHere && found?.join() !== ruler.join()) return `the search does not find the ruler ${ruler.join('-')}`;
    if (isHere) return undefined;
  }
  if (found === undefined) return undefined;
  if (ruler !== undefined) {
    const order = length(found) - length(ruler) || compareStates(diffsOf(found), diffsOf(ruler));
    if (order > 0) return undefined;
  }
  return `the search finds the ruler ${found.join('-')}, which was not reported`;
}

function recheckKeys(core: Core, manifest: ContestManifest, spot: Rc5SpotCheck): Recheck {
  const { unit, from, steps, nearMatches } = spot;
  const search = core.open(manifest, unit, { format: 'rc5-1', unit, keysDone: from, nearMatches: [] });
  return doneAgain(search, from, steps, undefined, (done) => {
    if (done < steps) return undefined;
    const found = checkpointAt(search, 'rc5-1').nearMatches;
    const missing = found.find((offset) => !nearMatches.includes(offset));
    if (missing !== undefined) return `the near match at key ${missing} is missing`;
    const madeUp = nearMatches.find((offset) => !found.includes(offset));
    return madeUp === undefined ? undefined : `the key ${madeUp} is no near match`;
  });
}

/** @param judge what is wrong after so many steps of it, `ended`: with the unit at its end */
function doneAgain(
  search: UnitSearch,
  from: number,
  steps: number,
  begins: string | undefined,
  judge: (done: number, ended: boolean) => string | undefined,
): Recheck {
  let fault = begins;
  let decided = fault !== undefined;
  return {
    run(budget) {
      if (decided) return true;
      const ended = search.run(Math.min(budget, from + steps - search.steps));
      const done = search.steps - from;
      fault = judge(done, ended);
      decided = fault !== undefined || ended || done >= steps;
      return decided;
    },
    get steps() {
      return search.steps - from;
    },
    get fault() {
      return fault;
    },
  };
}

function checkpointAt<F extends UnitCheckpoint['format']>(
  search: UnitSearch,
  format: F,
): Extract<UnitCheckpoint, { format: F }> {
  const checkpoint = search.checkpoint();
  if (checkpoint.format !== format) throw new TypeError(`a core's checkpoint is ${checkpoint.format}, not ${format}`);
  return checkpoint as Extract<UnitCheckpoint, { format: F }>;
}
