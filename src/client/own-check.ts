/**
 * The keyserver's own check of a report, made here first: a machine that miscalculates should know before it is refused. It is loaded
 * while the first block is worked, so that the first screen need not wait for it. Where it cannot be had (an old page, whose server has
 * a newer one by now) the keyserver checks alone.
 */
import type { Verdict } from '../contests/kind.ts';
import type { ContestManifest } from '../domain/contest.ts';
import type { Report } from '../domain/work.ts';

let loading: Promise<typeof import('../contests/kinds.ts')> | undefined;

/** Loads it, if it is not there yet. */
export function loadOwnCheck(): Promise<typeof import('../contests/kinds.ts') | undefined> {
  loading ??= import('../contests/kinds.ts');
  return loading.catch(() => {
    loading = undefined;
    return undefined;
  });
}

export async function ownCheck(manifest: ContestManifest, report: Report): Promise<Verdict> {
  const loaded = await loadOwnCheck();
  return loaded?.kinds[manifest.search.kind].verify(manifest, report) ?? { ok: true, hits: [] };
}
