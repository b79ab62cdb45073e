/**
 * How much work to ask for. Stock is thought of in seconds of this machine's measured speed: a block lasts about
 * a minute of one worker, and there are ten minutes of blocks in stock, so that a short time offline costs nothing.
 *
 * Contests come in an order of preference (`lottery.ts`), and stock is filled from the first that has free units; those
 * that share its priority share one stock. Only a client that is about to run dry takes what there is: were it to fill
 * its stock from the second contest whenever it holds as much of the first as the manifest allows, it would be busy with
 * the second when the first has more.
 */
import type { Contest, ContestManifest } from '../domain/contest.ts';
import { type ExchangeRequest, MAX_BLOCKS } from '../protocol/keyserver.ts';
import { sharesWith } from './lottery.ts';

export const BLOCK_SECONDS = 60;
export const STOCK_SECONDS = 600;
/** A stock that lasts longer than this share of a lease would run out unworked. */
const LEASE_SHARE = 0.75;
/** Of the leases that a client may have of a contest, so many are used before blocks get longer. */
const LEASES_SHARE = 0.8;

export interface Stock {
  /** In the order in which work is wanted. */
  contests: readonly Contest[];
  /** Units a second of one worker, by contest; absent where nothing is known yet. */
  speeds: Readonly<Record<string, number>>;
  workers: number;
  /** How long the stock should last, in seconds; STOCK_SECONDS unless told. */
  seconds?: number;
  /** The contest of each block on hand, those being worked included. */
  blocks: readonly string[];
}

/** What to ask the gateway for now; `blocks: 0` while there is enough. */
export function wanted(stock: Stock): Pick<ExchangeRequest['want'], 'blocks' | 'from'> {
  const { contests, workers, blocks } = stock;
  const open = contests.filter(({ state }) => state.state === 'open');
  const ask = (some: readonly Contest[], count: number) => ({
    blocks: Math.min(MAX_BLOCKS, count),
    from: some.map((contest) => ({ contest: contest.manifest.name, units: unitsPerBlock(contest, stock) })),
  });
  // Nothing behind the blocks in hand.
  if (blocks.length <= workers) return ask(open, open.length === 0 ? 0 : 2 * workers);
  const first = open.find(({ state }) => state.done + state.leased < state.units);
  if (first === undefined) return ask([], 0);
  const full = (contest: Contest): number =>
    Math.min(workers * blocksPerWorker(contest, stock), contest.manifest.block.maxLeases);
  // How much of a full stock there is, whichever of the contests that share it the blocks are of.
  const held = open
    .filter((contest) => sharesWith(first, contest))
    .map((contest) => blocks.filter((name) => name === contest.manifest.name).length / full(contest))
    .reduce((sum, share) => sum + share, 0);
  // Refilled when half is gone, so that one exchange serves many blocks.
  return held > 0.5 ? ask([], 0) : ask([first], Math.round((1 - held) * full(first)));
}

/** 1 while the speed is unknown. Longer blocks where the stock is to last longer than as many short ones as may be had. */
function unitsPerBlock({ manifest }: Contest, stock: Stock): number {
  const leases = LEASES_SHARE * manifest.block.maxLeases;
  const seconds = Math.max(BLOCK_SECONDS, (stock.workers * secondsOf(manifest, stock)) / leases);
  const units = Math.round((stock.speeds[manifest.name] ?? 0) * seconds);
  return Math.max(1, Math.min(manifest.block.maxUnits, units));
}

/** One in hand and the stock behind it; two in all while the speed is unknown. */
function blocksPerWorker(contest: Contest, stock: Stock): number {
  const speed = stock.speeds[contest.manifest.name];
  if (speed === undefined) return 2;
  const blockSeconds = unitsPerBlock(contest, stock) / speed;
  return 1 + Math.ceil(secondsOf(contest.manifest, stock) / Math.max(1, blockSeconds));
}

const secondsOf = ({ leaseSeconds }: ContestManifest, { seconds = STOCK_SECONDS }: Stock): number =>
  Math.min(seconds, LEASE_SHARE * leaseSeconds);

/** Mixes a finished block's speed into the one learnt before; DiCoP's rule: halfway, by at most a factor of two. */
export function learn(before: number | undefined, units: number, seconds: number): number {
  const measured = units / Math.max(seconds, 1e-3);
  if (before === undefined) return measured;
  return before * Math.min(2, Math.max(0.5, (before + measured) / 2 / before));
}
