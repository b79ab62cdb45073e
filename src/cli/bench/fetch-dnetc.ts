/**
 * `--fetch-dnetc`: gets distributed.net's client from the machine's own package mirror, where that is Debian's or
 * Ubuntu's, into the user's cache folder. No root, and nothing of the system's is changed: sources, lists and archives
 * are private ones, and the package is unpacked, not installed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { openDeb822, openOneLine } from './apt-sources.ts';

const PACKAGE = 'distributed-net';

function cacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'tabherd', 'dnetc');
}

/** Where an earlier fetch has put it; whether it did is to be looked at. */
export function fetchedDnetc(): string {
  return join(cacheFolder(), 'package', 'usr', 'bin', 'dnetc');
}

export function canFetch(): boolean {
  return spawnSync('apt-get', ['--version']).status === 0 && spawnSync('dpkg', ['--version']).status === 0;
}

/** Returns where the program is. @throws Error in apt's own words where it cannot be had. */
export function fetchDnetc(): string {
  const folder = cacheFolder();
  rmSync(folder, { recursive: true, force: true });
  const [sources, lists, cache] = ['sources.list.d', 'lists', 'cache'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const path of [sources, join(lists, 'partial'), join(cache, 'archives', 'partial')]) {
    mkdirSync(path, { recursive: true });
  }
  for (const { name, text } of systemSources()) writeFileSync(join(sources, name), text);
  const options = [
    'Dir::Etc::SourceList=/dev/null',
    `Dir::Etc::SourceParts=${sources}`,
    `Dir::State::Lists=${lists}`,
    `Dir::Cache=${cache}`,
    'Acquire::Languages=none',
    // Else root's apt-get would fetch as a user who may not write here.
    `APT::Sandbox::User=${userInfo().username}`,
  ].flatMap((option) => ['-o', option]);
  run('apt-get', [...options, 'update', '-qq'], folder);
  run('apt-get', [...options, 'download', '-qq', PACKAGE], folder);
  const archive = readdirSync(folder).find((name) => name.endsWith('.deb'));
  if (archive === undefined) throw new Error(`apt-get has left no package ${PACKAGE} in ${folder}`);
  const unpacked = join(folder, 'unpacked');
  run('dpkg', ['-x', archive, unpacked], folder);
  renameSync(unpacked, join(folder, 'package'));
  for (const path of [sources, lists, cache, join(folder, archive)]) rmSync(path, { recursive: true, force: true });
  if (!existsSync(fetchedDnetc())) throw new Error(`the package ${PACKAGE} holds no usr/bin/dnetc`);
  return fetchedDnetc();
}

/** The machine's own sources, with the component that has the client. */
function systemSources(): { name: string; text: string }[] {
  const apt = '/etc/apt';
  const parts = join(apt, 'sources.list.d');
  const files = [
    join(apt, 'sources.list'),
    ...(existsSync(parts) ? readdirSync(parts).map((name) => join(parts, name)) : []),
  ].filter((path) => /\.(list|sources)$/.test(path) && existsSync(path));
  return files.map((path, i) => {
    const text = readFileSync(path, 'utf8');
    return path.endsWith('.list')
      ? { name: `${i}.list`, text: openOneLine(text) }
      : { name: `${i}.sources`, text: openDeb822(text) };
  });
}

function run(command: string, args: string[], cwd: string): void {
  const { status, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw new Error(`\`${command} ${args.at(-1)}\` failed: ${error?.message ?? stderr.trim()}`);
}
