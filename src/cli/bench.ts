/**
 * `tabherd bench`: how fast each core is in Node, one thread. Repeats of all cores are interleaved, so that a drift of
 * the machine touches all alike; quote the median, and look at the spread before believing a ratio.
 */
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { catalogue } from '../cores/catalogue.ts';
import { measure } from '../cores/choose.ts';
import { rateText } from './rate-text.ts';

export interface BenchOptions {
  json?: string;
  repeats: number;
  seconds: number;
}

export async function bench({ json, repeats, seconds }: BenchOptions, version: string): Promise<void> {
  if (!(seconds > 0)) throw new Error('--seconds must be a number above 0');
  const cores = await Promise.all(
    catalogue.map(async (entry) => ({ entry, core: (await entry.load()).core, rates: [] as number[] })),
  );
  for (const { core } of cores) measure(core, 200);
  for (let i = 0; i < repeats; i++) for (const { core, rates } of cores) rates.push(measure(core, seconds * 1000));

  const machine = { cpu: cpus()[0]?.model ?? 'unknown', node: process.version, v8: process.versions.v8, version };
  process.stdout.write(`${machine.cpu}, Node ${machine.node} (V8 ${machine.v8}), Tabherd ${version}\n`);
  const figures = cores.map(({ entry, rates }) => {
    const sorted = rates.toSorted((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)] ?? 0;
    const [least = 0, most = 0] = [sorted[0], sorted.at(-1)];
    const step = entry.kind === 'rc5' ? 'keys' : 'nodes';
    process.stdout.write(
      `${entry.name.padEnd(16)} median ${rateText(median, step)}, ${rateText(least, step)} to ${rateText(most, step)}` +
        ` (${repeats} x ${seconds} s)\n`,
    );
    return { core: entry.name, step, median, least, most, rates };
  });
  if (json !== undefined) await writeFile(json, `${JSON.stringify({ machine, figures }, null, 2)}\n`);
}
