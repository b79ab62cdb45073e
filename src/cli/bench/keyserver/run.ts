/**
 * `tabherd bench keyserver`: how many blocks the built keyserver leases and reports in a second over either home of its ledger, how
 * long an exchange takes at half of that, what its process needs, and what a million blocks do to the ledger.
 *
 * Everything runs on this machine and on the loopback interface, the load generator and PostgreSQL included. The two homes take
 * turns, repeat by repeat.
 */
import { writeFile } from 'node:fs/promises';
import { kinds } from '../../../contests/kinds.ts';
import { processorSeconds } from '../cpu-share.ts';
import type { KeyserverChild } from '../keyserver-child.ts';
import { machineOf } from '../machine.ts';
import { lookBusy } from '../pin.ts';
import { randomOf } from '../random.ts';
import { quantiles, summary } from '../statistics.ts';
import { Browsers, doRc5 } from './browsers.ts';
import { rc5Blocks, rc5Evidence } from './contests.ts';
import { type Home, memoryOf, openHome } from './homes.ts';
import { closedLoad, openLoad, withConnections } from './load.ts';
import { ledgerOf } from './million.ts';
import { HOMES, type KeyserverOptions, type Measure } from './options.ts';
import { Proxies } from './proxies.ts';
import { type KeyserverReport, type LoadFigures, text } from './report.ts';

/** How many units of RC5 a block brings with it: one, as for who comes first; a minute's, as for a tab that is known. */
const RC5_UNITS = { browsers: 1, minutes: 7 } as const;
const PROXIES = 8;
const PROXY_BLOCKS = 256;

const say = (what: string): void => void process.stderr.write(`tabherd bench: ${what}\n`);

export async function benchKeyserver(given: KeyserverOptions, version: string): Promise<void> {
  const options = given.short === true ? shortened(given) : given;
  const wants = (measure: Measure): boolean => options.only?.includes(measure) ?? true;
  const before = await lookBusy(0);
  const homes: Home[] = [];
  try {
    for (const name of HOMES.filter((one) => options.home.includes(one))) homes.push(await openHome(name));
    const report: KeyserverReport = {
      machine: {
        ...machineOf(version),
        homes: homes.map((home) => home.version),
      },
      startedAt: new Date().toISOString(),
      options,
      loads: [],
      memory: [],
      ledgers: [],
    };
    if (wants('browsers') || wants('minutes')) report.rc5MicrosecondsPerNearMatch = rc5Cost();
    for (const measure of ['browsers', 'minutes', 'proxies'] as const) {
      if (wants(measure)) report.loads.push(...(await measureLoads(homes, measure, options)));
    }
    if (wants('memory')) for (const home of homes) report.memory.push(await measureMemory(home, options));
    if (wants('ledger')) {
      for (const home of homes) {
        for (const way of ['scattered', 'drawn'] as const) {
          say(`${home.name}: a ledger of ${options.blocks} blocks, ${way}`);
          const figures = await home.withLedger((ledger) => ledgerOf(ledger, way, options.blocks, say));
          report.ledgers.push({ home: home.name, ...figures });
        }
      }
    }
    const after = await lookBusy(0);
    if (before !== undefined && after !== undefined) report.machine.busy = [before, after];
    process.stdout.write(text(report));
    if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
  } finally {
    await Promise.all(homes.map((home) => home.close()));
  }
}

/** A few seconds in all: whether everything runs, not how fast. */
function shortened(options: KeyserverOptions): KeyserverOptions {
  return { ...options, repeats: 1, seconds: 0.2, connections: 8, clients: 50, leases: 100, blocks: 500 };
}

/** One keyserver over each home, all at once; they take turns. */
async function measureLoads(
  homes: readonly Home[],
  measure: 'browsers' | 'minutes' | 'proxies',
  options: KeyserverOptions,
): Promise<LoadFigures[]> {
  const servers: KeyserverChild[] = [];
  try {
    for (const home of homes) servers.push(await home.serve(options));
    const sides = homes.map((home, i) => {
      const figures: LoadFigures = {
        measure,
        home: home.name,
        rates: [],
        halfRates: [],
        p50: [],
        p99: [],
        most: [],
        serverCpu: [],
        databaseCpu: [],
      };
      const random = randomOf(7);
      const senders =
        measure === 'proxies' ? new Proxies(PROXIES, PROXY_BLOCKS) : new Browsers(options.clients, random);
      const { url = '', pid } = servers[i] ?? {};
      return { url, pids: { server: pid, database: home.pid }, figures, senders, random };
    });
    const blocks = measure === 'proxies' ? PROXY_BLOCKS : 1;
    const connections = measure === 'proxies' ? PROXIES : options.connections;
    for (const { url, senders } of sides) {
      await withConnections(url, connections, async (some) => {
        if (!(senders instanceof Browsers) || measure === 'proxies') return;
        await senders.fill(some);
        const [first] = some;
        if (first !== undefined) await doRc5(first);
        senders.bring(RC5_UNITS[measure]);
      });
      await withConnections(url, connections, (some) => closedLoad(some, senders, options.seconds / 2));
    }
    for (let repeat = 0; repeat < options.repeats; repeat++) {
      for (const { url, pids, figures, senders, random } of repeat % 2 === 0 ? sides : sides.toReversed()) {
        const before = spentBy(pids);
        const closed = await withConnections(url, connections, (some) => closedLoad(some, senders, options.seconds));
        const after = spentBy(pids);
        const perBlock = 1e6 / (closed.latencies.length * blocks);
        if (before.server && after.server) figures.serverCpu.push((after.server - before.server) * perBlock);
        if (before.database && after.database) figures.databaseCpu.push((after.database - before.database) * perBlock);
        const rate = closed.rate / 2;
        const load = { rate, seconds: options.seconds, random };
        const open = await withConnections(url, connections, (some) => openLoad(some, senders, load));
        const [p50 = 0, p99 = 0, most = 0] = quantiles(open.latencies, [0.5, 0.99, 1]);
        figures.rates.push(closed.rate * blocks);
        figures.halfRates.push(rate * blocks);
        figures.p50.push(p50);
        figures.p99.push(p99);
        figures.most.push(most);
        say(
          `${measure}, ${figures.home}, ${repeat + 1} of ${options.repeats}: ${(closed.rate * blocks).toFixed(0)} blocks/s, ` +
            `at half of it p99 ${p99.toFixed(1)} ms`,
        );
      }
    }
    return sides.map(({ figures }) => figures);
  } finally {
    await Promise.all(servers.map((server) => server.close()));
  }
}

const spentBy = ({ server, database }: { server: number | undefined; database: number | undefined }) => ({
  server: server && processorSeconds(server),
  database: database && processorSeconds(database),
});

/** The keyserver's memory with so many leases out, each another browser's, while it goes on serving. */
async function measureMemory(home: Home, options: KeyserverOptions): Promise<KeyserverReport['memory'][number]> {
  const server = await home.serve(options);
  try {
    say(`${home.name}: ${options.leases} open leases`);
    const browsers = new Browsers(options.leases, randomOf(7));
    const bytes = await withConnections(server.url, options.connections, async (connections) => {
      await browsers.fill(connections);
      await closedLoad(connections, browsers, options.seconds);
      return memoryOf(server.pid);
    });
    return { home: home.name, leases: options.leases, ...(bytes === undefined ? {} : { bytes }) };
  } finally {
    await server.close();
  }
}

/** What it costs to check one near match, in this process. */
function rc5Cost(): number {
  const report = { lease: '', contest: rc5Blocks.name, first: 0, evidence: [...rc5Evidence], core: '', seconds: 1 };
  const times = Array.from({ length: 200 }, () => {
    const began = performance.now();
    const verdict = kinds.rc5.verify(rc5Blocks, report);
    if (!verdict.ok) throw new Error(verdict.detail);
    return performance.now() - began;
  });
  const count = rc5Evidence.reduce((sum, one) => sum + (one.kind === 'rc5' ? one.nearMatches.length : 0), 0);
  return (summary(times).median * 1000) / count;
}
