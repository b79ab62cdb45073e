/**
 * Files that hold signing keys: nobody but their owner reads them. SQLite gives its `-wal` and `-shm` the mode of the
 * database. On systems without such modes nothing of this does anything.
 */
import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

/** The folder, made for its owner alone; one that is there stays as it is. */
export function makePrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
}

/** The file, made empty for its owner alone; of one that is there, what all others may do is taken away. */
export function makePrivateFile(path: string): void {
  closeSync(openSync(path, 'a', 0o600));
  const mode = statSync(path).mode & 0o777;
  if ((mode & 0o007) === 0) return;
  try {
    chmodSync(path, mode & 0o770);
  } catch {
    // It is somebody else's, who decides.
  }
}

/** Waits until the file and its name are on the disk. */
export function syncFile(path: string): void {
  for (const place of [path, dirname(path)]) {
    let handle: number | undefined;
    try {
      handle = openSync(place, 'r');
      fsyncSync(handle);
    } catch (error) {
      // Windows cannot open a folder, nor sync what was opened for reading.
      if (process.platform !== 'win32') throw error;
    } finally {
      if (handle !== undefined) closeSync(handle);
    }
  }
}
