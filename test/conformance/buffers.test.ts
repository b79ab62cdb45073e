/** The buffers that run in Node; those over IndexedDB are put through it by the end-to-end tests, in Chromium. */
import { access, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FileBuffers } from '../../src/cli/file-buffers.ts';
import { MemoryBuffers } from '../../src/client/memory-buffers.ts';
import { buffersConformance } from './buffers.ts';

const newPath = async (): Promise<string> => join(await mkdtemp(join(tmpdir(), 'tabherd-')), 'deep', 'buffers.json');

buffersConformance('in memory', async () => {
  const buffers = new MemoryBuffers();
  return { reopen: async () => buffers };
});

buffersConformance('in a file', async () => {
  const path = await newPath();
  return { reopen: () => FileBuffers.open(path) };
});

test('a file in use by another process is not opened; one left by a dead process is', async () => {
  const path = join(await mkdtemp(join(tmpdir(), 'tabherd-')), 'buffers.json');
  await writeFile(`${path}.lock`, '1');
  await expect(FileBuffers.open(path)).rejects.toThrow(/in use by process 1/);
  await writeFile(`${path}.lock`, '999999999');
  const buffers = await FileBuffers.open(path);
  await buffers.setFact('wanted', true);
  await buffers.close();
  await expect(access(`${path}.lock`)).rejects.toThrow('ENOENT');
});

test('a damaged file is named and left alone', async () => {
  const path = join(await mkdtemp(join(tmpdir(), 'tabherd-')), 'buffers.json');
  await writeFile(path, '{"blocks": [');
  await expect(FileBuffers.open(path)).rejects.toThrow(/buffers\.json is damaged/);
});
