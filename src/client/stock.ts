/**
 * How much work to ask for. Stock is thought of in seconds of this machine's measured speed: a block lasts about
 * a minute of one worker, and there are ten minutes of blocks in stock, so that a short time offline costs nothing.
 * Pure functions.
 */
import type { Contest } from '../domain/contest.ts';
import { type ExchangeRequest, MAX_BLOCKS } from '../protocol/keyserver.ts';

export const BLOCK_SECONDS = 60;
export const STOCK_SECONDS = 600;

export interface Stock {
  /** In the order in which work is wanted. */
  contests: readonly Contest[];
  /** Units a second of one worker, by contest; absent where nothing is known yet. */
  speeds: Readonly<Record<string, number>>;
  workers: number;
  /** Blocks on hand, those being worked included. */
  blocks: number;
}

/** What to ask the gateway for now; `blocks: 0` while there is enough. */
export function wanted({ contests, speeds, workers, blocks }: Stock): ExchangeRequest['want'] {
  const open = contests.filter(({ state }) => state.state === 'open');
  const first = open[0];
  if (first === undefined) return { blocks: 0, from: [] };
  const full = workers * blocksPerWorker(first, speeds);
  // Refilled when half is gone, so that one exchange serves many blocks.
  const missing = blocks > workers && blocks * 2 > full ? 0 : full - blocks;
  return {
    blocks: Math.max(0, Math.min(MAX_BLOCKS, missing)),
    from: open.map((contest) => ({ contest: contest.manifest.name, units: unitsPerBlock(contest, speeds) })),
  };
}

/** 1 while the speed is unknown. */
function unitsPerBlock({ manifest }: Contest, speeds: Stock['speeds']): number {
  const units = Math.round((speeds[manifest.name] ?? 0) * BLOCK_SECONDS);
  return Math.max(1, Math.min(manifest.block.maxUnits, units));
}

/** One in hand and STOCK_SECONDS behind it; two in all while the speed is unknown. */
function blocksPerWorker(contest: Contest, speeds: Stock['speeds']): number {
  const speed = speeds[contest.manifest.name];
  if (speed === undefined) return 2;
  const blockSeconds = unitsPerBlock(contest, speeds) / speed;
  return 1 + Math.ceil(STOCK_SECONDS / Math.max(1, blockSeconds));
}

/** Mixes a finished block's speed into the one learnt before; DiCoP's rule: halfway, by at most a factor of two. */
export function learn(before: number | undefined, units: number, seconds: number): number {
  const measured = units / Math.max(seconds, 1e-3);
  if (before === undefined) return measured;
  return before * Math.min(2, Math.max(0.5, (before + measured) / 2 / before));
}
