/**
 * What a contest kind adds to a line of numbered units: how a report's evidence is checked, and what a hit is.
 * The keymaster and the client meet RC5 and OGR only through this interface.
 */
import type { ContestManifest, Hit } from '../domain/contest.ts';
import type { Report, UnitEvidence } from '../domain/work.ts';
import type { Observation } from './rc5/suspicion.ts';

export type Verdict =
  | { ok: true; hits: Hit[] }
  | { ok: false; code: 'evidence_false' | 'evidence_missing' | 'report_mismatch'; detail: string };

export type { Observation, Suspicion } from './rc5/suspicion.ts';

/** Two runs of the same units, both verified. `wrong`: whose evidence cannot be whole; empty where that cannot be told. */
export type Agreement = { agree: true } | { agree: false; detail: string; wrong: readonly ('first' | 'second')[] };

/** A small part of a report that is to be done again. */
export type SpotCheck = Record<string, unknown>;

export interface ContestKind {
  /** The word for the step that rates count: keys or nodes. */
  readonly step: 'keys' | 'nodes';
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
  /** What of a verified report to do again, chosen by chance; undefined where there is nothing. */
  spotCheck?(manifest: ContestManifest, report: Report, random: () => number): SpotCheck | undefined;
  /** Sets two runs of the same units side by side. */
  compare(manifest: ContestManifest, first: readonly UnitEvidence[], second: readonly UnitEvidence[]): Agreement;
  /** Units a second at this many steps a second; undefined where units differ too much in size to say. */
  unitsPerSecond(stepsPerSecond: number): number | undefined;
  /** Orders hits, best first. */
  compareHits(a: Hit, b: Hit): number;
}
