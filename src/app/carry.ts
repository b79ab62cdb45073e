/** Buffers carried by hand, in the browser: the part that is loaded when a person asks for it. */
import { Carrying } from '../client/carrying.ts';
import type { EngineControl } from '../client/snapshot.ts';
import { BuffersFileError, packBuffers, type Taken, unpackBuffers } from '../protocol/buffers-file.ts';
import { RefusedError } from '../protocol/errors.ts';

declare const __TABHERD_VERSION__: string;

/** Gives the person a file of the reports that wait, and of the work that is wished for. Returns how many reports. */
export async function exportReports(engine: EngineControl): Promise<number> {
  const file = await engine.carry((buffers) => new Carrying(buffers, __TABHERD_VERSION__).handUp());
  const url = URL.createObjectURL(new Blob([new Uint8Array(await packBuffers(file))], { type: 'application/gzip' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = `reports-${new Date(file.madeAt).toISOString().slice(0, 10)}.tabherd`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
  return file.reports.length;
}

/** What the file brought, or a sentence that says why it cannot be used. Nothing of such a file is taken. */
export async function importBlocks(engine: EngineControl, file: File): Promise<Taken | string> {
  try {
    const read = await unpackBuffers(new Uint8Array(await file.arrayBuffer()));
    if (read.kind !== 'blocks') return 'it has reports, as a keyserver takes them, and no blocks';
    return await engine.carry((buffers) => new Carrying(buffers, __TABHERD_VERSION__).take(read));
  } catch (error) {
    if (error instanceof BuffersFileError || error instanceof RefusedError) return error.message;
    throw error;
  }
}
