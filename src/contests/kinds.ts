/** The contest kinds there are, by the name a manifest's `search.kind` gives. */
import type { ContestKindName } from '../domain/contest.ts';
import type { ContestKind } from './kind.ts';
import { rc5 } from './rc5/rc5.ts';

export const kinds = { rc5 } as unknown as Record<ContestKindName, ContestKind>;
