/**
 * What a contest kind adds to a line of numbered units: how a report's evidence is checked, and what a hit is.
 * The keymaster and the client meet RC5 and OGR only through this interface.
 */
import type { ContestManifest, Hit } from '../domain/contest.ts';
import type { Report } from '../domain/work.ts';

export type Verdict =
  | { ok: true; hits: Hit[] }
  | { ok: false; code: 'evidence_false' | 'evidence_missing' | 'report_mismatch'; detail: string };

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

export interface ContestKind {
  /** The word for the step that rates count: keys or nodes. */
  readonly step: 'keys' | 'nodes';
  /** @throws TypeError the manifest contradicts itself; the message names the field. */
  validate(manifest: ContestManifest): void;
  /** Checks the evidence of one report whose units are already known to be the lease's. Cheap, pure. */
  verify(manifest: ContestManifest, report: Report): Verdict;
  /**
   * Which part of a report that `verify` lets pass is to be done again, chosen by `random` (0 to 1, nobody else's to
   * guess); undefined where nothing can be.
   */
  spotCheck(manifest: ContestManifest, report: Report, random: () => number): SpotCheck | undefined;
  /** Units a second at this many steps a second; undefined where units differ too much in size to say. */
  unitsPerSecond(stepsPerSecond: number): number | undefined;
  /** Orders hits, best first. */
  compareHits(a: Hit, b: Hit): number;
}
