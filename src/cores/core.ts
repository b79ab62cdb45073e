/**
 * A core is a compiled implementation of a search. All cores of a kind give the same evidence for the same unit
 * and take each other's checkpoints.
 */
import type { ContestKindName, ContestManifest } from '../domain/contest.ts';
import type { UnitCheckpoint, UnitEvidence } from '../domain/work.ts';

export type { UnitCheckpoint } from '../domain/work.ts';

/** One unit being searched. Can be left after any slice and resumed from its checkpoint. */
export interface UnitSearch {
  /** Runs about `budget` steps more (keys or nodes). Returns true once the unit is finished. */
  run(budget: number): boolean;
  /** Steps done so far, from the start of the unit. */
  readonly steps: number;
  /** 0…1, how much of the unit is behind. Exact for RC5; for OGR by position in the stub's tree. */
  readonly fraction: number;
  checkpoint(): UnitCheckpoint;
  /** Only once `run` has returned true. */
  evidence(): UnitEvidence;
}

export interface Core {
  /** As the catalogue names it: `rc5-scalar4`. */
  readonly name: string;
  readonly kind: ContestKindName;
  /**
   * Begins or resumes a unit. A core works on one unit at a time: opening the next forgets the last.
   * @throws TypeError the checkpoint is of another unit or format; the message says which.
   */
  open(manifest: ContestManifest, unit: number, checkpoint?: UnitCheckpoint): UnitSearch;
}
