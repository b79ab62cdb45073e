/** Cases: who was caught at what, what was taken back, and the pardon. */
import { randomUUID } from 'node:crypto';
import type { UnitRange } from '../../domain/units.ts';
import type { LedgerQueries } from '../store/queries.ts';
import type { CaseFileRow } from '../store/schema.ts';
import type { How } from './conduct.ts';

export interface CaseBody {
  how: How;
  /** What was found, as half a sentence. */
  detail: string;
  name?: string | undefined;
  team?: string | undefined;
  /** Taken back. */
  units: number;
  blocks: number;
  ranges: readonly UnitRange[];
  /** What it rests on: the report, or the record. */
  evidence?: unknown;
}

/** Longer evidence is left out of the case: a report of 256 units of OGR. */
const MAX_EVIDENCE_CHARS = 200_000;

export async function putCase(
  ledger: LedgerQueries,
  { client, contest, at }: Pick<CaseFileRow, 'client' | 'contest' | 'at'>,
  body: CaseBody,
): Promise<void> {
  const { evidence, ...rest } = body;
  const isShort = evidence !== undefined && JSON.stringify(evidence).length <= MAX_EVIDENCE_CHARS;
  const kept: CaseBody = isShort ? body : rest;
  await ledger.trust.putCase({ id: randomUUID(), client, contest, at, pardoned_at: null, body: JSON.stringify(kept) });
}

export const bodyOf = ({ body }: CaseFileRow): CaseBody => JSON.parse(body) as CaseBody;
