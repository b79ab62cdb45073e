/**
 * From slices to the whole pyramid. What the slices share with it is the code and what each client and each proxy meets:
 * a leaf has as many clients as it would have, a full upper proxy as many leaves. Requests of independent proxies add up,
 * so what a block costs is multiplied by the blocks of all (`demand.ts`); shares and times are as they were observed.
 */
import { summary } from '../statistics.ts';
import type { Traffic } from './link.ts';
import type { SliceResult } from './slice.ts';

export interface Spread {
  least: number;
  median: number;
  most: number;
}

export interface TierFigures {
  /** What came to the tier, per thousand blocks of clients. */
  requestsPerThousandBlocks: number;
  /** The share of requests for work that got none, and of calls that found nobody. */
  inVain: number;
  failed: number;
  /** Bodies, JSON before gzip, per block of a client. */
  bytesUpPerBlock: number;
  bytesDownPerBlock: number;
  /** Reports that came, per thousand blocks: neighbours of one client go up as one. */
  reportsPerThousandBlocks: number;
}

export type Tier = 'leaf' | 'upper' | 'keymaster';

export interface SliceFigures {
  clients: number;
  hours: number;
  blocks: number;
  units: number;
  blocksPerSecond: number;
  tiers: Record<Tier, TierFigures>;
  /** From finished to credited, seconds. */
  creditedAfter: { median: number; p99: number };
  faults: string[];
}

export interface WeekFigures extends SliceFigures {
  /** Clients at work that had no block, of those at work. */
  idle: number;
  /** Hours of the mean work of those below. */
  stockHours: Record<'client' | 'leaf' | 'upper', Spread>;
  /** Shares of the units that were given to clients. */
  reissued: number;
  abandoned: number;
  /** Shares of the units that were finished: never credited, and of those, never sent. */
  uncredited: number;
  neverSent: number;
  /** Work on blocks that were not finished, as a share of all work. */
  unfinished: number;
  /** Shares of the blocks that were given. */
  expired: number;
  late: number;
  /** The lost disk: hours of the leaf's work that it had in stock, and reports it had not sent. */
  diskLost: { hours: number; reports: number } | undefined;
}

export function sliceFigures(slice: SliceResult): SliceFigures {
  const { clients, hours, audit, traffic } = slice;
  const blocks = audit.finishedBlocks;
  const waits = audit.waits.toSorted((a, b) => a - b);
  const at = (share: number): number => waits[Math.floor(share * (waits.length - 1))] ?? Number.NaN;
  return {
    clients,
    hours,
    blocks,
    units: audit.finishedUnits,
    blocksPerSecond: blocks / (hours * 3600),
    tiers: {
      leaf: tierFigures(traffic.leaf, blocks),
      upper: tierFigures(traffic.upper, blocks),
      keymaster: tierFigures(traffic.keymaster, blocks),
    },
    creditedAfter: { median: at(0.5), p99: at(0.99) },
    faults: [...slice.faults, ...slice.errors],
  };
}

export function weekFigures(slice: SliceResult, uppers: number): WeekFigures {
  const { hours, audit, stock, diskLost, creditOfLeaf } = slice;
  const figures = sliceFigures(slice);
  const perHour = (units: number): number => units / hours;
  const leaves = creditOfLeaf.map(perHour);
  const each = leaves.length / uppers;
  const uppersPerHour = Array.from({ length: uppers }, (_, i) =>
    leaves.slice(i * each, (i + 1) * each).reduce((sum, units) => sum + units, 0),
  );
  /** Until the first day is over a proxy does not know how much a day's work is. */
  const hoursOf = (samples: readonly (readonly number[])[], unitsPerHour: readonly number[]): Spread =>
    spread(
      samples
        .slice(Math.min(24, samples.length - 1))
        .flatMap((units) => units.map((free, i) => free / (unitsPerHour[i] ?? 0)))
        .filter(Number.isFinite),
    );
  return {
    ...figures,
    idle: share(stock.idle, stock.working),
    stockHours: {
      client: spread(stock.client.map((seconds) => seconds / 3600)),
      leaf: hoursOf(stock.leaf, leaves),
      upper: hoursOf(stock.upper, uppersPerHour),
    },
    reissued: share(audit.reissued, audit.units),
    abandoned: share(audit.abandoned, audit.units),
    uncredited: share(audit.finishedUnits - audit.credited, audit.finishedUnits),
    neverSent: share(slice.unsent, audit.finishedUnits),
    unfinished: share(audit.unfinished, audit.finishedUnits + audit.unfinished),
    expired: share(audit.expired, audit.blocks),
    late: share(audit.late, audit.blocks),
    diskLost:
      diskLost === undefined ? undefined : { hours: diskLost.free / (leaves[0] ?? 0), reports: diskLost.waiting },
  };
}

function tierFigures(traffic: Traffic, blocks: number): TierFigures {
  const thousands = blocks / 1000;
  return {
    requestsPerThousandBlocks: traffic.requests / thousands,
    inVain: share(traffic.inVain, traffic.asking),
    failed: share(traffic.failures, traffic.requests + traffic.failures),
    bytesUpPerBlock: traffic.bytesUp / blocks,
    bytesDownPerBlock: traffic.bytesDown / blocks,
    reportsPerThousandBlocks: traffic.reports / thousands,
  };
}

const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);

function spread(values: readonly number[]): Spread {
  if (values.length === 0) return { least: Number.NaN, median: Number.NaN, most: Number.NaN };
  const { least, median, most } = summary(values);
  return { least, median, most };
}
