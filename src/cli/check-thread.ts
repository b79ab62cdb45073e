/** Entry of the keymaster's checking thread: does small parts of reports again. */
import { parentPort } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import type { SpotCheck } from '../contests/kind.ts';
import { type Choice, chooseCore } from '../cores/choose.ts';
import { recheck } from '../cores/recheck.ts';
import type { ContestKindName, ContestManifest } from '../domain/contest.ts';
import type { Checked } from '../server/trust/checks.ts';
import { allowRelaxedSimd } from './relaxed-simd.ts';

/** Steps at a time: between two slices V8 may put better code in place. */
const BUDGET = 2 ** 18;

/** An honest interval takes seconds, of the largest units some tens of them. */
const LONGEST_MS = 120_000;

const choices = new Map<ContestKindName, Promise<Choice>>();

export const checking = {
  /** @throws Error no core is right on this machine. */
  async check(manifest: ContestManifest, spot: SpotCheck): Promise<Checked> {
    let choice = choices.get(spot.kind);
    if (choice === undefined) {
      choice = chooseCore(spot.kind);
      choices.set(spot.kind, choice);
      choice.catch(() => choices.delete(spot.kind));
    }
    const { core } = await choice;
    if (core === undefined) throw new Error(`no core of kind ${spot.kind} is right on this machine`);
    const again = recheck(core, manifest, spot);
    const end = performance.now() + LONGEST_MS;
    while (!again.run(BUDGET)) if (performance.now() > end) return 'undecided';
    return again.fault === undefined ? 'agrees' : { fault: again.fault };
  },
};
export type Checking = typeof checking;

if (parentPort === null) throw new Error('check-thread.js is a worker thread, not a program');
allowRelaxedSimd();
expose(checking, nodeEndpoint(parentPort));
