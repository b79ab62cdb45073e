/**
 * Every core there is, as data: what it searches, what it needs of the browser, how to make one, how to put the known
 * answers to it. The choice between them is made by measuring (`choose.ts`), never by guessing.
 */
import ogrSimd from '../../assembly/ogr/search.ts?asc&enable=simd';
import rc5Scalar4 from '../../assembly/rc5/scalar4.ts?asc';
import type { ContestKindName } from '../domain/contest.ts';
import rc5Mixed from '../kernels/rc5-mixed.ts?asc&enable=simd';
import rc5MixedRelaxed from '../kernels/rc5-mixed.ts?asc&enable=simd,relaxed-simd';
import type { Core } from './core.ts';
import { loadWasm } from './load.ts';
import { loadChoose } from './ogr/choose-table.ts';
import ogrRows from './ogr/known-answers.json' with { type: 'json' };
import { type OgrRow, ogrDifference } from './ogr/known-answers.ts';
import { OgrKernel, ogrCoreOver } from './ogr/ogr-core.ts';
import rc5Rows from './rc5/known-answers.json' with { type: 'json' };
import { type Rc5Row, rc5Difference } from './rc5/known-answers.ts';
import { createRc5Core, Rc5Kernel } from './rc5/rc5-core.ts';

export interface CoreEntry {
  readonly name: string;
  readonly kind: ContestKindName;
  /** What of WebAssembly it needs beyond the first version; for people: whether it compiles is tried. */
  readonly requires: readonly ('simd' | 'relaxed-simd')[];
  /**
   * @throws WebAssembly.CompileError this browser lacks what it requires.
   * @throws Error its files could not be fetched: later they may be.
   */
  load(): Promise<LoadedCore>;
}

export interface LoadedCore {
  readonly core: Core;
  /** The built-in known answers. */
  readonly rows: readonly unknown[];
  /**
   * What the core got wrong in a row of its kind's form, as a sentence; undefined where it was right. `brief`: of a
   * long stretch only what is around the answer.
   */
  difference(row: unknown, brief?: boolean): string | undefined;
}

/** Of a known answer's keys, where the core was right on all of them before. */
const BRIEF_KEYS = 2 ** 13;

export const catalogue: readonly CoreEntry[] = [
  rc5Entry('rc5-mixed-relaxed', ['simd', 'relaxed-simd'], rc5MixedRelaxed),
  rc5Entry('rc5-mixed', ['simd'], rc5Mixed),
  rc5Entry('rc5-scalar4', [], rc5Scalar4),
  {
    name: 'ogr-simd',
    kind: 'ogr',
    requires: ['simd'],
    async load() {
      const kernel = new OgrKernel(await loadWasm(ogrSimd), await loadChoose());
      return {
        core: ogrCoreOver(kernel),
        rows: ogrRows.ogr_ng_selftest,
        difference: (row) => ogrDifference(kernel, row as OgrRow),
      };
    },
  },
];

function rc5Entry(name: string, requires: CoreEntry['requires'], url: string): CoreEntry {
  return {
    name,
    kind: 'rc5',
    requires,
    async load() {
      const module = await loadWasm(url);
      const kernel = new Rc5Kernel(module);
      return {
        core: createRc5Core(name, module),
        rows: rc5Rows.selftest,
        difference: (row, brief) => rc5Difference(kernel, row as Rc5Row, brief === true ? BRIEF_KEYS : undefined),
      };
    },
  };
}
