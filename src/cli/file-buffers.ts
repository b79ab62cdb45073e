/**
 * The client's buffers in one JSON file, for the command line. Every change is written to a new file, synced, and
 * moved over the old one, so that a crash leaves the one or the other whole.
 */
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Saved } from '../client/buffers.ts';
import { MemoryBuffers } from '../client/memory-buffers.ts';

export class FileBuffers extends MemoryBuffers {
  readonly #path: string;
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, saved: Saved | undefined) {
    super(saved);
    this.#path = path;
  }

  /**
   * @throws SyntaxError the file is not what this class wrote; it is left as it is.
   * @throws Error another process has it open.
   */
  static async open(path: string): Promise<FileBuffers> {
    await mkdir(dirname(path), { recursive: true });
    await lock(path);
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    try {
      return new FileBuffers(path, text === undefined ? undefined : (JSON.parse(text) as Saved));
    } catch (cause) {
      throw new SyntaxError(`${path} is damaged; move it away to begin anew`, { cause });
    }
  }

  override async close(): Promise<void> {
    await this.#writing;
    await rm(`${this.#path}.lock`, { force: true });
  }

  /** Writes one after the other, always the newest state. */
  protected override changed(): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      const next = `${this.#path}.new`;
      const file = await open(next, 'w', 0o600);
      try {
        await file.writeFile(JSON.stringify(this.saved));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(next, this.#path);
    });
    return this.#writing;
  }
}

/** A file beside it with the number of the process that has it; one left by a process that is gone does not count. */
async function lock(path: string): Promise<void> {
  const file = `${path}.lock`;
  const holder = Number(await readFile(file, 'utf8').catch(() => '0'));
  if (holder > 0 && holder !== process.pid && isRunning(holder)) {
    throw new Error(`${path} is in use by process ${holder}; give each crunch a file of its own (--data)`);
  }
  await writeFile(file, String(process.pid));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // There, but somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
