/** What a step of each kind is called, and how many make a unit: apart from the kinds, for those who need no more of them. */
import type { ContestKindName } from '../domain/contest.ts';
import { KEYS_PER_UNIT } from '../domain/work.ts';

export interface Steps {
  /** The word for the step that rates count: keys or nodes. */
  readonly step: 'keys' | 'nodes';
  /** Units a second at this many steps a second; undefined where units differ too much in size to say. */
  unitsPerSecond(stepsPerSecond: number): number | undefined;
}

export const steps: Readonly<Record<ContestKindName, Steps>> = {
  rc5: { step: 'keys', unitsPerSecond: (stepsPerSecond) => stepsPerSecond / KEYS_PER_UNIT },
  ogr: { step: 'nodes', unitsPerSecond: () => undefined },
};
