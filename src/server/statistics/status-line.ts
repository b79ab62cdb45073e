/**
 * A line a contest for the console, as the personal proxy printed it every few minutes:
 *
 *   rc5-72 r=1,024/4,096, d=3/64, 25.1 Mkeys/s, total=123,456
 *
 * r: units in stock of how many at most; d: reports that wait for the upstream of how many that make it send; the rate
 * over the last hour; units done of the whole contest. A keymaster has no stock: r is free units of all, d is units leased.
 */
import type { ContestKindName } from '../../domain/contest.ts';
import { KEYS_PER_UNIT } from '../../domain/work.ts';
import type { Status } from '../../protocol/keyserver.ts';

export interface StatusLineOptions {
  /** Of a contest, where it is known: RC5's rate is shown in keys. */
  kindOf?: ((contest: string) => ContestKindName | undefined) | undefined;
  /** Reports that make a proxy send. */
  flushReports?: number | undefined;
}

const count = new Intl.NumberFormat('en');

export function statusLines(status: Status, { kindOf, flushReports }: StatusLineOptions = {}): string[] {
  return status.contests.map(({ name, state, units, done, leased }) => {
    const stock = status.stock?.find(({ contest }) => contest === name);
    const ready = stock === undefined ? [units - done - leased, units] : [stock.free, stock.high];
    const flush = flushReports === undefined ? '' : `/${count.format(flushReports)}`;
    const doing = stock === undefined ? count.format(leased) : `${count.format(stock.waiting)}${flush}`;
    const rate = rateText(status.rates?.[name]?.hour ?? 0, kindOf?.(name));
    const closed = state === 'closed' ? ', closed' : '';
    return `${name} r=${ready.map((n) => count.format(n)).join('/')}, d=${doing}, ${rate}, total=${count.format(done)}${closed}`;
  });
}

const PREFIXES = ['', 'k', 'M', 'G', 'T', 'P'] as const;

/** `25.1 Mkeys/s` of RC5; `12.5 units/s`, `/h` or `/d` of what has no step of its own. */
export function rateText(unitsPerSecond: number, kind: ContestKindName | undefined): string {
  if (kind !== 'rc5') {
    const [per, seconds] = unitsPerSecond >= 1 ? ['s', 1] : unitsPerSecond * 3600 >= 1 ? ['h', 3600] : ['d', 86_400];
    return unitsPerSecond > 0 ? `${threeDigits(unitsPerSecond * seconds)} units/${per}` : '0 units/s';
  }
  let scaled = unitsPerSecond * KEYS_PER_UNIT;
  let prefix = 0;
  for (; scaled >= 999.5 && prefix < PREFIXES.length - 1; prefix++) scaled /= 1000;
  return `${scaled > 0 ? threeDigits(scaled) : '0'} ${PREFIXES[prefix]}keys/s`;
}

/** 9.60, 25.1, 104, 1,234: as the page writes them. */
function threeDigits(value: number): string {
  return value >= 99.95 ? count.format(Math.round(value)) : value.toPrecision(3);
}
