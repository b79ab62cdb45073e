/**
 * Which contest the next stock comes from. The lowest priority goes first; contests of one priority draw lots, each with
 * its weight, so that over many fills they share the work in that proportion (DiCoP's idea of a job's rank). Contests
 * without a priority come after those that have one, in the order in which the keyserver lists them.
 *
 * A lot holds until the next fill: a draw at every look would never let a stock run low. Lots are exponential variates
 * divided by the weight, of which the least is a contest's own with the probability weight / sum of weights, whichever
 * contests take part (Efraimidis and Spirakis, 2006).
 */
import type { Contest } from '../domain/contest.ts';

export class Lottery {
  readonly #random: () => number;
  readonly #lots = new Map<string, number>();

  /** @param random a number from 0 to 1, as Math.random gives. */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Begins a new draw. */
  redraw(): void {
    this.#lots.clear();
  }

  /** In the order in which work is wanted. */
  inOrder(contests: readonly Contest[]): Contest[] {
    return contests.toSorted((a, b) => tier(a, b) || (hasPriority(a) ? this.#lot(a) - this.#lot(b) : 0));
  }

  #lot({ manifest: { name }, state }: Contest): number {
    const drawn = this.#lots.get(name) ?? -Math.log(1 - this.#random());
    this.#lots.set(name, drawn);
    return drawn / (state.weight ?? 1);
  }
}

/** Whether two contests share the work rather than one going first. */
export function sharesWith(a: Contest, b: Contest): boolean {
  return a.manifest.name === b.manifest.name || (hasPriority(a) && tier(a, b) === 0);
}

const hasPriority = ({ state }: Contest): boolean => state.priority !== undefined;

/** Negative where `a` goes first; 0 for one priority, and where neither has one. */
function tier({ state: a }: Contest, { state: b }: Contest): number {
  if (a.priority === b.priority) return 0;
  return (a.priority ?? Number.POSITIVE_INFINITY) - (b.priority ?? Number.POSITIVE_INFINITY);
}
