/**
 * What a contest kind adds to a line of numbered units: how a report's evidence is checked, and what a hit is.
 * The keymaster and the client meet RC5 and OGR only through this interface.
 */
import type { ContestManifest, Hit } from '../domain/contest.ts';
import type { Report } from '../domain/work.ts';
import type { Observation } from './rc5/suspicion.ts';

export type Verdict =
  | { ok: true; hits: Hit[] }
  | { ok: false; code: 'evidence_false' | 'evidence_missing' | 'report_mismatch'; detail: string };

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
  /** Units a second at this many steps a second; undefined where units differ too much in size to say. */
  unitsPerSecond(stepsPerSecond: number): number | undefined;
  /** Orders hits, best first. */
  compareHits(a: Hit, b: Hit): number;
}
