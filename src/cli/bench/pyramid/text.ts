/** What the simulation found, for a terminal of 100 columns: a table of the tiers, and the figures that belong to none. */
import { table } from '../table.ts';
import type { SliceFigures, Spread, Tier, TierFigures, WeekFigures } from './figures.ts';
import type { PyramidReport } from './pyramid.ts';

export function pyramidText(report: PyramidReport): string {
  const { options, shape, demand, week, crowd } = report;
  const { clients, days, seed, leaseDays } = options;
  const parts = [
    `${number(clients)} clients, ${number(shape.leaves)} leaves of ${shape.clientsPerLeaf}, ${number(shape.uppers)} upper ` +
      `proxies of ${shape.leavesPerUpper}, one keymaster; ${days} days, leases of ${leaseDays}, seed ${seed}\n` +
      `Blocks a second: ${number(Math.round(demand.mean * clients))}, in the busiest hour ` +
      `${number(Math.round(demand.peak * clients))}; ${percent(demand.atWork)} of all clients at work\n`,
    ...(week === undefined ? [] : [slices(week, crowd), tiers(report, week), works(week)]),
    ...(week === undefined && crowd !== undefined ? [`${crowdLine(crowd)}\n`] : []),
  ];
  return parts.join('\n');
}

const slices = (week: WeekFigures, crowd: SliceFigures | undefined): string =>
  `The week: ${week.clients} clients, ${number(week.blocks)} blocks, ${number(week.units)} units\n` +
  (crowd === undefined ? '' : `${crowdLine(crowd)}\n`);

const crowdLine = ({ clients, blocks, hours, creditedAfter, tiers: { keymaster } }: SliceFigures): string =>
  `The crowd: ${number(clients)} clients, ${number(blocks)} blocks in ${(hours * 60).toFixed(0)} minutes; credited after ` +
  `${creditedAfter.median.toFixed(0)} s (median), ${creditedAfter.p99.toFixed(0)} s (p99); ` +
  `${keymaster.requestsPerThousandBlocks.toFixed(2)} requests at the keymaster per thousand blocks`;

/** Per block the week's figures, of the peak hour the crowd's; of the keymaster always: there an upper proxy is full. */
function tiers({ options, shape, demand, crowd }: PyramidReport, week: WeekFigures): string {
  const row = (name: string, keyservers: number, tier: Tier, figures: TierFigures, stock?: Spread): string[] => {
    const { requestsPerThousandBlocks, bytesUpPerBlock, bytesDownPerBlock } = figures;
    const inPeak = (crowd ?? week).tiers[tier].requestsPerThousandBlocks;
    const { least, median, most } = stock ?? {};
    return [
      `  ${name}`,
      number(keyservers),
      rate((demand.mean * options.clients * requestsPerThousandBlocks) / 1000),
      rate((demand.peak * options.clients * inPeak) / 1000),
      requestsPerThousandBlocks.toFixed(tier === 'keymaster' ? 2 : 0),
      number(Math.round(bytesUpPerBlock)),
      number(Math.round(bytesDownPerBlock)),
      ...[least, median, most].map((hours) => hours?.toFixed(1) ?? ''),
    ];
  };
  const { leaf, upper, keymaster } = week.tiers;
  const heads = ['number', 'requests/s', 'peak', '/ 1000 blocks', 'B/block up', 'down', 'stock, h: least', 'median'];
  return table([
    ['Tier', ...heads, 'most'],
    row('leaves', shape.leaves, 'leaf', leaf, week.stockHours.leaf),
    row('upper proxies', shape.uppers, 'upper', upper, week.stockHours.upper),
    row('keymaster', 1, 'keymaster', crowd?.tiers.keymaster ?? keymaster),
  ]);
}

function works(week: WeekFigures): string {
  const { stockHours, creditedAfter, diskLost } = week;
  const minutes = (hours: number): string => (hours * 60).toFixed(1);
  const rows = [
    [
      "a client's stock at work, minutes: least, median, most",
      [stockHours.client.least, stockHours.client.median, stockHours.client.most].map(minutes).join(', '),
    ],
    ['clients at work without a block', percent(week.idle)],
    ['requests for work that got none', percent(week.tiers.leaf.inVain)],
    ['calls that found the leaf away', percent(week.tiers.leaf.failed)],
    ['finished to credited, s: median, p99', `${creditedAfter.median.toFixed(0)}, ${creditedAfter.p99.toFixed(0)}`],
    ['units finished, never credited', percent(week.uncredited)],
    ['  of those, not sent by the end', percent(week.neverSent)],
    ['work on blocks that were never finished', percent(week.unfinished)],
    ['units with clients that never came back', percent(week.abandoned)],
    ['units handed out again', percent(week.reissued)],
    ['leases that ran out; their reports came all the same', `${percent(week.expired)}; ${percent(week.late)}`],
    ...(diskLost === undefined
      ? []
      : [['lost with the disk: stock, hours of work; reports', `${diskLost.hours.toFixed(1)}; ${diskLost.reports}`]]),
    ['contradictions between ledgers and what was observed', String(week.faults.length)],
  ];
  return table(rows.map(([what = '', figure = '']) => [`  ${what}`, figure]));
}

const number = (n: number): string => n.toLocaleString('en');
const rate = (n: number): string => (n < 100 ? n.toFixed(1) : number(Math.round(n)));
const percent = (share: number): string => `${(share * 100).toFixed(share < 0.001 ? 3 : 2)} %`;
