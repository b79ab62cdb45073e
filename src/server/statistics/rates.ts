/**
 * How fast contests are worked on, as the personal proxy averages: units are counted in chunks of time, 288 of five minutes
 * unless told, in a ring.
 *
 * A chunk knows which chunk of all time it is. So whatever the clock does, nothing is counted twice or in the wrong place:
 * what lies in the future of a clock set back does not count until it comes, and is overwritten by what belongs there.
 */
import { type Static, Type } from 'typebox';

const Window = Type.Object({
  /** When counting began, milliseconds since 1970. */
  since: Type.Number(),
  /** The number of a chunk since 1970, and its units; the oldest first. */
  chunks: Type.Array(Type.Tuple([Type.Integer(), Type.Number({ minimum: 0 })])),
});

/** What is kept of all contests. */
export const SavedRates = Type.Object({
  chunkSeconds: Type.Integer({ minimum: 1 }),
  contests: Type.Record(Type.String(), Window),
});
export type SavedRates = Static<typeof SavedRates>;

export interface RateOptions {
  /** 6 to 2016; 288 unless told. */
  chunks?: number | undefined;
  /** 60 to 1800; 300 unless told. */
  chunkSeconds?: number | undefined;
}

/** A rate is over this much at least: a start's first report would make a monster of it. */
const LEAST_SECONDS = 60;

export class Rates {
  readonly #chunks: number;
  readonly #chunkSeconds: number;
  readonly #contests = new Map<string, RateWindow>();

  /** @throws RangeError an option is out of its range; the message names it. */
  constructor({ chunks = 288, chunkSeconds = 300 }: RateOptions = {}) {
    this.#chunks = within('chunks', chunks, 6, 2016);
    this.#chunkSeconds = within('chunkSeconds', chunkSeconds, 60, 1800);
  }

  /** `at`: the clock now, milliseconds since 1970. */
  add(contest: string, units: number, at: number): void {
    let window = this.#contests.get(contest);
    if (window === undefined) {
      window = new RateWindow(this.#chunks, this.#chunkSeconds, at);
      this.#contests.set(contest, window);
    }
    window.add(units, at);
  }

  /** Over the seconds before `now`, or as many as are counted. */
  unitsPerSecond(contest: string, seconds: number, now: number): number {
    return this.#contests.get(contest)?.unitsPerSecond(seconds, now) ?? 0;
  }

  /** Units of the seconds before `now`: what was not counted yet is nothing. */
  units(contest: string, seconds: number, now: number): number {
    return this.#contests.get(contest)?.unitsOver(seconds, now) ?? 0;
  }

  toJSON(): SavedRates {
    const contests = Object.fromEntries([...this.#contests].map(([name, window]) => [name, window.toJSON()]));
    return { chunkSeconds: this.#chunkSeconds, contests };
  }

  /** Takes up what was kept, also in chunks of another length. */
  static from(saved: SavedRates, options: RateOptions = {}): Rates {
    const rates = new Rates(options);
    for (const [name, { since, chunks }] of Object.entries(saved.contests)) {
      const window = new RateWindow(rates.#chunks, rates.#chunkSeconds, since);
      for (const [chunk, units] of chunks) window.add(units, Math.max(since, chunk * saved.chunkSeconds * 1000));
      rates.#contests.set(name, window);
    }
    return rates;
  }
}

export class RateWindow {
  readonly #chunkMs: number;
  /** One more than are averaged: the oldest counts in part. */
  readonly #units: Float64Array;
  readonly #numbers: Float64Array;
  #since: number;

  constructor(chunks: number, chunkSeconds: number, since: number) {
    this.#chunkMs = chunkSeconds * 1000;
    this.#units = new Float64Array(chunks + 1);
    this.#numbers = new Float64Array(chunks + 1).fill(Number.NaN);
    this.#since = since;
  }

  add(units: number, at: number): void {
    if (!(units >= 0 && Number.isFinite(units))) throw new RangeError(`${units} is no number of units`);
    const chunk = Math.floor(at / this.#chunkMs);
    const i = this.#indexOf(chunk);
    if (this.#numbers[i] !== chunk) {
      this.#numbers[i] = chunk;
      this.#units[i] = 0;
    }
    this.#units[i] = (this.#units[i] ?? 0) + units;
    this.#since = Math.min(this.#since, at);
  }

  unitsPerSecond(seconds: number, now: number): number {
    const windowMs = this.#windowMs(seconds);
    const counted = Math.min(windowMs, Math.max(now - this.#since, LEAST_SECONDS * 1000));
    return (this.unitsOver(seconds, now) * 1000) / counted;
  }

  unitsOver(seconds: number, now: number): number {
    const windowMs = this.#windowMs(seconds);
    const start = now - windowMs;
    const last = Math.floor(now / this.#chunkMs);
    const first = Math.floor(start / this.#chunkMs);
    let units = 0;
    for (let chunk = first; chunk <= last; chunk++) {
      const i = this.#indexOf(chunk);
      if (this.#numbers[i] !== chunk) continue;
      // As if its units had come evenly, since counting began.
      const end = (chunk + 1) * this.#chunkMs;
      const begin = Math.max(chunk * this.#chunkMs, Math.min(this.#since, end - 1));
      units += (this.#units[i] ?? 0) * Math.min(1, (end - start) / (end - begin));
    }
    return units;
  }

  #windowMs(seconds: number): number {
    const longest = (this.#units.length - 1) * this.#chunkMs;
    return Math.min(Math.max(seconds * 1000, LEAST_SECONDS * 1000), longest);
  }

  toJSON(): Static<typeof Window> {
    const chunks = Array.from(this.#numbers, (chunk, i): [number, number] => [chunk, this.#units[i] ?? 0]);
    return {
      since: this.#since,
      chunks: chunks.filter(([chunk]) => !Number.isNaN(chunk)).toSorted(([a], [b]) => a - b),
    };
  }

  #indexOf(chunk: number): number {
    const length = this.#units.length;
    return ((chunk % length) + length) % length;
  }
}

function within(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`${name} must be a whole number from ${least} to ${most}, not ${value}`);
}
