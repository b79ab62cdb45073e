/** `tabherd test`: known answers, built in or from files, put to every core this machine can run. */
import { readFile } from 'node:fs/promises';
import { catalogue } from '../cores/catalogue.ts';
import { isUnsupported } from '../cores/load.ts';
import type { ContestKindName } from '../domain/contest.ts';
import { allowRelaxedSimd } from './relaxed-simd.ts';

export async function knownAnswers(options: { vectors?: string[] }): Promise<void> {
  allowRelaxedSimd();
  const given = options.vectors === undefined ? undefined : await Promise.all(options.vectors.map(readRows));
  let wrong = 0;
  for (const entry of catalogue) {
    const loaded = await entry.load().catch((error: unknown) => {
      if (isUnsupported(error)) return undefined;
      throw error;
    });
    if (loaded === undefined) {
      process.stdout.write(`${entry.name}: not on this Node, it needs ${entry.requires.join(', ')}\n`);
      continue;
    }
    const files = given?.filter(({ kind }) => kind === entry.kind);
    const rows = files === undefined ? loaded.rows : files.flatMap((file) => file.rows);
    if (rows.length === 0) continue;
    const differences = rows.map((row) => loaded.difference(row)).filter((line) => line !== undefined);
    wrong += differences.length;
    const right = rows.length - differences.length;
    process.stdout.write(`${entry.name}: ${right} of ${rows.length} known answers right\n`);
    for (const line of differences) process.stdout.write(`  ${line}\n`);
  }
  if (wrong > 0) process.exitCode = 1;
}

async function readRows(path: string): Promise<{ kind: ContestKindName; rows: unknown[] }> {
  let file: { selftest?: unknown[]; ogr_ng_selftest?: unknown[] };
  try {
    file = JSON.parse(await readFile(path, 'utf8')) as typeof file;
  } catch (cause) {
    throw new Error(`${path}: ${(cause as Error).message}`, { cause });
  }
  if (Array.isArray(file.selftest)) return { kind: 'rc5', rows: file.selftest };
  if (Array.isArray(file.ogr_ng_selftest)) return { kind: 'ogr', rows: file.ogr_ng_selftest };
  throw new Error(`${path}: neither "selftest" (RC5) nor "ogr_ng_selftest" (OGR) is in it`);
}
