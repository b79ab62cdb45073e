/**
 * A finished block as a line of the personal proxy's keyblock log, in its columns (distributed.net Personal Proxy Manual,
 * "Keyblock log"): timestamp, address, who, block id, size, OS, CPU, client build, core. No heading; quotes as in RFC 4180.
 *
 *   11/25/26 02:13:05,5e1f…,ann@example.org,C9:8E6F9FFB:30000000,16,Linux,x86_64,0.2.0,rc5-mixed
 *
 * Block ids. RC5-72: the 72-bit counter of the first key, `xx:xxxxxxxx:xxxxxxxx`; shorter keys: 14 or 16 digits without
 * colons. OGR: `marks/d-d-d…`, the differences of the stub; a block of several stubs is the first, with their number
 * after an `x`: `29/1-2-4-5-8-10x16`. Sizes. RC5-72: 2^32 keys each; shorter keys: 2^28, as there; OGR: nodes.
 *
 * OS, CPU and core are names where distributed.net has numbers of its own: it has none for a browser. Control characters
 * become spaces, so that a block is a line for tools that know no quotes.
 */
import { ogrSearch } from '../../contests/ogr/ogr.ts';
import { unitToStub } from '../../contests/ogr/stubs.ts';
import type { ClientInfo } from '../../domain/client.ts';
import type { ContestManifest } from '../../domain/contest.ts';
import { KEYS_PER_UNIT, type Report } from '../../domain/work.ts';

export interface FinishedBlock {
  /** When its report was accepted, milliseconds since 1970. */
  at: number;
  /** Where the report came from. */
  address?: string | undefined;
  client: ClientInfo;
  contest: ContestManifest;
  report: Report;
}

/**
 * The first two modes of the personal proxy's `timestampflags`, in UTC: `old` is `MM/DD/YY HH:MM:SS`, its default and what
 * log tools know; `new` is `YYYY-MM-DD HH:MM:SS`.
 */
export type TimestampStyle = 'old' | 'new';

const UNITS_PER_2_32 = 2 ** 32 / KEYS_PER_UNIT;

/** @throws RangeError the report's units are not the contest's. May take a tenth of a second for an OGR stub far off. */
export function blockLine(block: FinishedBlock, address: string, style: TimestampStyle): string {
  const { at, client, contest, report } = block;
  const columns = [
    timestamp(at, style),
    address,
    client.name ?? '',
    blockId(contest, report),
    String(blockSize(contest, report)),
    client.os ?? '',
    client.cpu ?? '',
    client.version,
    report.core,
  ];
  return `${columns.map(quoted).join(',')}\n`;
}

export function blockId(contest: ContestManifest, { first, evidence }: Report): string {
  if (contest.search.kind === 'rc5') {
    const { firstUnit, keyBytes } = contest.search;
    const counter = BigInt(firstUnit + first) * BigInt(KEYS_PER_UNIT);
    const digits = counter
      .toString(16)
      .toUpperCase()
      .padStart(keyBytes * 2, '0');
    return keyBytes === 9 ? `${digits.slice(0, 2)}:${digits.slice(2, 10)}:${digits.slice(10)}` : digits;
  }
  const search = ogrSearch(contest);
  const count = evidence.length > 1 ? `x${evidence.length}` : '';
  return `${search.marks}/${unitToStub(search, first).join('-')}${count}`;
}

function blockSize({ search }: ContestManifest, { evidence }: Report): number {
  if (search.kind === 'rc5') return search.keyBytes === 9 ? evidence.length / UNITS_PER_2_32 : evidence.length;
  return evidence.reduce((nodes, unit) => nodes + (unit.kind === 'ogr' ? unit.nodes : 0), 0);
}

function timestamp(at: number, style: TimestampStyle): string {
  const [date = '', time = ''] = new Date(at).toISOString().slice(0, 19).split('T');
  if (style === 'new') return `${date} ${time}`;
  const [year = '', month, day] = date.split('-');
  return `${month}/${day}/${year.slice(-2)} ${time}`;
}

function quoted(text: string): string {
  const line = text.replace(/\p{Cc}/gu, ' ');
  return /[",]|^\s|\s$/.test(line) ? `"${line.replaceAll('"', '""')}"` : line;
}
