/**
 * Every core there is, as data: what it searches, how to make one, how to put the known answers to it. The choice
 * between them is made by measuring (`choose.ts`), never by guessing.
 */
import ogrSimd from '../../assembly/ogr/search.ts?asc&enable=simd';
import rc5Scalar4 from '../../assembly/rc5/scalar4.ts?asc';
import type { ContestKindName } from '../domain/contest.ts';
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
  load(): Promise<LoadedCore>;
}

export interface LoadedCore {
  readonly core: Core;
  /** The built-in known answers. */
  readonly rows: readonly unknown[];
  /** What the core got wrong in a row of its kind's form, as a sentence; undefined where it was right. */
  difference(row: unknown): string | undefined;
}

export const catalogue: readonly CoreEntry[] = [
  {
    name: 'rc5-scalar4',
    kind: 'rc5',
    async load() {
      const module = await loadWasm(rc5Scalar4);
      const kernel = new Rc5Kernel(module);
      return {
        core: createRc5Core(this.name, module),
        rows: rc5Rows.selftest,
        difference: (row) => rc5Difference(kernel, row as Rc5Row),
      };
    },
  },
  {
    name: 'ogr-simd',
    kind: 'ogr',
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
