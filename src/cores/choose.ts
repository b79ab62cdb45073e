/**
 * Which core gets the work: every core of the kind is loaded, must give all known answers on this machine, and is
 * timed for a moment on the open contest of its kind; the fastest right one is chosen.
 */
import { manifests } from '../contests/manifests.ts';
import type { ContestKindName } from '../domain/contest.ts';
import { catalogue } from './catalogue.ts';
import type { Core } from './core.ts';

const MEASURE_MS = 60;

export interface Choice {
  /** Undefined when no core is right on this machine. */
  core: Core | undefined;
  tried: { name: string; differences: string[]; stepsPerSecond: number }[];
}

/** @throws Error a kernel or table could not be fetched: later it may be. */
export async function chooseCore(kind: ContestKindName): Promise<Choice> {
  let core: Core | undefined;
  let best = 0;
  const tried: Choice['tried'] = [];
  for (const entry of catalogue) {
    if (entry.kind !== kind) continue;
    const result = { name: entry.name, differences: [] as string[], stepsPerSecond: 0 };
    tried.push(result);
    const loaded = await entry.load();
    result.differences = loaded.rows.map((row) => loaded.difference(row)).filter((line) => line !== undefined);
    if (result.differences.length > 0) continue;
    result.stepsPerSecond = measure(loaded.core);
    if (result.stepsPerSecond <= best) continue;
    best = result.stepsPerSecond;
    core = loaded.core;
  }
  return { core, tried };
}

/** Keys or nodes a second on the first unit of the last contest of the core's kind: the open one. */
export function measure(core: Core, milliseconds = MEASURE_MS): number {
  const manifest = manifests.findLast(({ search }) => search.kind === core.kind);
  if (manifest === undefined) throw new TypeError(`no contest of kind ${core.kind}`);
  const search = core.open(manifest, 0);
  let budget = 2 ** 12;
  search.run(budget);
  const from = search.steps;
  const start = performance.now();
  for (let elapsed = 0; elapsed < milliseconds; elapsed = performance.now() - start) {
    if (search.run(budget)) break;
    // The last slice should end when the time is over.
    const perMs = (search.steps - from) / (performance.now() - start);
    budget = Math.max(2 ** 12, Math.min(budget * 2, Math.round(perMs * (milliseconds - elapsed))));
  }
  return ((search.steps - from) * 1000) / (performance.now() - start);
}
