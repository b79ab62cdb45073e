/** The engine's state as its faces see it: a pure function of what the engine and its parts hold. */
import { marksOf } from '../contests/ogr/rulers.ts';
import { steps } from '../contests/steps.ts';
import type { ContestKindName } from '../domain/contest.ts';
import { type BlockCheckpoint, KEYS_PER_UNIT } from '../domain/work.ts';
import { type Counter, isDue } from './counter.ts';
import type { Hand } from './crew.ts';
import type { Holdings } from './holdings.ts';
import type { Limits } from './limits.ts';
import { isWanted } from './preference.ts';
import type { BlockProgress, EngineSnapshot, Pause, Totals } from './snapshot.ts';

/** Why a kind of contest cannot be computed here, until when. */
export interface Unusable {
  /** `no-core`: wrong answers, or workers that keep failing. `unreachable`: the kernel could not be fetched. */
  reason: 'no-core' | 'unreachable';
  detail: string;
  until: number;
}

export interface EngineView
  extends Pick<
    EngineSnapshot,
    'wanted' | 'finishing' | 'updateWaits' | 'settings' | 'conditions' | 'maxWorkers' | 'storage' | 'notices'
  > {
  environment: string;
  everStarted: boolean;
  otherRuns: boolean;
  limits: Limits;
  /** Messages of the day, as told. */
  told: readonly string[];
  hands: readonly Hand[];
  unusable: ReadonlyMap<ContestKindName, Unusable>;
  holdings: Holdings;
  counter: Counter;
}

export function view(engine: EngineView): EngineSnapshot {
  const { wanted, finishing, updateWaits, settings, conditions, limits, maxWorkers, storage, notices } = engine;
  const { holdings, counter } = engine;
  const blocks = wanted ? engine.hands.flatMap(progressOf) : [];
  const pause = pauseOf(engine, blocks.length > 0);
  const contest =
    holdings.contest(blocks[0]?.contest ?? '') ?? holdings.contests.find(({ state }) => state.state === 'open');
  return {
    wanted,
    pause,
    finishing,
    updateWaits,
    settings,
    conditions,
    workers: limits.workers,
    maxWorkers,
    throttle: limits.throttle,
    rate: pause === null ? blocks.reduce((sum, { rate }) => sum + rate, 0) : 0,
    step: steps[contest?.manifest.search.kind ?? 'rc5'].step,
    blocks,
    cores: (Object.keys(steps) as ContestKindName[]).flatMap((kind) =>
      (holdings.coresOf(kind, engine.environment) ?? []).map((core) => ({ ...core, step: steps[kind].step })),
    ),
    contests: [...holdings.contests],
    begun: begunOf(holdings, blocks),
    inBuffer: holdings.blocks.size - blocks.length,
    outBuffer: holdings.reports.size,
    totals: withoutRuns(holdings.totals),
    own: holdings.own,
    found: holdings.found,
    gateway: counter.gateway,
    storage,
    messages: engine.told.filter((message) => !holdings.dismissed.includes(message)),
    tooOld: counter.tooOld ?? null,
    notices,
  };
}

function progressOf({ lease, progress }: Hand): BlockProgress[] {
  if (progress === undefined) return [];
  const { unit, fraction, rate, checkpoint } = progress;
  const secondsLeft = (checkpoint.seconds * (1 - fraction)) / fraction;
  const { id, contest, first, count } = lease;
  const details = detailsOf(checkpoint);
  const block = { lease: id, contest, first, count, unit, fraction, rate, steps: checkpoint.steps, ...details };
  return [checkpoint.seconds > 1 && Number.isFinite(secondsLeft) ? { ...block, secondsLeft } : block];
}

/** Near matches shown of a block, the latest: some sixteen units have so many, and they are told to the other tabs every second. */
const MAX_NEAR_MATCHES = 256;

/** What can be drawn of a search, out of its checkpoint. */
export function detailsOf({ evidence, unit }: BlockCheckpoint): Pick<BlockProgress, 'nearMatches' | 'marks'> {
  if (unit?.format === 'ogr-3') return { marks: marksOf(unit.diffs) };
  const nearMatches: number[] = [];
  for (const [nth, one] of evidence.entries()) {
    if (one.kind === 'rc5') nearMatches.push(...one.nearMatches.map((offset) => nth * KEYS_PER_UNIT + offset));
  }
  if (unit !== undefined) {
    nearMatches.push(...unit.nearMatches.map((offset) => evidence.length * KEYS_PER_UNIT + offset));
  }
  return nearMatches.length === 0 ? {} : { nearMatches: nearMatches.slice(-MAX_NEAR_MATCHES) };
}

/** They are in `own`. */
const withoutRuns = (totals: Totals): Totals =>
  Object.fromEntries(Object.entries(totals).map(([contest, { blocks, units }]) => [contest, { blocks, units }]));

function pauseOf(
  { wanted, everStarted, updateWaits, otherRuns, settings, limits, unusable, holdings, counter }: EngineView,
  busy: boolean,
): Pause | null {
  if (!wanted && holdings.stopped !== undefined) return { reason: 'stopped', detail: holdings.stopped };
  if (!wanted) return { reason: everStarted ? 'by-you' : 'not-started' };
  if (otherRuns) return { reason: 'another-tab' };
  if (limits.pause !== undefined) return limits.pause;
  if (busy) return null;
  if (updateWaits) return { reason: 'updating' };
  const open = holdings.contests.filter(({ state }) => state.state === 'open');
  const chosen = open.filter(isWanted(settings));
  if (open.length > 0 && chosen.length === 0) return { reason: 'none-chosen' };
  const reasons = chosen.map(({ manifest }) => unusable.get(manifest.search.kind));
  const [first] = reasons;
  if (first !== undefined && reasons.every((reason) => reason !== undefined && !isDue(reason.until))) {
    const { reason, detail, until: retryAt } = first;
    return reason === 'no-core' ? { reason, detail } : { reason, retryAt };
  }
  if (holdings.blocks.size > 0) return { reason: 'starting' };
  if (!limits.mayTalk) return { reason: 'metered' };
  if (counter.tooOld !== undefined) return { reason: 'too-old', ...counter.tooOld };
  if (!isDue(counter.waitUntil)) return { reason: 'told-to-wait', until: counter.waitUntil };
  if (!counter.mayCall) return { reason: 'unreachable', retryAt: counter.retryAt };
  const nothing = holdings.contests.length > 0 && open.length === 0 ? 'all-closed' : 'no-work';
  if (!counter.mayAsk) return { reason: nothing, retryAt: counter.askAt };
  return { reason: 'starting' };
}

/** Blocks that nobody is at, and that were begun. */
function begunOf({ blocks }: Holdings, inHand: readonly BlockProgress[]): number {
  const leases = new Set(inHand.map(({ lease }) => lease));
  return [...blocks.values()].filter(({ lease, checkpoint }) => checkpoint !== undefined && !leases.has(lease.id))
    .length;
}
