/** The cheating zoo, briefly: gross cheats are caught and keep nothing, the honest are not accused, and it repeats itself. */
import { expect, test } from 'vitest';
import { watch } from '../../src/cli/bench/trust/enclosure.ts';
import { ogrModel, rc5Model, Stubs } from '../../src/cli/bench/trust/model.ts';
import { trustText } from '../../src/cli/bench/trust/text.ts';
import { trustReport } from '../../src/cli/bench/trust/trust.ts';
import { ogrAnimals, RC5_ANIMALS } from '../../src/cli/bench/trust/zoo.ts';

test('the short zoo: who does nothing, makes up or replays keeps no credit; nobody honest is accused', async () => {
  const report = await trustReport({ runs: 0, blocks: 0, seed: 1, short: true });
  expect(report.zoo.map(({ kind }) => kind).filter((kind) => kind === 'ogr')).toHaveLength(5);
  for (const row of report.zoo) {
    expect([row.faults, row.stolen, row.honest.accused, row.dropped]).toEqual([[], 0, [], 0]);
  }
  expect(report.zoo.filter(({ isHonest, caughtAfter }) => isHonest && caughtAfter.length > 0)).toEqual([]);
  const gross = report.zoo.filter(({ name }) => /100 %|fabricates|replays|another stub|the end/.test(name));
  expect(gross.map(({ caughtAfter }) => caughtAfter.length)).toEqual([6, 6, 6, 6, 6]);
  expect(gross.map(({ wrongInTheEnd }) => wrongInTheEnd)).toEqual([0, 0, 0, 0, 0]);
  expect(report.falseAlarms.aYear).toBeLessThan(1e-6);
  for (const { share, verifySeconds, unitSeconds } of Object.values(report.cost)) {
    expect(share).toBeGreaterThan(0);
    expect(verifySeconds / unitSeconds).toBeLessThan(0.01);
  }
  const lines = trustText(report).split('\n');
  expect(lines.filter((line) => line.length > 100)).toEqual([]);
}, 120_000);

test('it repeats itself for its seed', async () => {
  const animal = RC5_ANIMALS.find(({ name }) => name.startsWith('lazy'));
  if (animal === undefined) throw new Error('there is no such animal');
  const few = { runs: 8, honest: 4, most: 12 };
  const once = async (seed: number) => watch({ seed, animal, model: rc5Model(seed, 86_400), ...few });
  expect(await once(3)).toEqual(await once(3));
}, 60_000);

test('a stub of which one interval was skipped does not stand up to the kernel', async () => {
  const stubs = await Stubs.search(2);
  const animal = ogrAnimals(stubs).find(({ name }) => name.startsWith('skips'));
  if (animal === undefined) throw new Error('there is no such animal');
  const watched = await watch({ seed: 1, animal, model: ogrModel(stubs), runs: 4, honest: 2, most: 30 });
  expect(watched.caughtAfter).toHaveLength(4);
  expect(watched.honest.accused).toEqual([]);
}, 60_000);

test('who takes a new identity every few blocks is caught again and again; the honest who use its name are accused of nothing', async () => {
  const animal = RC5_ANIMALS.find(({ renews }) => renews === 5);
  if (animal === undefined) throw new Error('there is no such animal');
  const watched = await watch({ seed: 1, animal, model: rc5Model(1, 86_400), runs: 6, honest: 6, most: 40 });
  expect(watched.caughtAfter).toHaveLength(6);
  expect(watched.blocks).toBeGreaterThan(6 * 15);
  expect(watched.wrongInTheEnd).toBeLessThan(0.7 * watched.wronglyCredited);
  expect([watched.honest.accused, watched.faults]).toEqual([[], []]);
}, 60_000);
