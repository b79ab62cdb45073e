/** What is drawn, out of the engine's snapshot: pure, so that the words beside the picture say the same. */
import type { BlockProgress, EngineSnapshot } from '../../client/snapshot.ts';
import type { Contest } from '../../domain/contest.ts';

/** A block being searched for keys. */
export interface KeysHand {
  first: number;
  count: number;
  unit: number;
  /** 0…1 of the unit. */
  share: number;
  /** In keys from the block's first. */
  nearMatches: readonly number[];
}

export interface KeysScene {
  kind: 'rc5';
  contest: string;
  units: number;
  done: number;
  /** first, past, first, past, … */
  own: readonly number[];
  hands: KeysHand[];
}

export interface RulerScene {
  kind: 'ogr';
  contest: string;
  /** Of a whole ruler. */
  marks: number;
  maxLength: number;
  /** Marks of the stub, which stay where they are while a unit is searched. */
  fixed: number;
  /** The rulers being tried, as marks. */
  hands: (readonly number[])[];
  /** The shortest found in this contest. */
  best: readonly number[] | undefined;
}

export type Scene = KeysScene | RulerScene;

export function sceneOf(snapshot: EngineSnapshot, { manifest, state }: Contest, blocks: BlockProgress[]): Scene {
  const { name, search, units } = manifest;
  const ours = blocks.filter(({ contest }) => contest === name);
  if (search.kind === 'ogr') {
    const hit = state.hits[0];
    return {
      kind: 'ogr',
      contest: name,
      marks: search.marks,
      maxLength: search.maxLength,
      fixed: search.stubDepth + 1,
      hands: ours.flatMap(({ marks }) => (marks === undefined ? [] : [marks])),
      best: hit?.kind === 'ogr' ? hit.marks : undefined,
    };
  }
  return {
    kind: 'rc5',
    contest: name,
    units,
    done: state.done,
    own: snapshot.own?.[name] ?? [],
    hands: ours.map(({ first, count, unit, fraction, nearMatches = [] }) => ({
      first,
      count,
      unit,
      share: Math.min(1, Math.max(0, fraction * count - (unit - first))),
      nearMatches,
    })),
  };
}
