/**
 * The rate of the last minute, hour, day and month, each thinner than the one before: a second, ten seconds, five minutes,
 * two hours of work in one mean. Only time in which work was done is in it; the rest are holes.
 */
import type { RateSample } from './snapshot.ts';

/** How many seconds one mean is of, and how many are kept. */
export const SPANS = {
  minute: { every: 1, count: 60 },
  hour: { every: 10, count: 360 },
  day: { every: 300, count: 288 },
  month: { every: 7200, count: 372 },
} as const;
export type Span = keyof typeof SPANS;

/** The mean of so many seconds' rates, from `at` on, milliseconds since 1970. */
export interface RateMean extends RateSample {
  seconds: number;
}

/** What is kept: the last minute is over when anyone reads it again. */
export type KeptHistory = Record<Exclude<Span, 'minute'>, RateMean[]>;

const spans = Object.keys(SPANS) as Span[];

export class RateHistory {
  #means: Record<Span, RateMean[]>;

  constructor(kept?: KeptHistory) {
    this.#means = { minute: [], hour: [], day: [], month: [], ...kept };
  }

  /** Oldest first. The same array until something is added. */
  of(span: Span): readonly RateMean[] {
    return this.#means[span];
  }

  get kept(): KeptHistory {
    const { minute: _, ...kept } = this.#means;
    return kept;
  }

  /** One second's rate. */
  add(sample: RateSample): void {
    for (const span of spans) this.#means[span] = added(this.#means[span], sample, span);
  }
}

function added(means: readonly RateMean[], { at, rate, step }: RateSample, span: Span): RateMean[] {
  const { every, count } = SPANS[span];
  const from = Math.floor(at / (1000 * every)) * 1000 * every;
  const oldest = from - 1000 * every * (count - 1);
  const past = means.filter((mean) => mean.at >= oldest && mean.at <= from);
  // Those of a clock that was ahead have their time yet to come.
  const ahead = means.filter((mean) => mean.at > from).slice(0, count);
  const last = past.at(-1);
  // Where the contest has changed from keys to nodes, there are two of one time.
  if (last === undefined || last.at < from || last.step !== step) {
    return [...past, { at: from, rate, step, seconds: 1 }, ...ahead];
  }
  const seconds = last.seconds + 1;
  const mean = { at: from, rate: last.rate + (rate - last.rate) / seconds, step, seconds };
  return [...past.slice(0, -1), mean, ...ahead];
}
