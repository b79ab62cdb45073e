/**
 * Enters the manifests in the ledger when a keymaster starts. A contest's search and length are what its done
 * units mean: once entered they never change. Everything else of a manifest may.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ContestManifest } from '../../domain/contest.ts';
import type { LedgerQueries } from '../store/queries.ts';
import { StoreError } from '../store/store.ts';

/** @throws StoreError the ledger has the contest with another search or another number of units. */
export async function enterContests(ledger: LedgerQueries, manifests: readonly ContestManifest[]): Promise<void> {
  const rows = await ledger.contests();
  for (const [position, manifest] of manifests.entries()) {
    const { name } = manifest;
    const text = JSON.stringify(manifest);
    const row = rows.find((candidate) => candidate.name === name);
    if (row === undefined) {
      await ledger.insertContest({ name, position, manifest: text, closed_by: null, done: 0, leased: 0 });
      await ledger.insertRun({ contest: name, first: 0, count: manifest.units, state: 'free' });
      continue;
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
    if (row.manifest !== text || row.position !== position) {
      await ledger.updateContest(name, { manifest: text, position });
    }
  }
}
