/**
 * What a report deserves, from the lease it names. No side effects: the same question is asked before the commit
 * (whose evidence is worth checking?) and within it (what is the answer?).
 *
 * The order matters: who holds a lease is asked before what became of it, so a stranger learns nothing.
 */
import type { Report } from '../../domain/work.ts';
import type { ErrorCode } from '../../protocol/errors.ts';
import type { LeaseRow } from '../store/schema.ts';

export interface Refusal {
  code: ErrorCode;
  detail: string;
}

export type Judgement =
  /** The lease is live and the units agree: its evidence decides. */
  | { is: 'due' }
  /** It was accepted before. */
  | { is: 'duplicate' }
  /** Nothing comes of it; `frees`: its holder spoilt a live lease, so the units are free again. */
  | { is: 'refused'; why: Refusal; frees: 'refused' | 'expired' | undefined };

const refused = (code: ErrorCode, detail: string, frees?: 'refused' | 'expired'): Judgement => ({
  is: 'refused',
  why: { code, detail },
  frees,
});

export function judge(lease: LeaseRow | undefined, report: Report, client: string, now: number): Judgement {
  if (lease === undefined) return refused('lease_unknown', 'this keyserver knows no such lease');
  if (lease.client !== client) return refused('lease_foreign', 'the lease belongs to another client');
  switch (lease.state) {
    case 'accepted':
      return { is: 'duplicate' };
    case 'refused':
      return refused((lease.code ?? 'internal') as ErrorCode, lease.detail ?? '');
    case 'released':
      return refused('lease_expired', 'the lease was given back');
    case 'expired':
      return refused('lease_expired', 'the lease ran out, and its units were handed out again');
    case 'live':
      break;
  }
  if (lease.expires_at <= now) {
    return refused('lease_expired', 'the lease ran out, and its units were handed out again', 'expired');
  }
  const mismatch = mismatchOf(lease, report);
  return mismatch === undefined ? { is: 'due' } : refused('report_mismatch', mismatch, 'refused');
}

function mismatchOf(lease: LeaseRow, report: Report): string | undefined {
  if (report.contest !== lease.contest) return `the lease is of ${lease.contest}, the report of ${report.contest}`;
  if (report.first !== lease.first) return `the lease begins at unit ${lease.first}, the report at ${report.first}`;
  if (report.evidence.length !== lease.count) {
    return `the lease has ${lease.count} units, the report evidence of ${report.evidence.length}`;
  }
  return undefined;
}
