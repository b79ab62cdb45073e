/**
 * A disk that a test fills: a tmpfs of its own where we may mount one (Linux, root), so that whoever writes there meets
 * ENOSPC as on a real full disk. Elsewhere a limit on the size of files (prlimit) that is put on the process itself, which
 * then meets EFBIG; a process that starts anew is free of it.
 */
import { execFile } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const MEGABYTES = 48;
const BALLAST = 'ballast';

export class SmallDisk {
  readonly path: string;
  readonly kind: 'tmpfs' | 'file size limit';

  private constructor(path: string, kind: SmallDisk['kind']) {
    this.path = path;
    this.kind = kind;
  }

  static async make(): Promise<SmallDisk> {
    const path = mkdtempSync(join(tmpdir(), 'tabherd-disk-'));
    try {
      await run('mount', ['-t', 'tmpfs', '-o', `size=${MEGABYTES}m,mode=0700`, 'tabherd-test', path]);
      return new SmallDisk(path, 'tmpfs');
    } catch {
      return new SmallDisk(path, 'file size limit');
    }
  }

  /** Leaves no byte free. @param pid of the process that writes there. */
  async fill(pid: number | undefined): Promise<void> {
    if (this.kind === 'tmpfs') fillUp(join(this.path, BALLAST));
    else if (pid !== undefined) await limit(pid, '4096');
  }

  async empty(pid: number | undefined): Promise<void> {
    if (this.kind === 'tmpfs') rmSync(join(this.path, BALLAST), { force: true });
    else if (pid !== undefined) await limit(pid, 'unlimited');
  }

  async remove(): Promise<void> {
    if (this.kind === 'tmpfs') await run('umount', ['--lazy', this.path]);
    rmSync(this.path, { recursive: true, force: true });
  }
}

function fillUp(path: string): void {
  const file = openSync(path, 'a');
  try {
    // Ever smaller pieces, down to the last page.
    for (const size of [1_048_576, 65_536, 4096, 1]) {
      const piece = Buffer.alloc(size);
      try {
        for (;;) if (writeSync(file, piece) < size) break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    }
  } finally {
    closeSync(file);
  }
}

/** The soft limit only, so that it can be lifted again. The process may have ended meanwhile. */
async function limit(pid: number, bytes: string): Promise<void> {
  await run('prlimit', ['--pid', `${pid}`, `--fsize=${bytes}:`]).catch(() => {});
}
