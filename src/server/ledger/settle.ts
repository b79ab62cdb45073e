/**
 * What a report deserves. It counts if its block was truly handed to whoever did the work, its evidence holds, and
 * somebody's first it is: the units that nobody had done before are credited, wherever and however late it comes.
 *
 *   the units are leased under the report's lease, to its sender     the ledger itself is the proof
 *   the report carries a chain of proofs                              its signatures are
 *   neither                                                           refused; a duplicate where all units are done
 *
 * Who holds a lease is asked before what became of it, so a stranger learns nothing.
 */
import type { Verdict } from '../../contests/kind.ts';
import type { ClientInfo } from '../../domain/client.ts';
import { announceOf, type Hit } from '../../domain/contest.ts';
import { endOf, type UnitRange } from '../../domain/units.ts';
import type { Report } from '../../domain/work.ts';
import type { ErrorCode } from '../../protocol/errors.ts';
import type { ReportResult } from '../../protocol/keyserver.ts';
import { checkProof, lastOf } from '../proof/chain.ts';
import { isKeyId } from '../proof/key.ts';
import type { Book } from './books.ts';
import type { Commit } from './group-commit.ts';
import { clipped, overlap, type Run } from './line.ts';
import type { Role } from './role.ts';

export interface Sender {
  client: ClientInfo;
  /** Where the request comes from. */
  address?: string | undefined;
  /** A proxy may report parts of its leases, and work that others did. */
  isProxy: boolean;
}

interface Refusal {
  code: ErrorCode;
  detail: string;
}

const UNKNOWN: Refusal = {
  code: 'lease_unknown',
  detail: 'this keyserver knows no such lease: it ran out, or was given elsewhere',
};
const FOREIGN: Refusal = { code: 'lease_foreign', detail: 'the lease belongs to another client' };

/** @param verdict of the report's evidence, which was checked before the commit was joined. */
export async function settle(
  commit: Commit,
  sender: Sender,
  report: Report,
  verdict: Verdict,
  role: Role,
): Promise<ReportResult> {
  const { books, now } = commit;
  const range = { first: report.first, count: report.evidence.length };
  const worker = (sender.isProxy ? report.client : undefined) ?? sender.client;
  const book = books.get(report.contest);
  const refuse = async ({ code, detail }: Refusal, spoilt: readonly Run[] = []): Promise<ReportResult> => {
    if (book !== undefined) {
      // They may reach beyond the report.
      await book.line.load(spoilt.map(({ first, past }) => ({ first, count: past - first })));
      for (const run of spoilt) books.free(book, run);
    }
    books.count('refused', worker, report.contest, range, 0, now);
    return { lease: report.lease, outcome: 'refused', code, detail, credited: 0, hits: [] };
  };
  if (book === undefined) {
    return refuse({ code: 'contest_unknown', detail: `there is no contest ${report.contest} here` });
  }
  if (endOf(range) > book.manifest.units) {
    return refuse({ code: 'report_mismatch', detail: `${report.contest} ends at unit ${book.manifest.units}` });
  }
  const runs = book.line.within(range);
  const own = runs.filter(({ lease }) => lease === report.lease);
  const isHolder = own.length > 0 && own.every(({ holder }) => holder === sender.client.id);
  const spoilt = isHolder
    ? own.map((run) => (sender.isProxy ? clipped(run, { first: range.first, past: endOf(range) }) : run))
    : [];

  if (isHolder) {
    const mismatch = mismatchOf(own, report, sender, runs);
    // Of a lease that was overdue others may have a part by now: then its proof says what was in it.
    if (mismatch !== undefined && refusalOf(report, worker, sender, role) !== undefined) {
      return refuse({ code: 'report_mismatch', detail: mismatch }, spoilt);
    }
  } else {
    const refusal = refusalOf(report, worker, sender, role);
    if (refusal === UNKNOWN) {
      if (own.length > 0) return refuse(FOREIGN);
      if (areAllDone(runs, range)) return duplicate();
    }
    if (refusal === UNKNOWN || refusal?.code === 'report_mismatch') {
      return refuse((await spoiltElsewhere(commit, book, report, sender)) ?? refusal);
    }
    if (refusal !== undefined) return refuse(refusal);
  }
  if (!verdict.ok) return refuse(verdict, spoilt);
  const again = areAllDone(runs, range) ? await role.doneAgain(commit, book, sender, report) : undefined;
  // Blocks that are done again are for those who are to be believed once more.
  const distrust = again === undefined ? role.distrusts(worker, report.contest) : undefined;
  if (distrust !== undefined) return refuse({ code: 'client_distrusted', detail: distrust }, spoilt);
  await books.found(book, report.lease, verdict.hits, { at: now, by: worker.name });
  if (again?.outcome === 'wrong') return refuse({ code: 'evidence_missing', detail: again.detail });
  if (again?.outcome === 'agreed') {
    books.count('accepted', worker, report.contest, range, 0, now, range.count);
    return { lease: report.lease, outcome: 'accepted', credited: range.count, hits: told(verdict.hits) };
  }
  const credited = books.finish(book, range);
  if (credited === 0) return duplicate();
  books.count('accepted', worker, report.contest, range, credited, now);
  await role.accepted(books, { report, sender, client: worker, credited, hits: verdict.hits, at: now });
  return { lease: report.lease, outcome: 'accepted', credited, hits: told(verdict.hits) };

  function duplicate(): ReportResult {
    books.count('duplicate', worker, report.contest, range, 0, now);
    const hits = told(books.hitsOf(book as Book, report.lease));
    return { lease: report.lease, outcome: 'duplicate', credited: 0, hits };
  }

  /** Where a blind contest keeps its answer, not even whoever found it is told in which block it was. */
  function told(hits: Hit[]): Hit[] {
    return announceOf((book as Book).manifest) === 'all' ? hits : [];
  }
}

/** Why the ledger's own lease does not cover the report. */
function mismatchOf(
  own: readonly Run[],
  report: Report,
  { isProxy }: Sender,
  runs: readonly Run[],
): string | undefined {
  const { first, evidence } = report;
  const past = first + evidence.length;
  // Somebody who was late may have done parts of it.
  const strange = runs.find(({ lease, state }) => lease !== report.lease && state !== 'done');
  if (strange !== undefined) return `the lease does not hold unit ${Math.max(strange.first, first)}`;
  if (isProxy) return undefined;
  const cut = own.find((run) => run.first < first || run.past > past);
  if (cut === undefined) return undefined;
  if (cut.first !== first) return `the lease begins at unit ${cut.first}, the report at ${first}`;
  return `the lease has ${cut.past - cut.first} units, the report evidence of ${evidence.length}`;
}

/** Why the report's proof does not entitle its worker; UNKNOWN where there is none. */
function refusalOf(report: Report, worker: ClientInfo, sender: Sender, role: Role): Refusal | undefined {
  if (report.proof === undefined) return UNKNOWN;
  const chain = checkProof(report.proof, role);
  if (!chain.ok) return { code: 'proof_false', detail: chain.detail };
  const last = lastOf(chain.links);
  // Who worked on a proxy's block is for proxies to say, whichever of them it comes through; anyone else is its holder.
  const isOfProxies = sender.isProxy && isKeyId(last.sub);
  if (last.sub !== worker.id && !isOfProxies) return FOREIGN;
  const first = report.first - last.first;
  const count = report.evidence.length;
  const isWithin = last.contest === report.contest && first >= 0 && first + count <= last.count;
  // A proxy's lease comes back in parts.
  if (!isWithin || (count < last.count && !isOfProxies)) {
    return { code: 'report_mismatch', detail: 'the units are not those of the proof' };
  }
  // Its last link: the ones before are valid proofs too, of the larger blocks that it was cut from.
  if (last.jti !== report.lease) {
    return { code: 'report_mismatch', detail: 'the proof is of another lease' };
  }
  return undefined;
}

/**
 * The lease may be of other units than the report says, or of another contest: then its holder has spoilt it, and
 * its units are free at once.
 */
async function spoiltElsewhere(
  { books }: Commit,
  book: Book,
  report: Report,
  sender: Sender,
): Promise<Refusal | undefined> {
  const rows = await books.ledger.runsOfLeases(sender.client.id, [report.lease]);
  const [row] = rows;
  if (row === undefined) return undefined;
  const other = books.get(row.contest);
  const run = other?.line.at(row.first) ?? row;
  if (other === undefined || run.lease !== report.lease) return undefined;
  const units = rows.map(({ first, past }) => ({ first, count: past - first }));
  await other.line.load(units);
  if (!sender.isProxy) for (const { first } of rows) freeIfOf(other.line.at(first));
  const detail =
    row.contest === book.row.name
      ? `the lease begins at unit ${row.first}, the report at ${report.first}`
      : `the lease is of ${row.contest}, the report of ${report.contest}`;
  return { code: 'report_mismatch', detail };

  function freeIfOf(one: Run | undefined): void {
    if (one?.lease === report.lease && other !== undefined) books.free(other, one);
  }
}

function areAllDone(runs: readonly Run[], range: UnitRange): boolean {
  let units = 0;
  for (const run of runs) if (run.state === 'done') units += overlap(run, range);
  return units === range.count;
}
