/** The OGR core and small contests as the tests want them: compiled once a file. */
import searchUrl from '../../assembly/ogr/search.ts?asc&enable=simd';
import { optimalLength } from '../../src/contests/ogr/known.ts';
import { countStubs } from '../../src/contests/ogr/stubs.ts';
import { loadWasm } from '../../src/cores/load.ts';
import { chooseColumn, loadChoose } from '../../src/cores/ogr/choose-table.ts';
import { OgrKernel } from '../../src/cores/ogr/ogr-core.ts';
import type { ContestManifest, OgrSearch } from '../../src/domain/contest.ts';

export const ogrModule = await loadWasm(searchUrl);
export const chooseColumns = await loadChoose();
export const ogrKernel = (columns = chooseColumns): OgrKernel => new OgrKernel(ogrModule, columns);

/** What a kernel's limits are made of: no k segments that avoid the set are shorter. */
export function minlenOf({ memory }: OgrKernel): (k: number, set: number) => number {
  const columns = Array.from({ length: 28 }, (_, k) => chooseColumn(memory, k));
  return (k, set) => columns[k]?.[set] ?? Number.NaN;
}

export const smallSearch = (marks: number, stubDepth: number, slack = 0): OgrSearch => ({
  kind: 'ogr',
  marks,
  maxLength: optimalLength(marks) + slack,
  stubDepth,
});

export function contestOf(search: OgrSearch): ContestManifest {
  return {
    version: 1,
    name: `ogr-${search.marks}`,
    title: `${search.marks} marks`,
    about: 'A contest of the tests.',
    units: countStubs(search),
    block: { maxUnits: 8, maxLeases: 8 },
    leaseSeconds: 60,
    closes: 'exhausted',
    search,
  };
}
