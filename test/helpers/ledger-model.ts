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
}

interface ModelContest {
  manifest: ContestManifest;
  /** `free`, `done`, or the id of the lease that has it. */
  units: string[];
  closedBy: 'hit' | 'exhausted' | undefined;
}

export class LedgerModel {
  readonly contests = new Map<string, ModelContest>();
  /** Every lease there ever was. */
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
    for (const [id, { contest, expiresAt }] of this.leases) {
      const { manifest, units } = this.contest(contest);
      if (expiresAt + (manifest.recycleSeconds ?? 0) * 1000 > now) continue;
      for (const [unit, holder] of units.entries()) if (holder === id) units[unit] = 'free';
    }
  }

  /** The outcome and its code that the report must get, and how many units it is credited. */
  report(client: string, report: Report): { outcome: string; credited: number } {
    const nothing = (outcome: string) => ({ outcome, credited: 0 });
    const { units, manifest } = this.contest(report.contest);
    const past = report.first + report.evidence.length;
    if (past > manifest.units) return nothing('refused report_mismatch');
    const range = Array.from({ length: past - report.first }, (_, i) => report.first + i);
    const lease = this.leases.get(report.lease);
    const own = range.filter((unit) => units[unit] === report.lease);
    const known = report.proof === undefined ? undefined : [...this.leases.values()].find((l) => l === lease);

    if (own.length > 0 && lease?.client === client) {
      const strange = range.some((unit) => units[unit] !== report.lease && units[unit] !== 'done');
      const cut = units[report.first - 1] === report.lease || units[past] === report.lease;
      if (strange || (cut && (own.includes(report.first) || own.includes(past - 1)))) {
        this.#freeAround(report.contest, report.lease, own);
        return nothing('refused report_mismatch');
      }
    } else if (report.proof !== undefined && known !== undefined) {
      if (known.client !== client) return nothing('refused lease_foreign');
      const same = known.contest === report.contest && known.first === report.first;
      if (!same || known.count !== range.length) return this.#spoilt(client, report.lease, 'refused report_mismatch');
    } else {
      if (own.length > 0) return nothing('refused lease_foreign');
      if (range.every((unit) => units[unit] === 'done')) return nothing('duplicate');
      return this.#spoilt(client, report.lease, 'refused lease_unknown');
    }
    for (const [i, evidence] of report.evidence.entries()) {
      if (evidence.kind === 'ogr' && evidence.nodes === workOf(report.first + i)) continue;
      if (lease?.client === client) for (const unit of own) units[unit] = 'free';
      return nothing('refused evidence_false');
    }
    const fresh = range.filter((unit) => units[unit] !== 'done');
    for (const unit of fresh) units[unit] = 'done';
    const contest = this.contest(report.contest);
    const won = report.evidence.some((evidence) => evidence.kind === 'ogr' && evidence.ruler !== undefined);
    if (won && manifest.closes === 'hit') contest.closedBy = 'hit';
    if (units.every((unit) => unit === 'done')) contest.closedBy ??= 'exhausted';
    if (fresh.length === 0) return nothing('duplicate');
    const key = `${client} ${report.contest}`;
    this.credits.set(key, (this.credits.get(key) ?? 0) + fresh.length);
    return { outcome: 'accepted', credited: fresh.length };
  }

  release(client: string, id: string): boolean {
    const lease = this.leases.get(id);
    if (lease?.client !== client) return false;
    const { units } = this.contest(lease.contest);
    const held = [...units.keys()].filter((unit) => units[unit] === id);
    for (const unit of held) units[unit] = 'free';
    return held.length > 0;
  }

  /** Whether the client may have another block of the contest. */
  mayHave(client: string, name: string): boolean {
    const { manifest, units, closedBy } = this.contest(name);
    const held = new Set(units.filter((holder) => this.leases.get(holder)?.client === client));
    return closedBy === undefined && held.size < manifest.block.maxLeases;
  }

  /** The free block that must come next from the contest, if one is free. */
  nextFree(name: string, asked: number): { first: number; count: number } | undefined {
    const { manifest, units } = this.contest(name);
    const first = units.indexOf('free');
    if (first === -1) return undefined;
    let count = 0;
    while (count < asked && count < manifest.block.maxUnits && units[first + count] === 'free') count += 1;
    return { first, count };
  }

  /** Where the blocks begin that somebody else was too slow with; the oldest first. */
  overdue(client: string, name: string, now: number): number[] {
    const { units } = this.contest(name);
    const isOverdue = (id: string | undefined): boolean => {
      const lease = this.leases.get(id ?? '');
      return lease !== undefined && lease.client !== client && lease.expiresAt <= now;
    };
    return [...units.keys()].filter((unit) => isOverdue(units[unit]) && units[unit] !== units[unit - 1]);
  }

  lease(id: string, lease: ModelLease): void {
    this.leases.set(id, lease);
    this.contest(lease.contest).units.fill(id, lease.first, lease.first + lease.count);
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

  /** The report is not of the lease's units: if its holder sends it, what is left of the lease is free. */
  #spoilt(client: string, id: string, otherwise: string): { outcome: string; credited: number } {
    const lease = this.leases.get(id);
    const held = lease === undefined ? [] : this.contest(lease.contest).units.filter((unit) => unit === id);
    if (lease === undefined || held.length === 0) return { outcome: otherwise, credited: 0 };
    if (lease.client !== client) return { outcome: 'refused lease_foreign', credited: 0 };
    const { units } = this.contest(lease.contest);
    for (const [unit, holder] of units.entries()) if (holder === id) units[unit] = 'free';
    return { outcome: 'refused report_mismatch', credited: 0 };
  }

  /** Frees the stretches of the lease that these units are in. */
  #freeAround(name: string, id: string, units: readonly number[]): void {
    const line = this.contest(name).units;
    for (const unit of units) {
      for (let u = unit; line[u] === id; u++) line[u] = 'free';
      for (let u = unit - 1; line[u] === id; u--) line[u] = 'free';
    }
  }
}
