/** How much a visitor downloads for the kernels: the build weighs them and keeps its budget (`src/setup/prepare.mjs`). */
import { readFile } from 'node:fs/promises';

export interface KernelSizes {
  /** Bytes of each file of dist/app: as it is, and compressed with brotli. */
  kernels: Weight[];
  /** Of all kernels, compressed. */
  total: number;
  /** More than this, and there is no build. */
  budget: number;
  /** The OGR tables: data, and compressed already. */
  tables: Weight[];
}

export interface Weight {
  file: string;
  bytes: number;
  brotli: number;
}

export async function kernelSizes(): Promise<KernelSizes> {
  // dist/server/tabherd.js is below it.
  return JSON.parse(await readFile(new URL('../kernel-sizes.json', import.meta.url), 'utf8')) as KernelSizes;
}
