/** The OGR core and small contests as the tests want them: compiled once a file. */
import searchUrl from '../../assembly/ogr/search.ts?asc&enable=simd';
import { optimalLength } from '../../src/contests/ogr/known.ts';
import { countStubs } from '../../src/contests/ogr/stubs.ts';
import type { Core } from '../../src/cores/core.ts';
import { loadWasm } from '../../src/cores/load.ts';
import { chooseColumn, loadChoose } from '../../src/cores/ogr/choose-table.ts';
import { OgrKernel } from '../../src/cores/ogr/ogr-core.ts';
import type { ContestManifest, OgrSearch } from '../../src/domain/contest.ts';
import type { OgrEvidence, Report } from '../../src/domain/work.ts';

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

/** What a core says of a unit. */
export function searched(core: Core, manifest: ContestManifest, unit: number): OgrEvidence {
  const search = core.open(manifest, unit);
  while (!search.run(1e6));
  const evidence = search.evidence();
  if (evidence.kind !== 'ogr') throw new TypeError(`evidence of kind ${evidence.kind}`);
  return evidence;
}

export const ogrReport = (first: number, ...evidence: OgrEvidence[]): Report => ({
  lease: '0'.repeat(16),
  contest: 'ogr-29',
  first,
  evidence,
  core: 'ogr-simd',
  seconds: 1,
});
