/**
 * Which core gets the work: every core of the kind is loaded, must give all known answers on this machine, and is
 * timed for a moment on the open contest of its kind; the fastest right one is chosen. Whoever asks may remember the
 * outcome and give it back next time: then only the chosen core is loaded and put to its known answers, in brief.
 */
import { manifests } from '../contests/manifests.ts';
import type { ContestKindName } from '../domain/contest.ts';
import type { CoreReport } from '../domain/core-report.ts';
import { type CoreEntry, catalogue, type LoadedCore } from './catalogue.ts';
import type { Core } from './core.ts';
import { isUnsupported } from './load.ts';

/** Turns that every core gets, all of them in between each other, and how long a turn is. */
const TURNS = 4;
const TURN_MS = 40;

export interface Choice {
  /** Undefined when no core is right on this machine. */
  core: Core | undefined;
  tried: CoreReport[];
}

/**
 * @param known what an earlier choice on the same machine and browser found
 * @throws Error a kernel or table could not be fetched, and no other core is right: later it may be.
 */
export async function chooseCore(
  kind: ContestKindName,
  known: readonly CoreReport[] = [],
  entries: readonly CoreEntry[] = catalogue,
): Promise<Choice> {
  const ofKind = entries.filter((entry) => entry.kind === kind);
  const before = known.find(({ state }) => state === 'chosen');
  const entry = ofKind.find(({ name }) => name === before?.name);
  // A core that was not there then might be faster.
  const complete = ofKind.every(({ name }) => known.some((report) => report.name === name));
  if (entry !== undefined && complete) {
    const { core } = await tryCore(entry, true);
    if (core !== undefined) return { core, tried: [...known] };
  }

  const candidates = [];
  let unfetched: unknown;
  for (const entry of ofKind) {
    try {
      candidates.push(await tryCore(entry));
    } catch (error) {
      // The others can do the work; since this one is not among those tried, the choice is made anew next time.
      unfetched ??= error;
    }
  }
  const right = candidates.flatMap(({ report, core }) => (core === undefined ? [] : [{ report, core }]));
  if (right.length === 0 && unfetched !== undefined) throw unfetched;
  // The best turn of each counts: the first ones may still run what the browser compiled in haste.
  for (let turn = 0; turn < TURNS; turn++) {
    for (const { report, core } of right) {
      report.stepsPerSecond = Math.max(report.stepsPerSecond, measure(core, TURN_MS));
    }
  }
  const best = right.toSorted((a, b) => b.report.stepsPerSecond - a.report.stepsPerSecond)[0];
  if (best !== undefined) best.report.state = 'chosen';
  return { core: best?.core, tried: candidates.map(({ report }) => report) };
}

/** Loads a core and puts the known answers to it; without `core` it is not to be used. */
async function tryCore(entry: CoreEntry, brief = false): Promise<{ report: CoreReport; core?: Core }> {
  const report: CoreReport = { name: entry.name, state: 'slower', stepsPerSecond: 0 };
  let loaded: LoadedCore;
  try {
    loaded = await entry.load();
  } catch (error) {
    if (!isUnsupported(error)) throw error;
    return { report: { ...report, state: 'unsupported', detail: ['WebAssembly', ...entry.requires].join(', ') } };
  }
  try {
    const detail = loaded.rows.map((row) => loaded.difference(row, brief)).find((line) => line !== undefined);
    if (detail !== undefined) return { report: { ...report, state: 'wrong', detail } };
  } catch (error) {
    // A kernel that traps is as wrong as one that errs.
    return { report: { ...report, state: 'wrong', detail: error instanceof Error ? error.message : String(error) } };
  }
  return { report, core: loaded.core };
}

/** Keys or nodes a second on the first unit of the last contest of the core's kind: the open one. */
export function measure(core: Core, milliseconds: number): number {
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
