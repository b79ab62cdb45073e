/**
 * How a client conducts itself in one contest: what it did, which checks it passed, what failed. Trust is earned by checks that
 * were passed and by nothing else, so a new identity is worth what a new client is. The rules are DiCoP's: a block whose evidence
 * fails counts one, a failed known answer three, and at three there is no ordinary work until a known answer is passed.
 *
 * Pure: a conduct and a deed give the next conduct.
 */
import type { Observation, Suspicion } from '../../contests/kind.ts';

/** How it was found out, or shown to be right. */
export type How = 'evidence' | 'spot-check' | 'known-answer' | 'second-run' | 'record';

export interface Conduct {
  /** Accepted. */
  reports: number;
  units: number;
  /** Checks that were passed: spot checks, known answers, second runs. */
  passed: number;
  failed: number;
  /** DiCoP's failure score. */
  score: number;
  /** It was proven wrong, and is not believed before it agrees with a known answer. */
  distrusted: boolean;
  /** When it last got a known answer as an ordinary block, milliseconds since 1970. */
  triedAt: number;
  /** What its evidence says by the laws of chance, where it follows any. */
  suspicion?: Suspicion;
  /** Units a second of one worker, by core. */
  speeds: Record<string, number>;
  error?: string;
  errorAt?: number;
}

export type Deed =
  | {
      kind: 'accepted';
      at: number;
      units: number;
      core: string;
      seconds: number;
      observation?: Observation | undefined;
    }
  | { kind: 'refused'; at: number; detail: string; observation?: Observation | undefined }
  | { kind: 'passed'; at: number; how: How }
  | { kind: 'failed'; at: number; how: How; detail: string }
  | { kind: 'tried'; at: number }
  | { kind: 'pardoned'; at: number };

/** At this score a client gets no ordinary work. */
export const BARRED_AT = 3;
const FAILED_REPORT = 1;
const FAILED_ANSWER = 3;
/** Cores of one client that are remembered; their names are the client's to choose. */
const MAX_CORES = 8;

export const UNKNOWN: Conduct = {
  reports: 0,
  units: 0,
  passed: 0,
  failed: 0,
  score: 0,
  distrusted: false,
  triedAt: 0,
  speeds: {},
};

/** Whether it gets no ordinary work. */
export const isBarred = ({ score, distrusted }: Conduct): boolean => distrusted || score >= BARRED_AT;

export function after(
  conduct: Conduct,
  deed: Deed,
  accumulate?: (record: Suspicion | undefined, observation: Observation) => Suspicion,
): Conduct {
  switch (deed.kind) {
    case 'accepted': {
      const { units, core, seconds } = deed;
      return {
        ...conduct,
        ...observed(deed.observation),
        reports: conduct.reports + 1,
        units: conduct.units + units,
        speeds: learnt(conduct.speeds, core, units / seconds),
      };
    }
    case 'refused': {
      const score = conduct.score + FAILED_REPORT;
      return { ...conduct, ...observed(deed.observation), score, error: deed.detail, errorAt: deed.at };
    }
    case 'passed': {
      const { passed, score, distrusted } = conduct;
      const isKnown = deed.how === 'known-answer';
      return {
        ...conduct,
        passed: passed + 1,
        score: isKnown || deed.how === 'second-run' ? 0 : score,
        // Who was caught could agree with somebody of its kind on a block that it had in hand.
        distrusted: distrusted && !isKnown,
      };
    }
    case 'failed':
      return {
        ...conduct,
        failed: conduct.failed + 1,
        score: conduct.score + FAILED_ANSWER,
        distrusted: true,
        // What was earned before is lost with it.
        passed: 0,
        error: deed.detail,
        errorAt: deed.at,
      };
    case 'tried':
      return { ...conduct, triedAt: deed.at };
    case 'pardoned': {
      const { suspicion: _suspicion, error: _error, errorAt: _errorAt, ...rest } = conduct;
      return { ...rest, score: 0, distrusted: false };
    }
  }

  function observed(observation: Observation | undefined): { suspicion?: Suspicion } {
    if (observation === undefined || accumulate === undefined) return {};
    return { suspicion: accumulate(conduct.suspicion, observation) };
  }
}

/** DiCoP's rule: the mean of the old speed and the new one, but never under half or over twice the old. */
function learnt(speeds: Record<string, number>, core: string, measured: number): Record<string, number> {
  if (!Number.isFinite(measured) || measured <= 0) return speeds;
  const old = speeds[core];
  if (old === undefined) {
    return Object.keys(speeds).length >= MAX_CORES ? speeds : { ...speeds, [core]: measured };
  }
  const factor = Math.min(2, Math.max(0.5, (old + measured) / 2 / old));
  return { ...speeds, [core]: old * factor };
}
