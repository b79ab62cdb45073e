/**
 * Enters manifests in the ledger: when a keymaster starts, and when an operator adds one. A contest's search and length
 * are what its done units mean: once entered they never change. Everything else of a manifest may.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ContestManifest } from '../../domain/contest.ts';
import type { Kinds } from '../ledger/books.ts';
import type { LedgerQueries } from '../store/queries.ts';
import type { ContestRow } from '../store/schema.ts';
import { StoreError } from '../store/store.ts';

/**
 * The contests on offer are those given here, in this order, and those that an operator added.
 * @throws TypeError two contests have one name, a manifest contradicts itself, or it is what is handed out of a blind contest.
 * @throws StoreError the ledger has the contest with another search or another number of units.
 */
export async function enterContests(
  ledger: LedgerQueries,
  manifests: readonly ContestManifest[],
  kinds: Kinds,
): Promise<void> {
  const names = new Set<string>();
  for (const manifest of manifests) {
    if (names.has(manifest.name)) throw new TypeError(`two contests are called ${manifest.name}`);
    names.add(manifest.name);
  }
  const rows = await ledger.contests();
  for (const [position, manifest] of manifests.entries()) {
    await enterContest(ledger, rows, manifest, kinds, { position, origin: 'start' });
  }
  for (const { name, origin, offered } of rows) {
    if (origin === 'start' && !names.has(name) && offered === 1) await ledger.updateContest(name, { offered: 0 });
  }
}

/** Enters one. Errors as `enterContests`. */
export async function enterContest(
  ledger: LedgerQueries,
  rows: readonly ContestRow[],
  manifest: ContestManifest,
  kinds: Kinds,
  { position, origin }: Pick<ContestRow, 'position' | 'origin'>,
): Promise<void> {
  const kind = kinds[manifest.search.kind];
  kind.validate(manifest);
  const { name } = manifest;
  if (kind.findsHits?.(manifest) === false) {
    throw new TypeError(`${name}: search.ciphertext is missing: this is what is handed out of a blind contest`);
  }
  const text = JSON.stringify(manifest);
  const row = rows.find((candidate) => candidate.name === name);
  if (row === undefined) {
    const blank = { priority: null, weight: null, allocation: null, cursor: null, closed_by: null, done: 0, leased: 0 };
    await ledger.insertContest({ name, position, manifest: text, origin, offered: 1, ...blank });
    const run = { lease: null, holder: null, expires_at: null, recycle_at: null };
    await ledger.putRuns([{ contest: name, first: 0, past: manifest.units, state: 'free', ...run }]);
    return;
  }
  const entered = JSON.parse(row.manifest) as ContestManifest;
  for (const field of ['search', 'units'] as const) {
    // Through JSON, so that a key that is absent equals one that is undefined.
    if (isDeepStrictEqual(entered[field], (JSON.parse(text) as ContestManifest)[field])) continue;
    throw new StoreError(
      `the contest ${name} has another \`${field}\` in its manifest than in the ledger; ` +
        'a contest never changes: give the new one another name',
    );
  }
  // What an operator added, withdrew or offered is the operator's, whatever a later start names.
  const isOperators = row.origin === 'operator' && origin === 'start';
  const offer = isOperators ? {} : { offered: 1, origin };
  await ledger.updateContest(name, { manifest: text, position, ...offer });
}
