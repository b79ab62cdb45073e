/** The contest kinds there are, by the name a manifest's `search.kind` gives. */
import type { ContestKindName } from '../domain/contest.ts';
import type { ContestKind } from './kind.ts';
import { ogr } from './ogr/ogr.ts';
import { rc5 } from './rc5/rc5.ts';

export const kinds: Record<ContestKindName, ContestKind> = { rc5, ogr };
