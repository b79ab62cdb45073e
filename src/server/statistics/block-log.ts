/**
 * The keyblock log: a line for every finished block (`block-line.ts`), in files that rotate (`rotated-file.ts`), as the
 * teams that ran distributed.net's personal proxy counted by.
 *
 * Nobody waits for it and it stops nobody: `log` takes note and returns; lines are made and written afterwards, many
 * at a time. What cannot be written, because the disk is full or the backlog is, is counted in `unwritten`, and
 * said once: a warning when writing begins to fail, a line when it goes again. The ledger, not this, is the truth about what
 * was done: a killed process loses the lines of its last moments.
 */
import type { Log } from '../log.ts';
import { AddressMask, type AddressStyle } from './address-mask.ts';
import { blockLine, type FinishedBlock, type TimestampStyle } from './block-line.ts';
import { RotatedFile, type Rotation } from './rotated-file.ts';

export interface BlockLogOptions {
  folder: string;
  /** Begins the names of the files; `blocks` unless told. One log for each name. */
  name?: string | undefined;
  /** `daily` unless told. */
  rotation?: Rotation | undefined;
  /** Packed files to keep, the newest; all unless told. */
  keep?: number | undefined;
  /** `hashed` unless told. */
  address?: AddressStyle | undefined;
  /** `old` unless told. */
  timestamps?: TimestampStyle | undefined;
  log: Log;
  /** Milliseconds since 1970. */
  clock: () => number;
}

interface Waiting {
  readonly block: FinishedBlock;
  /** As it is shown; the address itself is not kept. */
  readonly address: string;
}

/** Blocks waiting to be written; an OGR stub may take a tenth of a second to name. */
const MOST_WAITING = 10_000;
/** Lines are made for so long before others get a turn, and what was made is written. */
const TURN_MS = 10;

export class BlockLog {
  readonly #file: RotatedFile;
  readonly #mask: AddressMask;
  readonly #timestamps: TimestampStyle;
  readonly #log: Log;
  readonly #folder: string;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;
  #unwritten = 0;
  /** Unwritten since writing began to fail; undefined while it goes. */
  #failing: number | undefined;

  private constructor(options: BlockLogOptions) {
    const { folder, name = 'blocks', rotation = 'daily', keep, log } = options;
    const onPackError = (err: unknown): void => {
      if ((err as Error).name !== 'AbortError') log.warn({ err, folder }, 'a block log could not be packed');
    };
    this.#file = new RotatedFile({ folder, name, rotation, keep, onPackError });
    this.#mask = new AddressMask(options.address ?? 'hashed');
    this.#timestamps = options.timestamps ?? 'old';
    this.#log = log;
    this.#folder = folder;
  }

  /** Begins even where the folder cannot be written: it may be later. */
  static async open(options: BlockLogOptions): Promise<BlockLog> {
    const blockLog = new BlockLog(options);
    await blockLog.#file.open(options.clock()).catch((err: unknown) => blockLog.#failed(0, err));
    return blockLog;
  }

  /** Blocks that were finished and are in no file. */
  get unwritten(): number {
    return this.#unwritten;
  }

  log({ address, ...block }: FinishedBlock): void {
    if (this.#waiting.length >= MOST_WAITING) {
      this.#failed(1, new Error(`${MOST_WAITING} blocks wait to be written`));
      return;
    }
    this.#waiting.push({ block, address: this.#mask.show(address, block.at) });
    this.#running ??= this.#drain();
  }

  /** Resolves when all that was logged is written or counted as unwritten. */
  async flush(): Promise<void> {
    await this.#running;
  }

  /** Writes what waits. Take no more blocks to it afterwards. */
  async close(): Promise<void> {
    await this.flush();
    await this.#file.close().catch((err: unknown) => this.#failed(0, err));
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      await new Promise(setImmediate);
      await this.#writeSome();
    }
    this.#running = undefined;
  }

  /** Makes lines for one turn, and writes them: one write a file, so mostly one. */
  async #writeSome(): Promise<void> {
    const until = performance.now() + TURN_MS;
    const lines: { at: number; text: string }[] = [];
    let taken = 0;
    for (const { block, address } of this.#waiting) {
      taken += 1;
      try {
        lines.push({ at: block.at, text: blockLine(block, address, this.#timestamps) });
      } catch (err) {
        this.#unwritten += 1;
        const { contest, first } = block.report;
        this.#log.warn({ err, contest, first }, 'a block has no name, and was not logged');
      }
      if (performance.now() > until) break;
    }
    this.#waiting.splice(0, taken);
    for (const { at, text, count } of byFile(lines)) {
      try {
        await this.#file.append(text, at);
        this.#worked();
      } catch (err) {
        this.#failed(count, err);
      }
    }
  }

  #failed(count: number, err: unknown): void {
    this.#unwritten += count;
    if (this.#failing === undefined) {
      this.#log.warn(
        { err, folder: this.#folder },
        'the block log cannot be written; finished blocks are only counted',
      );
    }
    this.#failing = (this.#failing ?? 0) + count;
  }

  #worked(): void {
    if (this.#failing === undefined) return;
    this.#log.info({ unwritten: this.#failing, folder: this.#folder }, 'the block log is written again');
    this.#failing = undefined;
  }
}

const HOUR_MS = 3_600_000;

/** Joins neighbours of one hour, the shortest time that a file may have. */
function byFile(lines: readonly { at: number; text: string }[]): { at: number; text: string; count: number }[] {
  const joined: { at: number; text: string; count: number }[] = [];
  for (const { at, text } of lines) {
    const last = joined.at(-1);
    if (last !== undefined && Math.floor(last.at / HOUR_MS) === Math.floor(at / HOUR_MS)) {
      last.text += text;
      last.count += 1;
    } else {
      joined.push({ at, text, count: 1 });
    }
  }
  return joined;
}
