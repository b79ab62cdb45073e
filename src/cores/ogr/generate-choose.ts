/**
 * Makes the choose table anew. Apart from choose-table.ts so that no browser loads it. The search itself is
 * assembly/ogr/generate.ts; a column takes some five times as long as the one before it (one core's seconds for
 * columns 9 to 12: 20, 50, 260, 955).
 */
import generatorUrl from '../../../assembly/ogr/generate.ts?asc';
import { RESIDUES, SETS } from '../../../assembly/ogr/layout.ts';
import { loadWasm } from '../load.ts';
import { writeKnown } from './choose-table.ts';

/** As deep as rulers fit the generator's maps of 192 bits. */
export const DEEPEST_CHOOSE = 15;

/**
 * Makes the columns 1..depth anew, as choose.bin has them before compression.
 * @param onColumn told after each column: how many are done.
 */
export async function generateChoose(depth: number, onColumn?: (k: number) => void): Promise<Uint8Array<ArrayBuffer>> {
  if (!Number.isInteger(depth) || depth < 1 || depth > DEEPEST_CHOOSE) {
    throw new RangeError(`depth ${depth}: a whole number from 1 to ${DEEPEST_CHOOSE} is wanted`);
  }
  const instance = new WebAssembly.Instance(await loadWasm(generatorUrl));
  const generator = instance.exports as unknown as GeneratorExports;
  const { memory } = generator;
  generator.init();
  writeKnown(memory, depth);
  const columns = new Uint8Array(depth * SETS);
  for (let k = 1; k <= depth; k++) {
    generator.column(k);
    generator.residues(k);
    columns.set(new Uint8Array(memory.buffer, RESIDUES, SETS), (k - 1) * SETS);
    onColumn?.(k);
  }
  return columns;
}

/** What choose.bin is on disk. */
export async function packChoose(columns: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([columns]).stream().pipeThrough(new CompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

interface GeneratorExports {
  memory: WebAssembly.Memory;
  init(): void;
  column(k: number): void;
  residues(k: number): void;
}
