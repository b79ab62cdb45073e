/**
 * distributed.net's own client as the yardstick: its built-in benchmark, `dnetc -bench <project> <core>`, a core at a
 * time. It takes 16 to 20 seconds and that is fixed; `-benchmark2` takes 8 to 10, "slightly inaccurate" as its help
 * says, and with `-c <project> <core>` measures the same core.
 * Its rates are by processor time.
 */
import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import type { ContestKindName } from '../../domain/contest.ts';
import { fetchedDnetc } from './fetch-dnetc.ts';

const run = promisify(execFile);

const PROJECTS: Record<ContestKindName, string> = { rc5: 'rc5-72', ogr: 'ogr-ng' };

/** The ones to be compared with: its best scalar and its best vector core for RC5, and its 64-bit C for OGR. */
export const COMPARED: Record<ContestKindName, readonly number[]> = { rc5: [1, 4], ogr: [0] };
/** Every number there may be: one that is not there says so at once, and one this machine lacks is replaced by another. */
export const ALL_CORES = Array.from({ length: 16 }, (_, core) => core);

export interface DnetcRate {
  core: number;
  /** `KBE-64 3-pipe`. */
  name: string;
  /** Keys or nodes a second. */
  rate: number;
}

/** The first that is there: what was asked for, DNETC, the PATH, what `--fetch-dnetc` unpacked. */
export function findDnetc(asked: string | undefined): string | undefined {
  if (asked !== undefined) {
    if (!isProgram(asked)) throw new Error(`--dnetc ${asked}: there is no such program`);
    return asked;
  }
  const onPath = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'dnetc'));
  return [process.env['DNETC'], ...onPath, fetchedDnetc()].find((path) => path !== undefined && isProgram(path));
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export class Dnetc {
  readonly #program: string;
  readonly #folder: string;
  readonly #short: boolean;

  /** `folder`: an empty one, where it may leave what it likes. `short`: by -benchmark2. */
  constructor(program: string, folder: string, short: boolean) {
    this.#program = program;
    this.#folder = folder;
    this.#short = short;
  }

  /** @throws Error it has no such core, or says no rate. */
  async measure(kind: ContestKindName, core: number): Promise<DnetcRate> {
    const project = PROJECTS[kind];
    const what = this.#short ? ['-c', project, `${core}`, '-benchmark2', project] : ['-bench', project, `${core}`];
    // Or it would give way to everyone else.
    const said = await this.#run([...what, '-priority', '9']);
    const rate = parseRate(said);
    if (rate?.core === core) return rate;
    const why = rate === undefined ? lastLine(said) : `it runs core #${rate.core} (${rate.name}) instead`;
    throw new Error(`dnetc ${what.join(' ')}: ${why}`);
  }

  /** `dnetc v2.9112-521-…`. */
  async version(): Promise<string> {
    return parseVersion(await this.#run(['-version']));
  }

  async #run(args: string[]): Promise<string> {
    // Its settings and logs belong to HOME and to the folder it is started in.
    const { stdout, stderr } = await run(this.#program, args, {
      cwd: this.#folder,
      env: { PATH: process.env['PATH'], HOME: this.#folder, TERM: 'dumb' },
    }).catch((error: Error & { stdout?: string; stderr?: string }) => ({
      stdout: error.stdout ?? '',
      stderr: error.stderr || error.message,
    }));
    return stdout + stderr;
  }
}

/** What a benchmark of one core says. */
export function parseRate(said: string): DnetcRate | undefined {
  const found = /Benchmark for core #(\d+) \(([^)]*)\)\s+[\d.:]+ \[([\d,.]+) (?:keys|nodes)\/sec\]/.exec(said);
  if (found === null) return undefined;
  const [, core = '', name = '', rate = ''] = found;
  return { core: Number(core), name, rate: Number(rate.replaceAll(',', '')) };
}

export function parseVersion(said: string): string {
  return /dnetc v\S+/.exec(said)?.[0] ?? 'dnetc';
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1)?.trim() ?? '';
