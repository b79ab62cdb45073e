/**
 * How many blocks a second clients work, by the hour of the week, from the habits of many more of them than can be
 * simulated: what a few clients happen to be like is the largest error of a small slice, and this takes it away.
 */
import { BLOCK_SECONDS } from '../../../client/stock.ts';
import { randomOf } from '../random.ts';
import { habitsOf, keysPerSecondOf, workersOf } from './habits.ts';

const HOUR_MS = 3_600_000;
const SAMPLE = 20_000;

export interface Demand {
  /** Blocks a second of one client, and of one in the busiest hour. */
  mean: number;
  peak: number;
  /** The busiest hour, from the start. */
  peakHour: number;
  /** The share of clients that are at work. */
  atWork: number;
}

/** @param start a Monday, 0:00 UTC, milliseconds since 1970. */
export function demandOf(seed: number, start: number, days: number): Demand {
  const blocks = new Float64Array(days * 24);
  let atWork = 0;
  for (let n = 0; n < SAMPLE; n++) {
    const random = randomOf(seed, 'demand', n);
    const { sessions } = habitsOf(random, start, days);
    const workers = workersOf(random);
    const unitsPerSecond = keysPerSecondOf(random) / 2 ** 28;
    const units = Math.min(256, Math.max(1, Math.round(unitsPerSecond * BLOCK_SECONDS)));
    const blocksPerMs = (workers * unitsPerSecond) / units / 1000;
    for (const { from, to } of sessions) {
      atWork += to - from;
      for (let hour = Math.floor((from - start) / HOUR_MS); start + hour * HOUR_MS < to; hour++) {
        const ms = Math.min(to, start + (hour + 1) * HOUR_MS) - Math.max(from, start + hour * HOUR_MS);
        blocks[hour] = (blocks[hour] ?? 0) + ms * blocksPerMs;
      }
    }
  }
  const peakHour = blocks.indexOf(Math.max(...blocks));
  const perSecond = (sum: number, hours: number): number => sum / SAMPLE / hours / 3600;
  return {
    mean: perSecond(
      blocks.reduce((sum, some) => sum + some, 0),
      blocks.length,
    ),
    peak: perSecond(blocks[peakHour] ?? 0, 1),
    peakHour,
    atWork: atWork / SAMPLE / (blocks.length * HOUR_MS),
  };
}
