/** Entry of the keymaster's checking thread: does small parts of reports again. */
import { parentPort } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import type { SpotCheck } from '../contests/kind.ts';
import { type Choice, chooseCore } from '../cores/choose.ts';
import { recheck } from '../cores/recheck.ts';
import type { ContestKindName, ContestManifest } from '../domain/contest.ts';
import { allowRelaxedSimd } from './relaxed-simd.ts';

/** Steps at a time: between two slices V8 may put better code in place. */
const BUDGET = 2 ** 18;

const choices = new Map<ContestKindName, Promise<Choice>>();

export const checking = {
  /** @returns what is wrong, as half a sentence; undefined where it agrees. @throws Error no core is right on this machine. */
  async check(manifest: ContestManifest, spot: SpotCheck): Promise<string | undefined> {
    let choice = choices.get(spot.kind);
    if (choice === undefined) {
      choice = chooseCore(spot.kind);
      choices.set(spot.kind, choice);
      choice.catch(() => choices.delete(spot.kind));
    }
    const { core } = await choice;
    if (core === undefined) throw new Error(`no core of kind ${spot.kind} is right on this machine`);
    const again = recheck(core, manifest, spot);
    while (!again.run(BUDGET));
    return again.fault;
  },
};
export type Checking = typeof checking;

if (parentPort === null) throw new Error('check-thread.js is a worker thread, not a program');
allowRelaxedSimd();
expose(checking, nodeEndpoint(parentPort));
