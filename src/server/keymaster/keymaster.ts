/**
 * The keymaster: the top of every pyramid and the only writer of the ledger of what is free, leased and done.
 *
 * Invariants: free + leased + done units = N of each contest, at every commit; a lease is credited at most once,
 * and only after its evidence was verified; whatever was answered is on the disk. It knows units, never keys or
 * marks: those belong to the contest kinds.
 */
import { randomUUID } from 'node:crypto';
import type { ContestKind, Verdict } from '../../contests/kind.ts';
import type { ClientInfo } from '../../domain/client.ts';
import type { Contest, ContestKindName, ContestManifest } from '../../domain/contest.ts';
import type { Lease, Report } from '../../domain/work.ts';
import { RefusedError } from '../../protocol/errors.ts';
import type {
  ExchangeReply,
  ExchangeRequest,
  Keyserver,
  ReleaseReply,
  ReleaseRequest,
  ReportResult,
  Status,
} from '../../protocol/keyserver.ts';
import type { Log } from '../log.ts';
import type { LeaseRow } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import { Books } from './books.ts';
import { type Catalogue, catalogueOf } from './catalogue.ts';
import { GroupCommit } from './group-commit.ts';
import { judge } from './judge.ts';
import { enterContests } from './opening.ts';
import { takeFree } from './runs.ts';
import { expireDue, pruneEnded } from './sweep.ts';

export interface KeymasterPorts {
  store: Store;
  /** In the order in which the contests are shown. */
  manifests: readonly ContestManifest[];
  kinds: Readonly<Record<ContestKindName, ContestKind>>;
  /** Milliseconds since 1970. */
  clock: () => number;
  log: Log;
  /** Shown in `status`. */
  version: string;
}

/** How soon a client that got less than it wanted may ask again: overdue units come back one by one. */
const RETRY_OPEN_SECONDS = 10;
/** … when every contest it wanted is closed: new ones come with a restart. */
const RETRY_CLOSED_SECONDS = 300;

const HOUR_MS = 3_600_000;

export class Keymaster implements Keyserver {
  readonly #ports: KeymasterPorts;
  readonly #catalogue: Catalogue;
  readonly #commits: GroupCommit;
  readonly #startedAt: number;

  private constructor(ports: KeymasterPorts, catalogue: Catalogue) {
    this.#ports = ports;
    this.#catalogue = catalogue;
    this.#commits = new GroupCommit(ports.store, catalogue, ports.log);
    this.#startedAt = ports.clock();
  }

  /**
   * Enters new contests in the ledger.
   * @throws TypeError a manifest contradicts itself.
   * @throws StoreError a manifest contradicts the ledger.
   */
  static async open(ports: KeymasterPorts): Promise<Keymaster> {
    const catalogue = catalogueOf(ports.manifests, ports.kinds);
    await ports.store.transaction((ledger) => enterContests(ledger, ports.manifests));
    return new Keymaster(ports, catalogue);
  }

  async exchange(request: ExchangeRequest): Promise<ExchangeReply> {
    const { client, reports, want } = request;
    for (const [i, { contest }] of want.from.entries()) {
      if (this.#catalogue.has(contest)) continue;
      const field = `/want/from/${i}/contest`;
      throw new RefusedError('contest_unknown', `there is no contest ${contest} here`, { status: 422, field });
    }
    const verdicts = await this.#verifyAll(client.id, reports);
    return this.#commits.run(async (books) => {
      const now = this.#ports.clock();
      await this.#arrive(books, client, now);
      const results: ReportResult[] = [];
      const leases = new Map((await leasesOf(books, reports)).map((lease) => [lease.id, lease]));
      for (const report of reports) {
        const lease = leases.get(report.lease);
        const { result, state } = await this.#settle(books, lease, report, client.id, now, verdicts.get(report));
        // The same lease may be reported twice in one request.
        if (lease !== undefined && state !== undefined) {
          leases.set(lease.id, { ...lease, state, code: result.code ?? null, detail: result.detail ?? null });
        }
        books.count(result.outcome);
        results.push(result);
      }
      const { granted, retryAfterSeconds } = await this.#grant(books, client.id, want, now);
      return { results, leases: granted, now, contests: books.states(), retryAfterSeconds };
    });
  }

  release({ client, leases }: ReleaseRequest): Promise<ReleaseReply> {
    return this.#commits.run(async (books) => {
      const now = this.#ports.clock();
      await this.#arrive(books, client, now);
      const released: string[] = [];
      for (const lease of await books.ledger.leases([...new Set(leases)])) {
        if (lease.client !== client.id || lease.state !== 'live') continue;
        await books.freeLease(lease, 'released');
        released.push(lease.id);
      }
      return { released };
    });
  }

  contests(): Promise<Contest[]> {
    return this.#ports.store.read(async (ledger) => (await Books.open(ledger, this.#catalogue)).contests());
  }

  status(): Promise<Status> {
    return this.#ports.store.read(async (ledger) => {
      const tallies = await ledger.tallies();
      const tally = (name: string) => tallies.find((row) => row.name === name)?.value ?? 0;
      return {
        version: this.#ports.version,
        startedAt: this.#startedAt,
        contests: (await Books.open(ledger, this.#catalogue)).states(),
        clients: {
          known: await ledger.countClients(0),
          lastHour: await ledger.countClients(this.#ports.clock() - HOUR_MS),
        },
        reports: { accepted: tally('accepted'), duplicate: tally('duplicate'), refused: tally('refused') },
      };
    });
  }

  /** Frees what is overdue and forgets what can no longer matter. For a timer; exchanges free as they go. */
  async sweep(): Promise<void> {
    const now = this.#ports.clock();
    const expired = await this.#commits.run((books) => expireDue(books, now));
    const pruned = await this.#commits.run((books) => pruneEnded(books.ledger, now));
    if (expired + pruned > 0) this.#ports.log.info({ expired, pruned }, 'swept leases');
  }

  /** Answers what waits and takes no more. The store stays open: it belongs to whoever opened it. */
  close(): Promise<void> {
    return this.#commits.close();
  }

  async #arrive(books: Books, client: ClientInfo, now: number): Promise<void> {
    await expireDue(books, now);
    await books.ledger.seeClient({ id: client.id, name: client.name ?? null, version: client.version }, now);
  }

  /**
   * Checks the evidence that will matter, before the commit is joined: it may take milliseconds a report, and
   * nobody else's answer has to wait for it.
   */
  async #verifyAll(client: string, reports: readonly Report[]): Promise<Map<Report, Verdict>> {
    const verdicts = new Map<Report, Verdict>();
    if (reports.length === 0) return verdicts;
    const ids = [...new Set(reports.map((report) => report.lease))];
    const leases = await this.#ports.store.read((ledger) => ledger.leases(ids));
    const now = this.#ports.clock();
    const checked = new Set<string>();
    for (const report of reports) {
      const lease = leases.find(({ id }) => id === report.lease);
      // The first report of a lease settles it.
      if (checked.has(report.lease) || judge(lease, report, client, now).is !== 'due') continue;
      checked.add(report.lease);
      verdicts.set(report, this.#verify(report));
      if (reports.length > 1) await new Promise(setImmediate);
    }
    return verdicts;
  }

  #verify(report: Report): Verdict {
    const offer = this.#catalogue.get(report.contest);
    if (offer === undefined) {
      return { ok: false, code: 'report_mismatch', detail: `the contest ${report.contest} is no longer on offer` };
    }
    try {
      return offer.kind.verify(offer.manifest, report);
    } catch (err) {
      // Evidence that makes a check fall over is not evidence, and must not come back for ever.
      this.#ports.log.error({ err, contest: report.contest, first: report.first }, 'a check of evidence failed');
      return { ok: false, code: 'evidence_false', detail: 'the evidence cannot be checked' };
    }
  }

  async #settle(
    books: Books,
    lease: LeaseRow | undefined,
    report: Report,
    client: string,
    now: number,
    verdict: Verdict | undefined,
  ): Promise<{ result: ReportResult; state?: LeaseRow['state'] }> {
    const judgement = judge(lease, report, client, now);
    const nothing = { lease: report.lease, credited: 0, hits: [] };
    if (judgement.is === 'refused') {
      const { why, frees } = judgement;
      const result: ReportResult = { ...nothing, outcome: 'refused', ...why };
      if (lease === undefined || frees === undefined) return { result };
      await books.freeLease(lease, frees, why);
      return { result, state: frees };
    }
    if (lease === undefined) throw new Error('only a lease can be due or duplicate');
    if (judgement.is === 'duplicate') {
      return { result: { ...nothing, outcome: 'duplicate', hits: books.hitsOf(lease) } };
    }
    const checked = verdict ?? this.#verify(report);
    if (checked.ok) {
      await books.acceptLease(lease, checked.hits);
      return {
        result: { lease: lease.id, outcome: 'accepted', credited: lease.count, hits: checked.hits },
        state: 'accepted',
      };
    }
    const why = { code: checked.code, detail: checked.detail };
    await books.freeLease(lease, 'refused', why);
    return { result: { ...nothing, outcome: 'refused', ...why }, state: 'refused' };
  }

  /** Live leases that the client does not know of, of the contests it wants and that are open. */
  #lost(books: Books, live: readonly LeaseRow[], { from, holding }: ExchangeRequest['want'], now: number): Lease[] {
    if (holding === undefined) return [];
    const known = new Set(holding);
    const wanted = new Set(from.map(({ contest }) => contest).filter((contest) => books.isOpen(contest)));
    return live
      .filter(({ id, contest, expires_at }) => !known.has(id) && wanted.has(contest) && expires_at > now)
      .map(leaseOf);
  }

  async #grant(
    books: Books,
    client: string,
    want: ExchangeRequest['want'],
    now: number,
  ): Promise<{ granted: Lease[]; retryAfterSeconds: number }> {
    if (want.blocks === 0) return { granted: [], retryAfterSeconds: 0 };
    const live = await books.ledger.liveLeases(client);
    // `live` grows with what is issued: a contest may be named twice.
    const granted = this.#lost(books, live, want, now).slice(0, want.blocks);
    let anyOpen = false;
    for (const { contest, units } of want.from) {
      const manifest = this.#catalogue.get(contest)?.manifest;
      if (manifest === undefined || !books.isOpen(contest)) continue;
      anyOpen = true;
      const held = live.filter((lease) => lease.contest === contest).length;
      const blocks = Math.min(want.blocks - granted.length, manifest.block.maxLeases - held);
      if (blocks <= 0) continue;
      const ranges = await takeFree(books.ledger, contest, { blocks, units: Math.min(units, manifest.block.maxUnits) });
      if (ranges.length === 0) continue;
      const expires_at = now + manifest.leaseSeconds * 1000;
      const rows = ranges.map(
        (range): LeaseRow => ({
          id: randomUUID(),
          contest,
          ...range,
          client,
          state: 'live',
          expires_at,
          code: null,
          detail: null,
        }),
      );
      await books.addLeases(contest, rows);
      live.push(...rows);
      granted.push(...rows.map(leaseOf));
    }
    const enough = granted.length === want.blocks;
    return { granted, retryAfterSeconds: enough ? 0 : anyOpen ? RETRY_OPEN_SECONDS : RETRY_CLOSED_SECONDS };
  }
}

const leaseOf = ({ id, contest, first, count, expires_at }: LeaseRow): Lease => ({
  id,
  contest,
  first,
  count,
  expiresAt: expires_at,
});

async function leasesOf(books: Books, reports: readonly Report[]): Promise<LeaseRow[]> {
  return reports.length === 0 ? [] : books.ledger.leases([...new Set(reports.map((report) => report.lease))]);
}
