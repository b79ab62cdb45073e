/** The contests a keymaster offers, in order: each manifest beside what its kind knows about it. */
import type { ContestKind } from '../../contests/kind.ts';
import type { ContestKindName, ContestManifest } from '../../domain/contest.ts';

export interface Offer {
  readonly manifest: ContestManifest;
  readonly kind: ContestKind;
}

export type Catalogue = ReadonlyMap<string, Offer>;

/** @throws TypeError two contests have one name, or a manifest contradicts itself. */
export function catalogueOf(
  manifests: readonly ContestManifest[],
  kinds: Readonly<Record<ContestKindName, ContestKind>>,
): Catalogue {
  const catalogue = new Map<string, Offer>();
  for (const manifest of manifests) {
    if (catalogue.has(manifest.name)) throw new TypeError(`two contests are called ${manifest.name}`);
    const kind = kinds[manifest.search.kind];
    kind.validate(manifest);
    catalogue.set(manifest.name, { manifest, kind });
  }
  return catalogue;
}
