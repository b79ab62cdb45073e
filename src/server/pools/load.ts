/**
 * How busy a gateway is, 0 to 1, by what its clients feel: how many exchanges wait for their answer, how long answers take, and
 * how much of the time the event loop is at work. The largest of the three counts.
 */
import { performance } from 'node:perf_hooks';

/** So many exchanges in hand, or so long for one, is as much as there should be. */
const FULL_QUEUE = 64;
const FULL_LATENCY_MS = 1000;
/** An answer's time counts half after so long. */
const HALF_LIFE_MS = 5000;
const LOOP_EVERY_MS = 2000;

export class LoadMeter {
  readonly #clock: () => number;
  #waiting = 0;
  #latencyMs = 0;
  #at: number;
  #loop = performance.eventLoopUtilization();
  #loopAt: number;
  #busy = 0;

  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
    this.#at = clock();
    this.#loopAt = this.#at;
  }

  /** An exchange has come. @returns to be called with its answer. */
  begin(): () => void {
    const began = this.#clock();
    this.#waiting += 1;
    return () => {
      this.#waiting -= 1;
      this.#decay();
      this.#latencyMs += (this.#clock() - began - this.#latencyMs) / 16;
    };
  }

  load(): number {
    this.#decay();
    const now = this.#clock();
    if (now - this.#loopAt >= LOOP_EVERY_MS) {
      const loop = performance.eventLoopUtilization();
      this.#busy = performance.eventLoopUtilization(loop, this.#loop).utilization;
      this.#loop = loop;
      this.#loopAt = now;
    }
    return Math.min(1, Math.max(this.#waiting / FULL_QUEUE, this.#latencyMs / FULL_LATENCY_MS, this.#busy));
  }

  #decay(): void {
    const now = this.#clock();
    this.#latencyMs *= 0.5 ** ((now - this.#at) / HALF_LIFE_MS);
    this.#at = now;
  }
}
