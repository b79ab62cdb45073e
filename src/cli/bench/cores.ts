/**
 * `tabherd bench cores`: every core in Chromium and in Node, beside plain C and distributed.net's client, one thread on
 * one CPU, in turn; then the whole tab against its bare core, and what the kernels weigh.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { benchStubs } from '../../bench/stubs.ts';
import { buildCReferences, gccVersion } from './c-reference.ts';
import { launchChromium } from './chromium.ts';
import { chromiumPlace } from './chromium-place.ts';
import { type Contender, cContender, coreContender, dnetcContenders, takeTurns } from './contenders.ts';
import { Dnetc, findDnetc } from './dnetc.ts';
import { canFetch, fetchDnetc } from './fetch-dnetc.ts';
import { machineOf } from './machine.ts';
import { nodePlace } from './node-place.ts';
import { type Busy, lookBusy, pin } from './pin.ts';
import type { Place } from './place.ts';
import { figures, type Report, text } from './report.ts';
import { kernelSizes } from './sizes.ts';
import { measureTab } from './tab.ts';

export interface CoresOptions {
  json?: string;
  repeats: number;
  seconds: number;
  cores?: string[];
  in: ('chromium' | 'node')[];
  cpu?: number;
  tab: boolean;
  c: boolean;
  /** A path, or false for none at all. */
  dnetc?: string | boolean;
  dnetcCores: 'compared' | 'all';
  dnetcShort?: boolean;
  fetchDnetc?: boolean;
}

const say = (what: string): void => void process.stderr.write(`tabherd bench: ${what}\n`);

export async function benchCores(options: CoresOptions, version: string): Promise<void> {
  if (!(options.seconds > 0)) throw new Error('--seconds must be a number above 0');
  const program = options.dnetc === false ? undefined : dnetcProgram(options);
  const sizes = await kernelSizes();
  const cpu = pin(options.cpu);
  if (cpu === undefined) say('there is no taskset here, so nothing is pinned to a CPU: expect a wider spread');
  const before = await warnBusy(cpu, 'is');

  const folder = await mkdtemp(join(tmpdir(), 'tabherd-bench-'));
  let browser: Browser | undefined;
  const places: Place[] = [];
  try {
    const left: Report['left'] = [];
    for (const name of options.in) {
      try {
        if (name === 'chromium') browser = await launchChromium();
        places.push(browser !== undefined && name === 'chromium' ? await chromiumPlace(browser) : await nodePlace());
      } catch (error) {
        left.push({ place: name, name: 'itself', reason: error instanceof Error ? error.message : String(error) });
      }
    }
    if (places.length === 0) throw new Error(left.map(({ place, reason }) => `${place}: ${reason}`).join('\n'));
    const dnetc = program === undefined ? undefined : new Dnetc(program, await sub(folder, 'dnetc'), short(options));
    const gcc = options.c ? gccVersion() : undefined;
    const report: Report = {
      machine: {
        ...machineOf(version),
        v8: process.versions.v8,
        ...(browser === undefined ? {} : { chromium: browser.version() }),
        ...(gcc === undefined ? {} : { gcc }),
        ...(dnetc === undefined ? {} : { dnetc: await dnetc.version() }),
        ...(cpu === undefined ? {} : { pinnedTo: cpu }),
      },
      startedAt: new Date().toISOString(),
      repeats: options.repeats,
      seconds: options.seconds,
      rc5: [],
      ogr: [],
      stubs: benchStubs,
      left,
      sizes,
    };

    const contenders = await ours(places, options, left);
    if (gcc !== undefined) {
      const references = await buildCReferences(await sub(folder, 'c'));
      contenders.push(...references.map((reference) => cContender(reference, options.seconds)));
    }
    if (dnetc !== undefined) contenders.push(...dnetcContenders(dnetc, options.dnetcCores));
    // A kind's contenders one after another, so that what is divided by what was measured close to it.
    const order = (['rc5', 'ogr'] as const).flatMap((kind) => contenders.filter((one) => one.kind === kind));
    for (const { contender, reason } of await takeTurns(order, options.repeats, say)) {
      left.push({ place: contender.place, name: contender.name, reason });
    }
    report.rc5 = figures(order, 'rc5');
    report.ogr = figures(order, 'ogr');

    const chromium = places.find(({ name }) => name === 'chromium');
    if (options.tab && browser !== undefined && chromium !== undefined) {
      say('the tab');
      const { repeats, seconds } = options;
      report.tab = await measureTab(browser, chromium.api, { repeats, seconds, folder: await sub(folder, 'tab') });
    }
    const after = await warnBusy(cpu, 'was');
    if (before !== undefined && after !== undefined) report.machine.busy = [before, after];

    process.stdout.write(text(report));
    if (program === undefined && options.dnetc !== false) process.stdout.write(`\n${howToGetDnetc()}`);
    if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
  } finally {
    await Promise.all(places.map((place) => place.close()));
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Every core that was asked for in every place; those that a place cannot run go to `left`. */
async function ours(places: readonly Place[], options: CoresOptions, left: Report['left']): Promise<Contender[]> {
  const contenders: Contender[] = [];
  for (const place of places) {
    const cores = await place.api.cores();
    const unknown = options.cores?.find((wanted) => !cores.some(({ name }) => name === wanted));
    if (unknown !== undefined) {
      throw new Error(
        `--cores ${unknown}: there is no such core; there is ${cores.map(({ name }) => name).join(', ')}`,
      );
    }
    for (const core of cores) {
      if (options.cores?.includes(core.name) === false) continue;
      if (core.reason === undefined) contenders.push(coreContender(place, core, options.seconds));
      else left.push({ place: place.name, name: core.name, reason: core.reason });
    }
  }
  return contenders;
}

async function sub(folder: string, name: string): Promise<string> {
  const path = join(folder, name);
  await mkdir(path);
  return path;
}

async function warnBusy(cpu: number | undefined, verb: 'is' | 'was'): Promise<Busy | undefined> {
  const busy = await lookBusy(cpu);
  if (busy === undefined) return undefined;
  const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;
  if (busy.own > 0.05 || busy.others > 0.1) {
    say(
      `this machine ${verb} not idle (CPU ${cpu}: ${percent(busy.own)}, the others: ${percent(busy.others)}), ` +
        'and figures are lower than they might be: repeat it when it is, before believing a ratio',
    );
  }
  return busy;
}

const short = ({ dnetcShort }: CoresOptions): boolean => dnetcShort === true;

function dnetcProgram({ dnetc, fetchDnetc: fetch }: CoresOptions): string | undefined {
  const found = findDnetc(typeof dnetc === 'string' ? dnetc : undefined);
  if (found !== undefined || fetch !== true) return found;
  if (!canFetch()) throw new Error('--fetch-dnetc needs apt-get and dpkg: Debian or Ubuntu');
  say("fetching distributed.net's client (Debian's package distributed-net, non-free) into the cache folder");
  return fetchDnetc();
}

function howToGetDnetc(): string {
  const how = canFetch() ? '--fetch-dnetc gets it, without root' : 'install it';
  return `No dnetc (distributed.net's client) to compare with: ${how}, or name it by --dnetc.\n`;
}
