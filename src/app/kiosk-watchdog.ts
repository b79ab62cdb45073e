/**
 * Reloads the kiosk's page where nothing else helped: it wants to compute, has work, and for minutes nothing moved. The
 * engine replaces single workers by itself; this is for all that nobody has thought of. Each time that it did not help the
 * next is later, from five minutes to some hours, and what was tried is remembered over the reload.
 *
 * Time is counted in its own ticks, so that a machine that slept was not stuck.
 */
import { Type } from 'typebox';
import type { EngineSnapshot } from '../client/snapshot.ts';
import type { Kept } from './kiosk-device.ts';

/** How often it is to look. */
export const LOOK_MS = 10_000;
const STUCK_LOOKS = 18;
const FIRST_AGAIN_MS = 300_000;
const LONGEST_AGAIN_MS = 4 * 3_600_000;
/** After so many looks at which it moved, what was tried is forgotten. */
const WELL_LOOKS = 60;

const NAME = 'tabherd-kiosk-reloads';
const Reloads = Type.Object({ count: Type.Integer({ minimum: 0 }), at: Type.Integer() });

export class PageWatchdog {
  readonly #kept: Kept;
  #last = '';
  #stuck = 0;
  #well = 0;

  constructor(kept: Kept) {
    this.#kept = kept;
  }

  /** @returns whether the page should be loaded again now; that it will be is noted. */
  look(snapshot: EngineSnapshot, now: number): boolean {
    const trace = traceOf(snapshot);
    const moved = trace !== this.#last || !shouldMove(snapshot);
    this.#last = trace;
    this.#stuck = moved ? 0 : this.#stuck + 1;
    this.#well = moved ? this.#well + 1 : 0;
    if (this.#well === WELL_LOOKS) this.#kept.set(NAME, undefined);
    if (this.#stuck < STUCK_LOOKS) return false;
    const { count, at } = this.#kept.get(NAME, Reloads) ?? { count: 0, at: 0 };
    const wait = Math.min(LONGEST_AGAIN_MS, FIRST_AGAIN_MS * 2 ** Math.min(20, count - 1));
    // A clock that was set back is no reason to wait for longer.
    if (count > 0 && now - at < wait && now >= at) return false;
    this.#kept.set(NAME, { count: count + 1, at: now });
    // A reload that fails, as without a network, comes back here.
    this.#stuck = 0;
    return true;
  }
}

/** There is something to compute, and nothing that it says keeps it from doing so. */
function shouldMove({ wanted, pause, blocks, inBuffer }: EngineSnapshot): boolean {
  if (!wanted || blocks.length + inBuffer === 0) return false;
  return pause === null || pause.reason === 'starting' || pause.reason === 'no-core';
}

function traceOf({ blocks, inBuffer, outBuffer, totals }: EngineSnapshot): string {
  return JSON.stringify([blocks.map(({ lease, steps }) => [lease, steps]), inBuffer, outBuffer, totals]);
}
