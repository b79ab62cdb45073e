/**
 * What a contest kind adds to a line of numbered units: how a report's evidence is checked, and what a hit is.
 * The keymaster and the client meet RC5 and OGR only through this interface.
 */
import type { ContestManifest, Hit } from '../domain/contest.ts';
import type { Report, UnitEvidence } from '../domain/work.ts';
import type { Observation } from './rc5/suspicion.ts';
import type { Steps } from './steps.ts';

export type Verdict =
  | { ok: true; hits: Hit[] }
  | { ok: false; code: 'evidence_false' | 'evidence_missing' | 'report_mismatch'; detail: string };

export type { Observation, Suspicion } from './rc5/suspicion.ts';

export type Which = 'first' | 'second';

/**
 * Two runs of the same units, both verified. `wrong`: whose evidence cannot be whole; `spots`: what to do again of either where that
 * cannot be told from the evidence alone.
 */
export type Agreement =
  | { agree: true }
  | { agree: false; detail: string; wrong: readonly Which[]; spots?: Readonly<Record<Which, SpotCheck>> };

/** A small part of a report's work, to be done again by somebody else; see `cores/recheck.ts`. */
export type SpotCheck = OgrSpotCheck | Rc5SpotCheck;

/** One interval of a unit's trace. */
export interface OgrSpotCheck {
  kind: 'ogr';
  unit: number;
  /** Where it begins; with no nodes behind, at the stub. */
  from: { nodes: number; diffs: number[] };
  /** Its nodes. */
  steps: number;
  /** Where the search must stand then; absent: at its end. */
  to?: number[];
  /** What was reported as the shortest ruler of the whole unit. */
  ruler?: number[];
}

/** A stretch of a unit's keys. */
export interface Rc5SpotCheck {
  kind: 'rc5';
  unit: number;
  /** The first of them, as an offset in the unit. */
  from: number;
  /** How many they are. */
  steps: number;
  /** The near matches reported among them, as offsets in the unit. */
  nearMatches: number[];
}

export interface ContestKind extends Steps {
  /** @throws TypeError the manifest contradicts itself; the message names the field. */
  validate(manifest: ContestManifest): void;
  /**
   * The manifest as everyone but the keymaster gets it: of a blind contest without what tells the winner. Absent where
   * nothing is ever hidden.
   */
  handedOut?(manifest: ContestManifest): ContestManifest;
  /** Whether `verify` finds hits with this manifest: not with what is handed out of a blind contest. Absent: with any. */
  findsHits?(manifest: ContestManifest): boolean;
  /** Checks the evidence of one report whose units are already known to be the lease's. Cheap, pure. */
  verify(manifest: ContestManifest, report: Report): Verdict;
  /**
   * What a report says of the client, to be accumulated in its record (`rc5/suspicion.ts`): one that was verified, or refused for
   * missing evidence alone (what is there is true then). Absent where evidence follows no law of chance.
   */
  observe?(manifest: ContestManifest, report: Report): Observation;
  /** Sets two runs of the same units, from this one on, side by side. */
  compare(
    manifest: ContestManifest,
    unit: number,
    first: readonly UnitEvidence[],
    second: readonly UnitEvidence[],
  ): Agreement;
  /**
   * Which part of a report that `verify` lets pass is to be done again, chosen by `random` (0 to 1, nobody else's to
   * guess); undefined where nothing can be.
   */
  spotCheck(manifest: ContestManifest, report: Report, random: () => number): SpotCheck | undefined;
  /** Orders hits, best first. */
  compareHits(a: Hit, b: Hit): number;
}
