/** What the clients of a pool work on: a real search in units of a millisecond, more of them than a storm can do. */
import { countStubs } from '../../../src/contests/ogr/stubs.ts';
import type { ContestManifest } from '../../../src/domain/contest.ts';

const search = { kind: 'ogr', marks: 12, maxLength: 85, stubDepth: 5 } as const;

export const ENDLESS: ContestManifest = {
  version: 1,
  name: 'endless',
  title: 'OGR-12 in a million stubs',
  about: 'Made for a test.',
  units: countStubs(search),
  // One block in hand and one behind it: who finds no gateway is idle soon.
  block: { maxUnits: 1, maxLeases: 2 },
  leaseSeconds: 3600,
  closes: 'exhausted',
  search,
};
