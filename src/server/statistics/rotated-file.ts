/**
 * A text file that is begun anew every hour, day, month or year (UTC), and packed with gzip when its time is over:
 *
 *   blocks-2026-11-25.csv          grows, whole lines only
 *   blocks-2026-11-24.csv.rotated  its time is over; waits to be packed
 *   blocks-2026-11-24.csv.gz       packed; under this name it is always whole
 *   blocks-2026-11-24.2.csv.gz     the same day again, after the clock was set back
 *
 * Killed at any point, the next `open` goes on from there: it cuts off a line that was torn, rotates what is past, packs
 * what waits. `.rotated` beside its `.gz` means that only the deletion was missing. A torn line would otherwise corrupt the one
 * after it.
 *
 * Why not rotating-file-stream: it knows no years, packs into the final name, leaves what a crash left, and
 * its stream ends with the first write that fails.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

export type Rotation = 'none' | 'hourly' | 'daily' | 'monthly' | 'yearly';

/** How much of `2026-11-25T14` names the time of one file. */
const PERIOD_LENGTH: Record<Rotation, number> = { none: 0, hourly: 13, daily: 10, monthly: 7, yearly: 4 };

export interface RotatedFileOptions {
  /** Made if it is not there. */
  folder: string;
  /** `blocks` makes `blocks-2026-11-25.csv`. */
  name: string;
  rotation: Rotation;
  /** Packed files to keep, the newest; all unless told. */
  keep?: number | undefined;
  /** Packing failed, or was ended by `close`: it is tried again at the next rotation or start. */
  onPackError: (error: unknown) => void;
}

interface OpenFile {
  readonly path: string;
  readonly handle: FileHandle;
  /** Where its last whole line ends. */
  size: number;
}

export class RotatedFile {
  readonly #options: RotatedFileOptions;
  readonly #closing = new AbortController();
  #file: OpenFile | undefined;
  #packing: Promise<void> = Promise.resolve();

  constructor(options: RotatedFileOptions) {
    this.#options = options;
  }

  /** Takes up what an earlier process left. `now`: milliseconds since 1970. */
  async open(now: number): Promise<void> {
    await mkdir(this.#options.folder, { recursive: true });
    await this.#rotateAllBut(this.#pathAt(now));
    this.#pack();
  }

  /**
   * Appends whole lines to the file of that moment. One call at a time.
   * @throws the file system's error; nothing of the text stays written.
   */
  async append(text: string, at: number): Promise<void> {
    const path = this.#pathAt(at);
    if (this.#file?.path !== path) {
      await this.#finish();
      this.#file = await openWhole(path);
      await this.#rotateAllBut(path);
      this.#pack();
    }
    const file = this.#file;
    const bytes = Buffer.from(text);
    try {
      let written = 0;
      while (written < bytes.length) {
        written += (await file.handle.write(bytes, written, bytes.length - written, null)).bytesWritten;
      }
      file.size += bytes.length;
    } catch (error) {
      // A part of it may be on the disk. If it cannot be cut off now, it is when the file is opened again.
      this.#file = undefined;
      await file.handle.truncate(file.size).catch(() => {});
      await file.handle.close().catch(() => {});
      throw error;
    }
  }

  /** Resolves when all that was rotated so far is packed, or has failed. */
  packed(): Promise<void> {
    return this.#packing;
  }

  /** Does not wait for packing: it begins anew at the next start. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#packing;
    await this.#finish();
  }

  #pathAt(at: number): string {
    const { folder, name, rotation } = this.#options;
    const period = new Date(at).toISOString().slice(0, PERIOD_LENGTH[rotation]);
    return join(folder, period === '' ? `${name}.csv` : `${name}-${period}.csv`);
  }

  async #finish(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    if (file === undefined) return;
    await file.handle.sync();
    await file.handle.close();
  }

  async #rotateAllBut(path: string): Promise<void> {
    // Turned off, rotation leaves alone what it made before.
    if (this.#options.rotation === 'none') return;
    const files = await this.#list();
    for (const { file, stem, ending } of files) {
      const from = join(this.#options.folder, file);
      if (ending !== 'csv' || from === path) continue;
      let free = stem;
      for (let n = 2; files.some((other) => other.stem === free && other.ending !== 'csv'); n++) free = `${stem}.${n}`;
      await (await openWhole(from)).handle.close();
      await rename(from, join(this.#options.folder, `${free}.csv.rotated`));
    }
  }

  /** Packs what waits, one file after the other, behind what is being packed. */
  #pack(): void {
    this.#packing = this.#packing.then(() => this.#packAll()).catch(this.#options.onPackError);
  }

  async #packAll(): Promise<void> {
    const { folder, keep } = this.#options;
    const files = await this.#list();
    for (const { stem } of files.filter(({ ending }) => ending === 'csv.rotated')) {
      if (this.#closing.signal.aborted) return;
      const rotated = join(folder, `${stem}.csv.rotated`);
      const packed = join(folder, `${stem}.csv.gz`);
      if (!files.some((other) => other.stem === stem && other.ending === 'csv.gz')) {
        const partial = `${packed}.partial`;
        // `flush`: on the disk before it has its name.
        const target = createWriteStream(partial, { flush: true });
        try {
          await pipeline(createReadStream(rotated), createGzip(), target, { signal: this.#closing.signal });
          await rename(partial, packed);
        } catch (error) {
          await rm(partial, { force: true });
          throw error;
        }
      }
      await rm(rotated, { force: true });
    }
    if (keep === undefined) return;
    const packed = (await this.#list()).filter(({ ending }) => ending === 'csv.gz');
    for (const { file } of packed.slice(0, Math.max(0, packed.length - keep)))
      await rm(join(folder, file), { force: true });
  }

  /** Our files, the oldest first. */
  async #list(): Promise<{ file: string; stem: string; ending: string; period: string; nth: number }[]> {
    const { folder, name } = this.#options;
    const files = (await readdir(folder)).flatMap((file) => {
      if (!file.startsWith(`${name}-`)) return [];
      const match = /^(\d{4}(?:-\d\d){0,2}(?:T\d\d)?)(?:\.(\d+))?\.(csv(?:\.rotated|\.gz)?)$/.exec(
        file.slice(name.length + 1),
      );
      if (match === null) return [];
      const [, period = '', nth = '1', ending = ''] = match;
      return [{ file, stem: file.slice(0, -ending.length - 1), ending, period, nth: Number(nth) }];
    });
    return files.toSorted((a, b) => (a.period === b.period ? a.nth - b.nth : a.period < b.period ? -1 : 1));
  }
}

/** Opens it for appending at the end of its last whole line; what stands behind that was torn by a crash. */
async function openWhole(path: string): Promise<OpenFile> {
  const handle = await open(path, 'a+', 0o640);
  try {
    const { size } = await handle.stat();
    let end = size;
    const chunk = Buffer.alloc(4096);
    while (end > 0) {
      const from = Math.max(0, end - chunk.length);
      const { bytesRead } = await handle.read(chunk, 0, end - from, from);
      const newline = chunk.subarray(0, bytesRead).lastIndexOf(0x0a);
      end = newline < 0 ? from : from + newline + 1;
      if (newline >= 0) break;
    }
    if (end < size) await handle.truncate(end);
    return { path, handle, size: end };
  } catch (error) {
    await handle.close();
    throw error;
  }
}
