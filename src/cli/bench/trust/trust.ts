/**
 * `bench trust`: the cheating zoo. Each cheat works beside honest clients for the real keymaster; how soon it is caught, by what, and what
 * of its work still counts. Then what all that checking costs somebody who has been honest for long.
 */
import { writeFileSync } from 'node:fs';
import { falseAlarms } from '../../../contests/rc5/power.ts';
import type { ContestKindName } from '../../../domain/contest.ts';
import { randomOf } from '../random.ts';
import { type CostFigures, costOf } from './cost.ts';
import { type Watched, watch } from './enclosure.ts';
import { ogrModel, rc5Model, Stubs } from './model.ts';
import { trustText } from './text.ts';
import { type Animal, BLOCK_UNITS, ogrAnimals, RC5_ANIMALS } from './zoo.ts';

export interface TrustOptions {
  runs: number;
  blocks: number;
  seed: number;
  short?: boolean;
  only?: string;
  json?: string;
}

export interface TrustRow extends Watched {
  name: string;
  kind: ContestKindName;
  /** It is to be accused of nothing. */
  isHonest: boolean;
  blockUnits: number;
  most: number;
}

export interface TrustReport {
  options: { runs: number; blocks: number; seed: number };
  zoo: TrustRow[];
  /** False alarms of one RC5 record: by starting, and for each year of full work. */
  falseAlarms: { first: number; aYear: number };
  cost: Record<ContestKindName, CostFigures>;
}

const WEEK = 7 * 86_400;

export async function benchTrust(options: TrustOptions): Promise<void> {
  const report = await trustReport(options);
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
  process.stdout.write(trustText(report));
  const faults = report.zoo.flatMap(({ name, faults, stolen, honest }) => [
    ...faults,
    ...honest.accused.map((what) => `an honest client beside "${name}" was accused, ${what}`),
    ...(stolen === 0 ? [] : [`${stolen} units were credited for reports of somebody else`]),
  ]);
  if (faults.length > 0) throw new Error(`this must not be:\n${faults.slice(0, 10).join('\n')}`);
}

export async function trustReport(options: TrustOptions): Promise<TrustReport> {
  const { seed, short = false, only } = options;
  const runs = short ? 6 : options.runs;
  const blocks = short ? 12 : options.blocks;
  const stubs = await Stubs.search(short ? 2 : undefined);
  const zoo: TrustRow[] = [];
  for (const animal of [...RC5_ANIMALS, ...ogrAnimals(stubs)]) {
    if (only !== undefined && !animal.name.includes(only)) continue;
    const model = animal.kind === 'ogr' ? ogrModel(stubs) : rc5Model(seed, animal.leaseSeconds ?? WEEK);
    const most = Math.min(blocks, animal.most ?? blocks);
    const began = performance.now();
    const watched = await watch({ seed, animal, model, runs, honest: Math.ceil(runs / 2), most });
    const took = ((performance.now() - began) / 1000).toFixed(0);
    process.stderr.write(`${animal.name}: ${watched.caughtAfter.length} of ${runs} caught, ${took} s\n`);
    zoo.push(rowOf(animal, watched, most));
  }
  return {
    options: { runs, blocks, seed },
    zoo,
    falseAlarms: falseAlarms(randomOf(seed, 'false alarms'), { runs: short ? 50 : 2000 }),
    cost: { rc5: await costOf('rc5', seed, stubs, short), ogr: await costOf('ogr', seed, stubs, short) },
  };
}

const rowOf = ({ name, kind, honest }: Animal, watched: Watched, most: number): TrustRow => ({
  name,
  kind,
  isHonest: honest === true,
  blockUnits: BLOCK_UNITS[kind],
  most,
  ...watched,
});
