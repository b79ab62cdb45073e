/**
 * The choose table: for every set of distances 1..16 and every k, the length of the shortest Golomb ruler with k
 * segments that measures none of them. choose.bin holds its exact columns 1 to 12, made by generate-choose.ts: of each
 * entry only what it exceeds the bound by that the columns before it give (one byte; k = 1 first, sets ascending),
 * raw deflate over all. The kernel's `expand` turns them into lengths and goes on with bounds.
 */
import { COLUMN_BYTES, KNOWN, MINLEN, SETS } from '../../../assembly/ogr/layout.ts';
import { optimalLength } from '../../contests/ogr/known.ts';
import { loadBytes } from '../load.ts';
import chooseUrl from './choose.bin?bytes';

/** The exact columns 1.. one after another, one byte a set. */
export async function loadChoose(): Promise<Uint8Array<ArrayBuffer>> {
  return unpackChoose(new Uint8Array(await loadBytes(chooseUrl)));
}

/** From what choose.bin is on disk. */
export async function unpackChoose(packed: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Lays the proven lengths for 0..segments where the kernels look for them. */
export function writeKnown(memory: WebAssembly.Memory, segments: number): void {
  const known = new Uint32Array(memory.buffer, KNOWN, segments + 1);
  for (let k = 0; k <= segments; k++) known[k] = optimalLength(k + 1);
}

/** The table's column k, one length a set, once a kernel has expanded it. */
export function chooseColumn(memory: WebAssembly.Memory, k: number): Uint16Array {
  return new Uint16Array(memory.buffer, MINLEN + k * COLUMN_BYTES, SETS);
}
