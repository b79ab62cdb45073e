/**
 * Puts known answers to the OGR core. Rows have the form of distributed.net's selftest (see the note in
 * known-answers.json): a stub, whether a ruler lies below it, and the nodes to the end or to that ruler.
 *
 * A row's `nodes` are those of distributed.net's pruning: what a rate in its nodes is reckoned from, and no core of ours
 * visits more. Ours are `own_nodes`, a node being what search.ts says; a row without them binds the ruler alone.
 */
import { diffsOf, isGolomb } from '../../contests/ogr/rulers.ts';
import type { OgrKernel } from './ogr-core.ts';

export interface OgrRow {
  test: number | string;
  marks: number;
  max_length: number;
  /** The stub's differences. */
  diffs: number[];
  nodes: number;
  own_nodes?: number;
  /** The search ends at the first ruler. */
  found: boolean;
  /** The ruler that must be found, where one is known. */
  ruler_marks?: number[];
}

/** Searches a row's stub: to its first ruler where the row says there is one, else to its end. */
export function runOgrRow(
  kernel: OgrKernel,
  { marks, max_length, diffs, found = false }: Pick<OgrRow, 'marks' | 'max_length' | 'diffs'> & { found?: boolean },
): { nodes: number; ruler?: number[] } {
  kernel.begin({ marks, maxLength: max_length, stub: diffs, stopAtFirst: found });
  while (!kernel.run(Number.MAX_SAFE_INTEGER));
  const { nodes, ruler } = kernel;
  return ruler === undefined ? { nodes } : { nodes, ruler };
}

/** What the core got wrong in this row, as a sentence; undefined where it was right. */
export function ogrDifference(kernel: OgrKernel, row: OgrRow): string | undefined {
  const { nodes, ruler } = runOgrRow(kernel, row);
  const stub = `${row.marks}/${row.diffs.join('-')}`;
  if ((ruler !== undefined) !== row.found) {
    return `row ${row.test}, ${stub}: ${row.found ? 'no ruler was found' : `found ${ruler?.join('-')}`}`;
  }
  if (ruler !== undefined) {
    const wanted = row.ruler_marks?.join('-') ?? ruler.join('-');
    const begins = row.diffs.every((diff, i) => diffsOf(ruler)[i] === diff);
    if (ruler.join('-') !== wanted || !isGolomb(ruler) || !begins || ruler.length !== row.marks) {
      return `row ${row.test}, ${stub}: found ${ruler.join('-')} instead of ${wanted}`;
    }
  }
  if (row.own_nodes === undefined ? nodes <= row.nodes : nodes === row.own_nodes) return undefined;
  return `row ${row.test}, ${stub}: ${nodes} nodes instead of ${row.own_nodes ?? row.nodes}`;
}
