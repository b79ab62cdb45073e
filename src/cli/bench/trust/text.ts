/** What came of the zoo, for a terminal of 100 columns. */
import type { How } from '../../../server/trust/conduct.ts';
import { table } from '../table.ts';
import type { CostFigures } from './cost.ts';
import type { TrustReport, TrustRow } from './trust.ts';

const LETTERS: Readonly<Record<How, string>> = {
  evidence: 'E',
  'spot-check': 'S',
  'known-answer': 'K',
  'second-run': '2',
  record: 'R',
};

const LEGEND = `Blocks until half of them, and 95 %, were caught; how many never were. Units credited that were not
done: at first; left in the end; of second runs, with those not caught. How they were caught, in %:
Evidence refused, Spot check, Known answer, 2nd run, Record of near matches
`;

export function trustText({ options, zoo, falseAlarms, cost }: TrustReport): string {
  const { runs, blocks, seed } = options;
  const beside = zoo.reduce((sum, { honest }) => sum + honest.clients, 0);
  const honestBlocks = zoo.reduce((sum, { honest }) => sum + honest.blocks, 0);
  const accused = zoo.reduce((sum, { honest }) => sum + honest.accused.length, 0);
  return [
    `${runs} clients of each kind, ${blocks} blocks at most, seed ${seed}\n${LEGEND}`,
    ...(['rc5', 'ogr'] as const).map((kind) => rows(zoo.filter((row) => row.kind === kind))),
    `Honest clients accused: ${accused} of ${number(beside)}, in ${number(honestBlocks)} blocks\n` +
      `By the record of RC5, in 10,000 client-years: ${(falseAlarms.aYear * 1e4).toFixed(4)} (importance sampling)\n`,
    costs(cost),
  ].join('\n');
}

function rows(some: readonly TrustRow[]): string {
  const [one] = some;
  if (one === undefined) return '';
  const units = one.blockUnits === 1 ? '1 unit' : `${one.blockUnits} units`;
  return table([
    [`${one.kind.toUpperCase()}, blocks of ${units}`, 'median', '95 %', 'never', 'wrong', 'left', 'again', 'how'],
    ...some.map((row) => [
      row.name,
      ...[0.5, 0.95].map((share) => blocksAt(row, share)),
      String(row.clients - row.caughtAfter.length),
      number(row.wronglyCredited),
      number(row.wrongInTheEnd),
      number(row.wrongAgain),
      ways(row),
    ]),
  ]);
}

/** Blocks before so many were caught. */
export function blocksAt({ caughtAfter, clients, most }: TrustRow, share: number): string {
  const blocks = caughtAfter[Math.ceil(share * clients) - 1];
  return blocks === undefined ? `> ${number(most)}` : number(blocks);
}

function ways({ ways: some, caughtAfter }: TrustRow): string {
  return Object.entries(some)
    .toSorted(([, a], [, b]) => b - a)
    .map(([how, count]) => `${LETTERS[how as How]} ${Math.round((100 * count) / caughtAfter.length)}`)
    .join(', ');
}

function costs(cost: TrustReport['cost']): string {
  const row = (name: string, figure: (of: CostFigures) => string): string[] => [
    `  ${name}`,
    figure(cost.rc5),
    figure(cost.ogr),
  ];
  return table([
    [`Honest for ${number(cost.rc5.before)} blocks of one unit`, 'RC5', 'OGR'],
    row('reports counted', ({ reports }) => number(reports)),
    row('spot checks; second runs and known answers', ({ spots, again }) => `${number(spots)}; ${number(again)}`),
    row('of the work, done again', ({ share }) => percent(share)),
    row("the keyserver's processor for a unit's evidence, µs", ({ verifySeconds }) => (verifySeconds * 1e6).toFixed(0)),
    row('  of the unit', ({ verifySeconds, unitSeconds }) => percent(verifySeconds / unitSeconds)),
  ]);
}

const number = (n: number): string => n.toLocaleString('en');
const percent = (share: number): string => `${(share * 100).toFixed(share < 0.001 ? 4 : 2)} %`;
