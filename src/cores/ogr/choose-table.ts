/**
 * The choose table: for every set of distances 1..16 and every k, the length of the shortest Golomb ruler with k segments
 * that measures none of them. choose.bin holds its exact columns, made by `tabherd choose` (assembly/ogr/generate.ts):
 * of each entry only what it exceeds the bound by that the columns before it give (one byte; k = 1 first, sets
 * ascending), raw deflate over all. The kernel's `expand` turns them into lengths and goes on with bounds.
 */
import generatorUrl from '../../../assembly/ogr/generate.ts?asc';
import { COLUMN_BYTES, KNOWN, MINLEN, RESIDUES, SETS } from '../../../assembly/ogr/layout.ts';
import { optimalLength } from '../../contests/ogr/known.ts';
import { loadWasm } from '../load-wasm.ts';
import chooseUrl from './choose.bin?url&inline';

/** Columns that generation may reach: each takes some six times as long as the one before, 12 about half an hour. */
export const DEEPEST_CHOOSE = 15;

/** The exact columns 1.. one after another, one byte a set. */
export async function loadChoose(): Promise<Uint8Array<ArrayBuffer>> {
  const text = atob(chooseUrl.slice(chooseUrl.indexOf(',') + 1));
  return inflate(Uint8Array.from(text, (letter) => letter.charCodeAt(0)));
}

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
export function packChoose(columns: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return through(columns, new CompressionStream('deflate-raw'));
}

export function inflate(packed: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return through(packed, new DecompressionStream('deflate-raw'));
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

interface GeneratorExports {
  memory: WebAssembly.Memory;
  init(): void;
  column(k: number): void;
  residues(k: number): void;
}

async function through(
  bytes: Uint8Array<ArrayBuffer>,
  transform: CompressionStream | DecompressionStream,
): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(transform);
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
