/**
 * The ledger as anyone would write it who had all the time and memory: one entry a unit, one loop a question.
 * It shares no code with the keymaster, only the schemas; the model test runs both and compares every answer.
 */
import type { ContestManifest } from '../../src/domain/contest.ts';
import type { Report } from '../../src/domain/work.ts';
import { workOf } from './test-contest.ts';

interface ModelLease {
  client: string;
  contest: string;
  first: number;
  count: number;
  expiresAt: number;
  /** `live`, `accepted`, or the code every further report of it is refused with. */
  state: string;
}

interface ModelContest {
  manifest: ContestManifest;
  /** `free`, `done`, or the id of the lease that has it. */
  units: string[];
  closedBy: 'hit' | 'exhausted' | undefined;
}

export class LedgerModel {
  readonly contests = new Map<string, ModelContest>();
  readonly leases = new Map<string, ModelLease>();
  /** Units by client and contest. */
  readonly credits = new Map<string, number>();

  constructor(manifests: readonly ContestManifest[]) {
    for (const manifest of manifests) {
      const units = Array.from({ length: manifest.units }, () => 'free');
      this.contests.set(manifest.name, { manifest, units, closedBy: undefined });
    }
  }

  expire(now: number): void {
    for (const [id, lease] of this.leases) {
      if (lease.state === 'live' && lease.expiresAt <= now) this.#end(id, 'lease_expired', 'free');
    }
  }

  /** The outcome and its code that the report must get. */
  report(client: string, report: Report): string {
    const lease = this.leases.get(report.lease);
    if (lease === undefined) return 'refused lease_unknown';
    if (lease.client !== client) return 'refused lease_foreign';
    if (lease.state === 'accepted') return 'duplicate';
    if (lease.state !== 'live') return `refused ${lease.state}`;
    const same = report.contest === lease.contest && report.first === lease.first;
    if (!same || report.evidence.length !== lease.count) return this.#refuse(report.lease, 'report_mismatch');
    for (const [i, evidence] of report.evidence.entries()) {
      if (evidence.kind === 'ogr' && evidence.nodes === workOf(report.first + i)) continue;
      return this.#refuse(report.lease, 'evidence_false');
    }
    this.#end(report.lease, 'accepted', 'done');
    const key = `${client} ${lease.contest}`;
    this.credits.set(key, (this.credits.get(key) ?? 0) + lease.count);
    const contest = this.contest(lease.contest);
    const won = report.evidence.some((evidence) => evidence.kind === 'ogr' && evidence.ruler !== undefined);
    if (won && contest.manifest.closes === 'hit') contest.closedBy ??= 'hit';
    if (contest.units.every((unit) => unit === 'done')) contest.closedBy ??= 'exhausted';
    return 'accepted';
  }

  release(client: string, id: string): boolean {
    const lease = this.leases.get(id);
    if (lease?.client !== client || lease.state !== 'live') return false;
    this.#end(id, 'lease_expired', 'free');
    return true;
  }

  /** The block that must come next from the contest, if any may. */
  next(client: string, name: string, asked: number): { first: number; count: number } | undefined {
    const { manifest, units, closedBy } = this.contest(name);
    const held = [...this.leases.values()].filter(
      (lease) => lease.client === client && lease.contest === name && lease.state === 'live',
    );
    if (closedBy !== undefined || held.length >= manifest.block.maxLeases) return undefined;
    const first = units.indexOf('free');
    if (first === -1) return undefined;
    let count = 0;
    while (count < asked && count < manifest.block.maxUnits && units[first + count] === 'free') count += 1;
    return { first, count };
  }

  lease(id: string, lease: Omit<ModelLease, 'state'>): void {
    this.leases.set(id, { ...lease, state: 'live' });
    this.#mark(lease, id);
  }

  contest(name: string): ModelContest {
    const contest = this.contests.get(name);
    if (contest === undefined) throw new Error(`no contest ${name}`);
    return contest;
  }

  count(name: string): { done: number; leased: number } {
    const { units } = this.contest(name);
    const done = units.filter((unit) => unit === 'done').length;
    return { done, leased: units.length - done - units.filter((unit) => unit === 'free').length };
  }

  #refuse(id: string, code: string): string {
    this.#end(id, code, 'free');
    return `refused ${code}`;
  }

  #end(id: string, state: string, unit: 'free' | 'done'): void {
    const lease = this.leases.get(id);
    if (lease === undefined) throw new Error(`no lease ${id}`);
    lease.state = state;
    this.#mark(lease, unit);
  }

  #mark({ contest, first, count }: Omit<ModelLease, 'state'>, as: string): void {
    this.contest(contest).units.fill(as, first, first + count);
  }
}
