/** Files of buffers on a disk or a stick: whole or not at all, and never over something else. */
import { open, readFile, rename, rm } from 'node:fs/promises';
import { type BuffersFile, BuffersFileError, packBuffers, unpackBuffers } from '../../protocol/buffers-file.ts';

/** @throws Error the file cannot be read, or is no file of buffers; the message names it. */
export async function readBuffers(path: string): Promise<BuffersFile> {
  const bytes = new Uint8Array(await readFile(path));
  return await unpackBuffers(bytes).catch((error: unknown) => {
    if (!(error instanceof BuffersFileError)) throw error;
    throw new Error(`${path}: ${error.message}`, { cause: error });
  });
}

/** @throws Error there is a file of another kind. */
export async function checkTarget(path: string): Promise<void> {
  const start = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (start === undefined || start.length === 0) return;
  await unpackBuffers(new Uint8Array(start)).catch((cause: unknown) => {
    throw new Error(`${path} is there already, and is no file of buffers: name another`, { cause });
  });
}

/** On the disk before it has its name: a stick is pulled out soon. */
export async function writeBuffers(path: string, file: BuffersFile): Promise<void> {
  const next = `${path}.new`;
  try {
    const handle = await open(next, 'w', 0o600);
    try {
      await handle.writeFile(await packBuffers(file));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(next, path);
  } catch (error) {
    await rm(next, { force: true });
    throw error;
  }
}
