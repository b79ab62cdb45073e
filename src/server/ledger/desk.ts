/**
 * The desk of a keyserver, where clients are served: reports in, leases out, one commit for many. A keymaster and a
 * proxy stand behind it alike; what they do differently is their `Role`.
 *
 * Evidence is checked before the commit is joined: it may take milliseconds a report, and nobody else's answer has to
 * wait for it.
 */
import type { Verdict } from '../../contests/kind.ts';
import type { ClientInfo } from '../../domain/client.ts';
import type { ContestManifest, ContestState } from '../../domain/contest.ts';
import type { Lease, Report } from '../../domain/work.ts';
import { RefusedError } from '../../protocol/errors.ts';
import {
  type ExchangeReply,
  type ExchangeRequest,
  MAX_MESSAGES,
  MAX_REPORTS,
  type Origin,
  PROTOCOLS,
  type ProtocolName,
  type ReleaseReply,
  type ReleaseRequest,
  type ReportResult,
} from '../../protocol/keyserver.ts';
import type { Log } from '../log.ts';
import { extendProof, readProof, rootOf } from '../proof/chain.ts';
import { isKeyId } from '../proof/key.ts';
import type { Store } from '../store/store.ts';
import type { SpotResult } from '../trust/checks.ts';
import type { How } from '../trust/conduct.ts';
import { Books, type Kinds } from './books.ts';
import { Counting } from './counting.ts';
import { type Grant, type Granted, Granting } from './grant.ts';
import { GroupCommit } from './group-commit.ts';
import { clipped } from './line.ts';
import { Maps } from './maps.ts';
import type { Role } from './role.ts';
import { type Sender, settle } from './settle.ts';

export interface DeskPorts {
  store: Store;
  kinds: Kinds;
  /** Milliseconds since 1970. */
  clock: () => number;
  log: Log;
  /** In [0, 1), for the choice of subspaces and for waits; Math.random unless told. */
  random?: () => number;
  /** Told of what happens, for metrics and logs. */
  observer?: Observer;
}

export interface Observer {
  /** @param found how many hits were in it: of a blind contest the result does not tell. */
  reported?(
    client: ClientInfo,
    manifest: ContestManifest,
    report: Report,
    result: ReportResult,
    address: string | undefined,
    found: number,
  ): void;
  exchanged?(client: ClientInfo, address: string | undefined): void;
  leased?(client: ClientInfo, leases: readonly Lease[]): void;
  committed?(size: number, seconds: number): void;
  /** A spot check ended, or was dropped because too many waited. */
  spotChecked?(result: SpotResult, seconds: number): void;
  /** A block that was done before was done again. */
  doneAgain?(how: 'known-answer' | 'second-run', agreed: boolean): void;
  /** Clients were not heard of for a day; some of them are named. */
  wentOffline?(count: number, clients: readonly string[]): void;
  /** A case was filed. */
  caught?(how: How): void;
}

export class Desk {
  readonly #ports: DeskPorts;
  readonly role: Role;
  readonly counting: Counting;
  readonly maps: Maps;
  readonly #commits: GroupCommit;
  readonly #granting: Granting;
  #manifests = new Map<string, ContestManifest>();

  constructor(ports: DeskPorts, role: Role) {
    this.#ports = ports;
    this.role = role;
    this.counting = new Counting(ports);
    this.maps = new Maps({ ...ports, hidden: (contest) => role.hidden(contest) });
    this.#granting = new Granting(role, ports.random ?? Math.random);
    this.#commits = new GroupCommit({
      ...ports,
      onOpen: (books) => this.#learn(books),
      onCommit: (size, seconds) => ports.observer?.committed?.(size, seconds),
    });
  }

  async exchange(asked: ExchangeRequest, origin?: Origin): Promise<ExchangeReply> {
    const request = this.#bound(asked);
    const { client, reports, want } = request;
    const protocol = protocolOf(request);
    const sender: Sender = { client, isProxy: protocol === 'keyserver<-proxy/1', address: origin?.address };
    // A proxy's id is no secret, it is in every proof: without its signature nobody may speak in its name.
    if (sender.isProxy || isKeyId(client.id)) this.role.admitProxy(request, this.#ports.clock(), origin);
    if (!sender.isProxy && reports.length > MAX_REPORTS) {
      const detail = `a client sends at most ${MAX_REPORTS} reports at once`;
      throw new RefusedError('body_malformed', detail, { field: '/reports' });
    }
    if (this.#haveStrangeRoot(reports)) await this.role.learnKeys();
    await this.role.know([client, ...(sender.isProxy ? reports.flatMap((report) => report.client ?? []) : [])]);
    const verdicts = await this.#verifyAll(reports);
    const reply = await this.#commits.run({
      units: reports.map(({ contest, first, evidence }) => ({ contest, first, count: evidence.length })),
      ...(want.blocks === 0 ? {} : { holder: client.id, wants: want.from.map(({ contest }) => contest) }),
      run: async (commit) => {
        refuseUnknown(commit.books, want);
        const results: ReportResult[] = [];
        for (const [i, report] of reports.entries()) {
          results.push(await settle(commit, sender, report, verdicts[i] as Verdict, this.role));
        }
        const granted = await this.#granting.grant(commit, sender, want);
        const contests = commit.books.states().map((state) => this.role.shown(state));
        return { results, ...granted, now: commit.now, contests };
      },
    });
    this.counting.arrive(client, reply.now);
    this.role.hear(request, sender, reply.now);
    const found = verdicts.map((verdict) => (verdict.ok ? verdict.hits.length : 0));
    this.#observe(request, reply, found, sender);
    return this.#inProtocol(protocol, sender, reply);
  }

  async release(request: ReleaseRequest): Promise<ReleaseReply> {
    const { leases, parts = [] } = request;
    const client = this.role.bound(request.client);
    if (isKeyId(client.id)) this.role.admitProxy(request, this.#ports.clock());
    return this.#commits.run({
      run: async ({ books, now }) => {
        this.counting.arrive(client, now);
        const whole = new Set(leases);
        const partsOf = new Map<string, { contest: string; first: number; past: number }[]>();
        for (const { lease, contest, first, count } of parts) {
          const part = { contest, first, past: first + count };
          const some = partsOf.get(lease);
          if (some === undefined) partsOf.set(lease, [part]);
          else some.push(part);
        }
        const released = new Set<string>();
        for (const row of await books.ledger.runsOfLeases(client.id, [...new Set([...whole, ...partsOf.keys()])])) {
          const book = books.get(row.contest);
          if (book === undefined) continue;
          book.line.take([row]);
          await book.line.load([{ first: row.first, count: row.past - row.first }]);
          const isWhole = whole.has(row.lease ?? '');
          for (const part of isWhole ? [row] : (partsOf.get(row.lease ?? '') ?? [])) {
            const { first, past } = clipped(row, part);
            if (part.contest !== row.contest || first >= past) continue;
            for (const run of book.line.within({ first, count: past - first })) {
              if (run.lease !== row.lease || run.holder !== client.id) continue;
              // Of a part of it the lease goes on.
              books.free(book, { ...clipped(run, { first, past }), ...(isWhole ? {} : { lease: null }) });
              released.add(row.lease ?? '');
            }
          }
        }
        return { released: [...released] };
      },
    });
  }

  /** Work of the role's own, in the same commits. */
  run<T>(work: (books: Books, now: number) => Promise<T>): Promise<T> {
    return this.#commits.run({ run: ({ books, now }) => work(books, now) });
  }

  read<T>(work: (books: Books) => Promise<T>): Promise<T> {
    return this.#ports.store.read(async (ledger) => {
      const books = await Books.open(ledger, this.#ports.kinds);
      this.#learn(books);
      return work(books);
    });
  }

  /** Frees what is overdue, counts what was finished, gives back space. For a timer. */
  async sweep(): Promise<void> {
    await this.run(async () => {});
    await this.counting.countEasily();
    await this.#ports.store.tidy();
  }

  /** Answers what waits and takes no more. */
  async close(): Promise<void> {
    await this.#commits.close();
    await this.counting.close().catch((err: unknown) => this.#ports.log.error({ err }, 'the last counting failed'));
  }

  #bound(request: ExchangeRequest): ExchangeRequest {
    const { role } = this;
    const reports = request.reports.map((report) =>
      report.client === undefined ? report : { ...report, client: role.bound(report.client) },
    );
    return { ...request, client: role.bound(request.client), reports };
  }

  /** Whether a proof begins with a key that is not trusted: it may be newer than what is known here. */
  #haveStrangeRoot(reports: readonly Report[]): boolean {
    const roots = new Set(reports.map(({ proof }) => proof?.split('~', 1)[0]));
    return [...roots].some((root) => {
      const read = root === undefined ? undefined : readProof(root);
      return read?.ok === true && !this.role.isTrusted(rootOf(read.links));
    });
  }

  #learn(books: Books): void {
    this.#manifests = new Map([...books.all()].map(({ manifest }) => [manifest.name, manifest]));
  }

  async #verifyAll(reports: readonly Report[]): Promise<Verdict[]> {
    const verdicts: Verdict[] = [];
    if (reports.some(({ contest }) => !this.#manifests.has(contest))) await this.read(async () => {});
    for (const report of reports) {
      verdicts.push(this.#verify(report));
      // Others' requests go on between two checks.
      if (reports.length > 1) await new Promise(setImmediate);
    }
    return verdicts;
  }

  #verify(report: Report): Verdict {
    const manifest = this.#manifests.get(report.contest);
    if (manifest === undefined) return { ok: false, code: 'report_mismatch', detail: 'there is no such contest' };
    if (report.first + report.evidence.length > manifest.units) {
      return { ok: false, code: 'report_mismatch', detail: `${report.contest} ends at unit ${manifest.units}` };
    }
    try {
      return this.#ports.kinds[manifest.search.kind].verify(manifest, report);
    } catch (err) {
      // Evidence that makes a check fall over is not evidence, and must not come back for ever.
      this.#ports.log.error({ err, contest: report.contest, first: report.first }, 'a check of evidence failed');
      return { ok: false, code: 'evidence_false', detail: 'the evidence cannot be checked' };
    }
  }

  #observe(
    { client, reports }: ExchangeRequest,
    { results, grants }: Granted & { results: ReportResult[] },
    found: readonly number[],
    sender: Sender,
  ): void {
    const { isProxy, address } = sender;
    const { observer } = this.#ports;
    observer?.exchanged?.(client, address);
    const leases = grants.map(({ lease }) => lease);
    if (leases.length > 0) observer?.leased?.(client, leases);
    for (const [i, report] of reports.entries()) {
      const manifest = this.#manifests.get(report.contest);
      const result = results[i];
      if (manifest === undefined || result === undefined) continue;
      const worker = (isProxy ? report.client : undefined) ?? client;
      this.role.reported(worker, manifest, report, result, sender);
      observer?.reported?.(worker, manifest, report, result, address, found[i] ?? 0);
    }
  }

  #inProtocol(
    protocol: ProtocolName,
    { client, isProxy }: Sender,
    { grants, ...reply }: Granted & { results: ReportResult[]; now: number; contests: ContestState[] },
  ): ExchangeReply {
    if (protocol === 'keyserver<-client/1') return { ...reply, leases: grants.map(({ lease }) => lease) };
    const messages = this.role.messages(client).slice(0, MAX_MESSAGES);
    const directives = this.role.directives(client);
    return {
      protocol,
      ...reply,
      leases: grants.map((grant) => this.#proven(grant, client.id)),
      ...(messages.length === 0 ? {} : { messages }),
      ...(directives.length === 0 ? {} : { directives: [...directives] }),
      ...(isProxy ? { trusted: [...this.role.trusted()] } : {}),
    };
  }

  #proven({ lease, source }: Grant, sub: string): Lease {
    const { id: jti, contest, first, count, expiresAt: exp } = lease;
    const claims = { jti, sub, contest, first, count, exp };
    return { ...lease, proof: extendProof(source.proof, claims, this.role.key()) };
  }
}

function protocolOf({ protocols }: ExchangeRequest): ProtocolName {
  if (protocols === undefined) return 'keyserver<-client/1';
  const known = protocols.find((name): name is ProtocolName => (PROTOCOLS as readonly string[]).includes(name));
  if (known !== undefined) return known;
  const detail = `none of the protocols named is spoken here; ${PROTOCOLS.join(', ')} are`;
  throw new RefusedError('protocol_unknown', detail, { status: 422, field: '/protocols' });
}

function refuseUnknown(books: Books, want: ExchangeRequest['want']): void {
  for (const [i, { contest }] of want.from.entries()) {
    if (books.get(contest) !== undefined) continue;
    const field = `/want/from/${i}/contest`;
    throw new RefusedError('contest_unknown', `there is no contest ${contest} here`, { status: 422, field });
  }
}
