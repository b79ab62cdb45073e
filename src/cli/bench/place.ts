/** Where cores run: a browser or a Node of its own, each with the same timer in it (`src/bench/core-timer.ts`). */
import type { BenchApi } from '../../bench/bench-api.ts';

export interface Place {
  /** `chromium`, `node`. */
  readonly name: string;
  /** With its engine's version, for the report. */
  readonly version: string;
  readonly api: BenchApi;
  close(): Promise<void>;
}
