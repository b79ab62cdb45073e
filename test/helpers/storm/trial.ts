/** A storm over a herd from its start to the audit, and the counts of it in words. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'vite';
import { openPostgresStore } from '../../../src/server/store/postgres.ts';
import { openSqliteStore } from '../../../src/server/store/sqlite.ts';
import { type Audit, audit } from './audit.ts';
import { Herd, type Scripts } from './herd.ts';
import type { Member } from './member.ts';
import { type Station, statusOf } from './station.ts';
import { type Counts, Storm, until } from './storm.ts';

const MINUTE = 60_000;

export interface Trial {
  counts: Counts;
  kills: number;
  audit: Audit;
  /** Those that ended by themselves, with their last words. */
  crashes: string[];
  vainStarts: number;
  /** How long it took until all was quiet again. */
  quietSeconds: number;
  /** What proxies said of acknowledged reports that were refused above them. */
  refusedAbove: string[];
}

/** Bundles what the storm kills: one file starts twice as fast as fifty. @param client where the clients' program is. */
export async function bundle(folder: string, client = 'test/helpers/storm/client-process.ts'): Promise<Scripts> {
  await build({
    configFile: false,
    logLevel: 'error',
    ssr: { noExternal: true, external: ['libsql', 'pg'] },
    build: {
      ssr: true,
      outDir: folder,
      target: 'node20',
      copyPublicDir: false,
      rolldownOptions: {
        input: { keyserver: resolve('test/helpers/storm/keyserver-process.ts'), client: resolve(client) },
        output: { entryFileNames: '[name].js' },
      },
    },
  });
  return { keyserver: join(folder, 'keyserver.js'), client: join(folder, 'client.js') };
}

export async function trial(
  kind: 'pyramid' | 'embedded',
  { ms, kills, pauseMs }: { ms: number; kills: number; pauseMs: number },
): Promise<Trial> {
  let herd: Herd | undefined;
  const folder = stormFolder();
  try {
    herd = await Herd[kind](join(folder, 'herd'), await bundle(join(folder, 'bundle')));
    herd.start();
    const { members } = herd;
    await until('everybody is up', MINUTE, async () => members.every(({ isUp }) => isUp));
    const storm = new Storm(herd);
    await storm.rage({ ms, kills, pauseMs });
    const calm = Date.now();
    await quiet(herd.clients, herd.stations);
    const quietSeconds = (Date.now() - calm) / 1000;
    return {
      quietSeconds,
      counts: storm.counts,
      kills: storm.kills,
      audit: await auditOf(herd),
      ...faultsOfMembers(members),
    };
  } catch (error) {
    throw withWords(error, herd?.members ?? []);
  } finally {
    await herd?.close();
    removeFolder(folder);
  }
}

/** Inside the repository, where libsql is found; of this run alone, for two may run at once. */
export function stormFolder(): string {
  mkdirSync('.cache', { recursive: true });
  return mkdtempSync(resolve('.cache/storm-'));
}

export function removeFolder(folder: string): void {
  if (process.env['KEEP_STORM'] === undefined) rmSync(folder, { recursive: true });
}

/** The error with the last words of all processes. */
export function withWords(error: unknown, members: readonly Member[]): Error {
  const words = members.map(({ name, words }) => `${name}: ${words.slice(-1000)}`).join('\n');
  return new Error(`${(error as Error).message}\n${words}`, { cause: error });
}

/** What processes did that no fault of the storm excuses. */
export const faultsOfMembers = (members: readonly Member[]) => ({
  crashes: members.flatMap((member) => member.crashes.map((words) => `${member.name}: ${words}`)),
  refusedAbove: members.flatMap(({ complaints }) => complaints),
  vainStarts: members.reduce((sum, { vainStarts }) => sum + vainStarts, 0),
});

/** Clients hand in all they have, proxies all that waits, and the keymasters count it. */
export async function quiet(clients: readonly Member[], stations: readonly Station[]): Promise<void> {
  const ends = clients.map((member) => {
    member.tell('finish');
    return member.end({ kill: false });
  });
  let areDone = false;
  void Promise.all(ends).then(() => {
    areDone = true;
  });
  await until('the clients handed in all they had', 3 * MINUTE, async () => areDone);
  // Those below first: what they hand up waits in those above.
  for (const station of stations.filter(({ isProxy }) => isProxy).toReversed()) {
    await until(`${station.member.name} handed up all it had`, 3 * MINUTE, async () => {
      const { stock } = (await statusOf(station)) ?? {};
      return stock !== undefined && stock.every(({ waiting }) => waiting === 0);
    });
  }
  // To tell its status a keymaster counts.
  for (const station of stations.filter(({ isProxy }) => !isProxy)) {
    await until(`${station.member.name} tells its status`, MINUTE, async () => (await statusOf(station)) !== undefined);
  }
}

export async function auditOf(herd: Pick<Herd, 'stations' | 'postgres' | 'journals'>): Promise<Audit> {
  await Promise.all(herd.stations.map(({ member }) => member.end({ kill: true })));
  const { postgres, stations } = herd;
  const [top] = stations;
  const store = await (postgres === undefined
    ? openSqliteStore(top?.dataDir ?? '')
    : openPostgresStore({ url: postgres.url }));
  try {
    return await audit(store, herd.journals);
  } finally {
    await store.close();
  }
}

/** What must be true of every trial; written so that what is not is shown. */
export function faultsOf({ audit: { lost, astray, miscounted, refused }, refusedAbove, crashes }: Trial): unknown[] {
  return [...lost, ...astray, ...miscounted, ...Object.keys(refused), ...refusedAbove, ...crashes];
}

export const listed = (of: Record<string, number>): string =>
  Object.entries(of)
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([name, times]) => `${name} ${times}`)
    .join(', ') || 'none';

export function inWords(
  kind: string,
  { counts, kills, audit: found, vainStarts, refusedAbove, quietSeconds }: Trial,
  seconds: number,
): string {
  return [
    `${kind}, ${seconds.toFixed(0)} s, of which ${quietSeconds.toFixed(0)} until all was handed in`,
    `  kill -9: ${kills} (${listed(counts.kills)}); ${vainStarts} starts in vain`,
    `  links: ${listed(counts.links)}`,
    `  disks filled: ${listed(counts.fills)}`,
    `  clocks stepped: ${listed(counts.steps)}`,
    `  reports acknowledged ${found.acknowledged} (${found.units} units), lost ${found.lost.length},` +
      ` twice ${found.miscounted.length}, astray ${found.astray.length}`,
    `  duplicates ${found.duplicates}; units done by two ${found.doneByTwo}; exchanges unanswered ${found.unanswered}`,
    `  refused above a proxy: ${refusedAbove.length}${refusedAbove
      .slice(0, 3)
      .map((line) => `\n    ${line}`)
      .join('')}`,
    `  refused: ${listed(found.refused)}; whole exchanges: ${listed(found.refusedExchanges)}`,
    ...Object.entries(found.contests).map(([name, state]) => `  ${name}: ${state}`),
  ].join('\n');
}
