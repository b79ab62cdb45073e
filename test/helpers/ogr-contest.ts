/** A search of rulers of any size, in all else the warm-up. */
import { manifests } from '../../src/contests/manifests.ts';
import { countStubs } from '../../src/contests/ogr/stubs.ts';
import type { ContestManifest, OgrSearch } from '../../src/domain/contest.ts';

const warmUp = manifests.find(({ name }) => name === 'ogr-14') as ContestManifest;

export function ogrContest(
  name: string,
  { stubDepth = 1, ...search }: Pick<OgrSearch, 'marks' | 'maxLength'> & { stubDepth?: number },
): ContestManifest {
  const stubs: OgrSearch = { ...search, kind: 'ogr', stubDepth };
  return { ...warmUp, name, title: name.toUpperCase(), units: countStubs(stubs), search: stubs };
}

/** Its blocks last some seconds, where one of keys lasts half a minute: for tests that wait until one is done. */
export const ogr15 = ogrContest('ogr-15', { marks: 15, maxLength: 153 });
