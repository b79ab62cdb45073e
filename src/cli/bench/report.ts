/** What the bench found, as a value (`--json`) and as text for a terminal of 100 columns. */

import { benchStubs } from '../../bench/stubs.ts';
import type { ContestKindName } from '../../domain/contest.ts';
import type { Contender } from './contenders.ts';
import type { Machine } from './machine.ts';
import type { Busy } from './pin.ts';
import type { KernelSizes } from './sizes.ts';
import { medianRatio, type Summary, summary } from './statistics.ts';
import type { TabFigures } from './tab.ts';
import { table } from './table.ts';

export interface Figure extends Summary {
  place: string;
  name: string;
  /** Keys or nodes a second of processor time, one a repeat. */
  rates: number[];
  /** The share of the CPU that it had in each: rate × share is the rate by the clock. */
  shares: number[];
  /** How many times as fast as what the column is named after: the median of the ratios repeat by repeat. */
  ratios: Record<string, number>;
}

export interface Report {
  machine: Machine & {
    v8: string;
    chromium?: string;
    gcc?: string;
    dnetc?: string;
    /** The one that everything was pinned to; absent where nothing was. */
    pinnedTo?: number;
    /** What others spent of the machine's CPUs, before and after. */
    busy?: [Busy, Busy];
  };
  startedAt: string;
  repeats: number;
  seconds: number;
  rc5: Figure[];
  /** Nodes as published for `stubs`, over the seconds to finish them. */
  ogr: Figure[];
  stubs: typeof benchStubs;
  /** What could not be timed, and why. */
  left: { place: string; name: string; reason: string }[];
  tab?: TabFigures;
  sizes: KernelSizes;
}

export function figures(contenders: readonly Contender[], kind: ContestKindName): Figure[] {
  const timed = contenders.filter((contender) => contender.kind === kind && contender.rates.length > 0);
  return timed.map(({ place, name, rates, shares }) => ({
    place,
    name,
    ...summary(rates),
    rates,
    shares,
    ratios: Object.fromEntries(
      timed.flatMap((other) => {
        const ratio = other.column === undefined ? undefined : medianRatio(rates, other.rates);
        return ratio === undefined ? [] : [[other.column, ratio]];
      }),
    ),
  }));
}

export function text(report: Report): string {
  const { machine, repeats, seconds, rc5, ogr, left, tab, sizes } = report;
  const { cpu, node, v8, tabherd, chromium, gcc, dnetc } = machine;
  const versions = [
    `Node ${node} (V8 ${v8})`,
    ...(chromium === undefined ? [] : [`Chromium ${chromium}`]),
    ...(gcc === undefined ? [] : [`gcc ${gcc}`]),
    ...(dnetc === undefined ? [] : [dnetc]),
  ];
  const parts = [
    `${cpu}, ${machine.pinnedTo === undefined ? 'not pinned to a CPU' : `pinned to CPU ${machine.pinnedTo}`}; ` +
      `Tabherd ${tabherd}\n${versions.join(', ')}\n` +
      `One thread, ${repeats} x ${seconds} s in turn: median, least and most; ratios are medians of those repeat by repeat\n`,
    figureTable('RC5-72, Mkeys/s', rc5),
    figureTable('OGR, Mnodes/s', ogr),
    sharedText(report),
    ...(left.length === 0
      ? []
      : [`Not timed\n${left.map(({ place, name, reason }) => `  ${place} ${name}: ${reason}\n`).join('')}`]),
    ...(tab === undefined ? [] : [tabText(tab)]),
    sizesText(sizes),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

function figureTable(title: string, rows: readonly Figure[]): string {
  if (rows.length === 0) return '';
  const columns = [...new Set(rows.flatMap(({ ratios }) => Object.keys(ratios)))];
  const million = (rate: number): string => (rate / 1e6).toFixed(2);
  return table([
    [title, 'median', 'least', 'most', ...columns.map((column) => `/ ${column}`)],
    ...rows.map(({ place, name, median, least, most, ratios }) => [
      `  ${place.padEnd(8)} ${name}`,
      ...[median, least, most].map(million),
      ...columns.map((column) => ratios[column]?.toFixed(3) ?? ''),
    ]),
  ]);
}

/** Where the CPU was wanted by others, too. */
function sharedText({ rc5, ogr, tab }: Report): string {
  const shares = [...rc5, ...ogr].flatMap((figure) => figure.shares).concat(tab?.shares.flat() ?? []);
  const less = shares.filter((share) => share < 1);
  if (less.length === 0) return '';
  const percent = (Math.min(...less) * 100).toFixed(0);
  return `${less.length} of ${shares.length} measurements had less than the whole CPU, ${percent} % at the least: rates are by processor time\n`;
}

function tabText({ core, workers, tabRates, bareRates, ratios, firstSliceMs }: TabFigures): string {
  const row = (what: string, values: readonly number[], digits: number): string[] => {
    const { median, least, most } = summary(values);
    return [`  ${what}`, ...[median, least, most].map((value) => value.toFixed(digits))];
  };
  const millions = (values: readonly number[]): number[] => values.map((value) => value / 1e6);
  return table([
    [`The tab on rc5-72 (${core})`, 'median', 'least', 'most'],
    row(`as the page shows it, ${workers} worker${workers === 1 ? '' : 's'}, Mkeys/s`, millions(tabRates), 2),
    row('the bare core in a worker, Mkeys/s', millions(bareRates), 2),
    row('tab / (bare core x workers), must be 0.97 or more', ratios, 3),
    row('from Start to the first slice done, ms, must be 500 at most', firstSliceMs, 0),
  ]);
}

function sizesText({ kernels, total, budget, tables }: KernelSizes): string {
  const number = (n: number): string => n.toLocaleString('en');
  return table([
    ['Download, bytes', 'as it is', 'brotli'],
    ...kernels.map(({ file, bytes, brotli }) => [`  ${file}`, number(bytes), number(brotli)]),
    [`  all kernels, of ${number(budget)}`, '', number(total)],
    ...tables.map(({ file, bytes, brotli }) => [`  ${file} (a table)`, number(bytes), number(brotli)]),
  ]);
}
