/**
 * How much work to ask for. Stock is thought of in seconds of this machine's measured speed: a block lasts about
 * a minute of one worker, and there are ten minutes of blocks in stock, so that a short time offline costs nothing.
 *
 * Contests come in an order of preference (`lottery.ts`), and stock is filled from the first that has free units; those
 * that share its priority share one stock. Only a client that is about to run dry takes what there is: were it to fill
 * its stock from the second contest whenever it holds as much of the first as the manifest allows, it would be busy with
 * the second when the first has more.
 */
import type { Contest } from '../domain/contest.ts';
import { type ExchangeRequest, MAX_BLOCKS } from '../protocol/keyserver.ts';
import { sharesWith } from './lottery.ts';

export const BLOCK_SECONDS = 60;
export const STOCK_SECONDS = 600;

export interface Stock {
  /** In the order in which work is wanted. */
  contests: readonly Contest[];
  /** Units a second of one worker, by contest; absent where nothing is known yet. */
  speeds: Readonly<Record<string, number>>;
  workers: number;
  /** The contest of each block on hand, those being worked included. */
  blocks: readonly string[];
}

/** What to ask the gateway for now; `blocks: 0` while there is enough. */
export function wanted({ contests, speeds, workers, blocks }: Stock): Pick<ExchangeRequest['want'], 'blocks' | 'from'> {
  const open = contests.filter(({ state }) => state.state === 'open');
  const ask = (some: readonly Contest[], count: number) => ({
    blocks: Math.min(MAX_BLOCKS, count),
    from: some.map((contest) => ({ contest: contest.manifest.name, units: unitsPerBlock(contest, speeds) })),
  });
  // Nothing behind the blocks in hand.
  if (blocks.length <= workers) return ask(open, open.length === 0 ? 0 : 2 * workers);
  const first = open.find(({ state }) => state.done + state.leased < state.units);
  if (first === undefined) return ask([], 0);
  const full = (contest: Contest): number =>
    Math.min(workers * blocksPerWorker(contest, speeds), contest.manifest.block.maxLeases);
  // How much of a full stock there is, whichever of the contests that share it the blocks are of.
  const held = open
    .filter((contest) => sharesWith(first, contest))
    .map((contest) => blocks.filter((name) => name === contest.manifest.name).length / full(contest))
    .reduce((sum, share) => sum + share, 0);
  // Refilled when half is gone, so that one exchange serves many blocks.
  return held > 0.5 ? ask([], 0) : ask([first], Math.round((1 - held) * full(first)));
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
