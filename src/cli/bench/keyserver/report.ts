/** What `bench keyserver` found, as a value (`--json`) and as text for a terminal of 100 columns. */
import type { Machine } from '../machine.ts';
import type { Busy } from '../pin.ts';
import { summary } from '../statistics.ts';
import { table } from '../table.ts';
import type { LedgerFigures } from './million.ts';
import type { HomeName, KeyserverOptions, Measure } from './options.ts';

/** One figure a repeat. */
export interface LoadFigures {
  measure: Measure;
  home: HomeName;
  /** Blocks leased and reported a second, as many clients at once as there are connections. */
  rates: number[];
  /** Blocks a second of the open load, half of the above; milliseconds that an exchange took in it. */
  halfRates: number[];
  p50: number[];
  p99: number[];
  most: number[];
  /** Microseconds of processor time for a block, of the keyserver and of the database where it is a process of its own. */
  serverCpu: number[];
  databaseCpu: number[];
}

export interface KeyserverReport {
  machine: Machine & {
    homes: string[];
    /** What others spent of the machine's CPUs, before and after. */
    busy?: [Busy, Busy];
  };
  startedAt: string;
  options: KeyserverOptions;
  /** In the bench's own process, of true evidence. */
  rc5MicrosecondsPerNearMatch?: number;
  loads: LoadFigures[];
  memory: { home: HomeName; leases: number; bytes?: { now: number; most: number } }[];
  ledgers: ({ home: HomeName } & LedgerFigures)[];
}

export function text({ machine, options, loads, memory, ledgers, ...report }: KeyserverReport): string {
  const { connections, clients, repeats, seconds } = options;
  const parts = [
    `${machine.cpu}, ${machine.cpus} CPUs, load generator included; Tabherd ${machine.tabherd}\n` +
      `Node ${machine.node}, ${machine.homes.join(', ')} (fsync on)\n` +
      `${repeats} x ${seconds} s, the homes in turn: median, least and most\n`,
    ...(['browsers', 'minutes', 'proxies'] as const).map((measure) =>
      loadTable(
        TITLES[measure],
        loads.filter((one) => one.measure === measure),
      ),
    ),
    ...(loads.length === 0 ? [] : [wordsOf(report.rc5MicrosecondsPerNearMatch, connections, clients)]),
    ...(memory.length === 0 ? [] : [memoryTable(memory)]),
    ...(ledgers.length === 0 ? [] : [ledgerTable(ledgers)]),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

const TITLES = {
  browsers: 'Browsers: one block in, one out; with it one RC5 unit checked',
  minutes: "Browsers, with it a minute's RC5 units checked (7)",
  proxies: 'Proxies: 256 blocks in, 256 out',
} as const;

function wordsOf(microseconds: number | undefined, connections: number, clients: number): string {
  const lines = [
    `${connections} of ${clients} clients at once; protocol 2, signed leases. The block that counts is an OGR stub; the RC5`,
    'units beside it were done before: their near matches are checked as any, and count as duplicates.',
    'At half: exchanges come at random, and each is timed from when it was due.',
    ...(microseconds === undefined ? [] : [`A near match of RC5 takes ${microseconds.toFixed(2)} us to check.`]),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function loadTable(title: string, loads: readonly LoadFigures[]): string {
  if (loads.length === 0) return '';
  const cells = (values: readonly number[], digits: number): string[] => {
    const { median, least, most } = summary(values);
    return [median, least, most].map((value) => value.toFixed(digits));
  };
  return table([
    [title, 'median', 'least', 'most'],
    ...loads.flatMap(({ home, rates, halfRates, p50, p99, serverCpu, databaseCpu }) => [
      [`  ${home}, blocks/s`, ...cells(rates, 0)],
      [`    at half of it (${summary(halfRates).median.toFixed(0)}), p50 ms`, ...cells(p50, 1)],
      ['    p99 ms', ...cells(p99, 1)],
      ...(serverCpu.length === 0 ? [] : [["    the keyserver's CPU, us a block", ...cells(serverCpu, 0)]]),
      ...(databaseCpu.length === 0 ? [] : [["    the database's", ...cells(databaseCpu, 0)]]),
    ]),
  ]);
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

const memoryTable = (memory: KeyserverReport['memory']): string =>
  table([
    ["The keyserver's memory, MB", 'open leases', 'then', 'at most'],
    ...memory.map(({ home, leases, bytes }) => [
      `  ${home}`,
      `${leases}`,
      ...(bytes === undefined ? ['?', '?'] : [megabytes(bytes.now), megabytes(bytes.most)]),
    ]),
  ]);

const ledgerTable = (ledgers: KeyserverReport['ledgers']): string =>
  table([
    ['A ledger of many blocks', 'blocks', 's', 'MB', 'peak', 'lease ms', 'half-way', 'at 99 %', 'take back ms'],
    ...ledgers.map(({ home, way, blocks, seconds, bytes, peakBytes, leaseMs, takeBackMs }) => [
      `  ${home}, ${way}`,
      `${blocks}`,
      seconds.toFixed(0),
      megabytes(bytes),
      megabytes(peakBytes),
      ...leaseMs.map((ms) => ms.toFixed(2)),
      takeBackMs.toFixed(0),
    ]),
  ]);
