/** What the simulation found, for a terminal of 100 columns: a table of the tiers, and the figures that belong to none. */
import { table } from '../table.ts';
import type { SliceFigures, Spread, Tier, TierFigures, WeekFigures } from './figures.ts';
import type { PyramidReport, Shape } from './pyramid.ts';

export function pyramidText(report: PyramidReport): string {
  const { options, shape, week, crowd } = report;
  const { clients, days, seed, leaseDays } = options;
  const parts = [
    `${number(clients)} clients, ${number(shape.leaves)} leaves of ${shape.clientsPerLeaf}, ${number(shape.uppers)} upper ` +
      `proxies of ${shape.leavesPerUpper}, one keymaster; ${days} days, leases of ${leaseDays}, seed ${seed}\n`,
    ...(week === undefined ? [] : [slices(week, crowd), tiers(week, crowd, clients, shape), works(week)]),
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

/** Means are the week's, the peak hour the crowd's; of the keymaster both, for only there an upper proxy has all its load. */
function tiers(week: WeekFigures, crowd: SliceFigures | undefined, clients: number, shape: Shape): string {
  const blocksPerSecond = (week.blocksPerSecond * clients) / week.clients;
  const row = (name: string, keyservers: number, tier: Tier, figures: TierFigures, stock: Spread | undefined) => {
    const { requestsPerThousandBlocks, bytesUpPerBlock, bytesDownPerBlock } = figures;
    const peak =
      crowd === undefined
        ? undefined
        : (crowd.blocksPerSecond * clients * crowd.tiers[tier].requestsPerThousandBlocks) / 1000 / crowd.clients;
    return [
      `  ${name}`,
      number(keyservers),
      rate((blocksPerSecond * requestsPerThousandBlocks) / 1000),
      peak === undefined ? '' : rate(peak),
      requestsPerThousandBlocks.toFixed(tier === 'keymaster' ? 2 : 0),
      number(Math.round(bytesUpPerBlock)),
      number(Math.round(bytesDownPerBlock)),
      ...(stock === undefined
        ? ['', '', '']
        : [stock.least, stock.median, stock.most].map((hours) => hours.toFixed(1))),
    ];
  };
  const { stockHours } = week;
  return table([
    [
      'Tier',
      'number',
      'requests/s',
      'peak',
      '/ 1000 blocks',
      'B/block up',
      'down',
      'stock, h: least',
      'median',
      'most',
    ],
    row('leaves', shape.leaves, 'leaf', week.tiers.leaf, stockHours.leaf),
    row('upper proxies', shape.uppers, 'upper', week.tiers.upper, stockHours.upper),
    row('keymaster', 1, 'keymaster', (crowd ?? week).tiers.keymaster, undefined),
  ]);
}

function works(week: WeekFigures): string {
  const { stockHours, creditedAfter, diskLost } = week;
  const minutes = (hours: number): string => (hours * 60).toFixed(1);
  const rows = [
    ['clients at work, of all', percent(week.atWork)],
    ['the busiest hour / the mean', week.peak.toFixed(2)],
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
