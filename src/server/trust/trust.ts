/**
 * What a keymaster thinks of its clients. It notes what each did, has a share of their work checked, and acts on what is found:
 * who was proven wrong gets no more ordinary work until it passes a known answer, and its work is
 * taken back. It believes no identity; a new one is checked at every step.
 *
 *   conduct.ts     what is noted of one client in one contest, and DiCoP's rules
 *   rates.ts       how often whom to check
 *   checks.ts      spot checks: a small part of a report done again here
 *   seconds.ts     second runs and known answers: a whole block done again by somebody else who does not know
 *   take-back.ts   what happens to the work of the caught
 *   cases.ts       what an operator sees of it
 *   presence.ts    who is online
 *
 * Deeds wait in memory and are written every few seconds, under a lock of the store and not with the exchanges: a kill loses the
 * last of them, which makes nobody trusted. Several keymasters over one PostgreSQL note in the same rows.
 */
import { accumulate, isBeyondBelief } from '../../contests/rc5/suspicion.ts';
import type { ClientInfo } from '../../domain/client.ts';
import type { ContestManifest } from '../../domain/contest.ts';
import type { Report } from '../../domain/work.ts';
import type { ReportResult } from '../../protocol/keyserver.ts';
import type { Kinds } from '../ledger/books.ts';
import type { Desk, Observer } from '../ledger/desk.ts';
import { sumOf } from '../ledger/journal.ts';
import type { Sender } from '../ledger/settle.ts';
import type { Log } from '../log.ts';
import { BoundedMap } from '../proof/bounded-map.ts';
import type { LedgerQueries } from '../store/queries.ts';
import type { ConductRow } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import { type CaseBody, putCase } from './cases.ts';
import { type Checked, type Checker, Checks, type Suspect } from './checks.ts';
import { after, BARRED_AT, type Conduct, type Deed, type How, isBarred, UNKNOWN } from './conduct.ts';
import { spotRate } from './rates.ts';
import { Seconds } from './seconds.ts';
import { takeBack } from './take-back.ts';

export interface TrustPorts {
  store: Store;
  kinds: Kinds;
  /** Milliseconds since 1970. */
  clock: () => number;
  log: Log;
  /** In [0, 1): whom to check is drawn by it, so it must not be guessed. */
  random: () => number;
  /** Absent: this keymaster has no core, and makes no spot checks. */
  checker?: Checker | undefined;
  /** How many times as often as usual blocks are done again by somebody else; 1 unless told. */
  secondRuns?: number | undefined;
  observer?: Observer | undefined;
}

/** How checking goes, as numbers; of clients those that are remembered here. */
export interface TrustFigures {
  checksWaiting: number;
  /** By contest. */
  seconds: ReadonlyMap<string, { waiting: number; known: number }>;
  barred: number;
  stopped: number;
}

/** Clients of whom what is noted is kept in memory. */
const REMEMBERED = 50_000;
/** Deeds that wait at most: beyond that the oldest client's are dropped. */
const CLIENTS_WAITING = 20_000;
const WRITTEN_AT_ONCE = 500;

/** Of a client in all contests together. */
export interface General {
  stopped: string;
}

/** Client, contest, how, detail, evidence. */
type Found = [client: string, contest: string, how: How, detail: string, evidence: unknown];

/** By contest. */
type Conducts = ReadonlyMap<string, Conduct>;

interface Waiting {
  contest: string;
  deed: Deed;
}

export class Trust {
  readonly seconds: Seconds;
  readonly checks: Checks;
  readonly #ports: TrustPorts;
  readonly #known = new BoundedMap<string, Conducts>(REMEMBERED);
  /** Clients that an operator has stopped, and why. */
  #stopped: ReadonlyMap<string, string> = new Map();
  #waiting = new Map<string, Waiting[]>();
  #desk: Desk | undefined;
  /** Convictions one after the other: each reads what the one before has written. */
  #acting: Promise<void> = Promise.resolve();
  /** Those that could not be written. */
  readonly #unfiled: (() => void)[] = [];
  /** Writings under way. */
  #writing = 0;

  constructor(ports: TrustPorts) {
    this.#ports = ports;
    this.seconds = new Seconds({ ...ports, trust: this });
    this.checks = new Checks({
      ...ports,
      onResult: (suspect, checked) => this.#checked(suspect, checked),
    });
  }

  /** Where its own commits go. */
  attach(desk: Desk): void {
    this.#desk = desk;
  }

  /** Reads what is noted of clients, so that it need not be waited for later. */
  async know(clients: readonly Pick<ClientInfo, 'id' | 'name'>[]): Promise<void> {
    const names = clients.flatMap(({ name }) => (name === undefined ? [] : accountOf(name)));
    const strange = [...new Set([...clients.map(({ id }) => id), ...names])].filter((id) => !this.#known.has(id));
    if (strange.length === 0) return;
    // Where the ledger cannot be read the exchange cannot be written either, and says so.
    const rows = await this.#ports.store.read(async (ledger) => ledger.trust.conducts(strange)).catch(() => undefined);
    if (rows === undefined) return;
    const conducts = byClient(rows);
    // What was written meanwhile is newer.
    for (const id of strange) if (!this.#known.has(id)) this.#remember(id, conducts.get(id));
  }

  /** Reads what operators have changed, and what other keymasters over the same ledger have. */
  async read(ledger: LedgerQueries): Promise<void> {
    await this.seconds.read(ledger);
    const rows = await ledger.trust.general();
    this.#stopped = new Map(rows.map(({ client, body }) => [client, (JSON.parse(body) as General).stopped]));
    // Whoever gets no work here tells nothing new by which it would be seen that somebody let it in again.
    const barred = [...this.#known.entries()].filter(([, conducts]) => isBarredInAny(conducts)).map(([id]) => id);
    if (barred.length === 0) return;
    const conducts = byClient(await ledger.trust.conducts(barred));
    if (this.#writing === 0) for (const id of barred) this.#remember(id, conducts.get(id));
  }

  /** Why an operator has stopped this client; undefined where none has. */
  stopped(client: string): string | undefined {
    return this.#stopped.get(client);
  }

  figures(): TrustFigures {
    let barred = 0;
    for (const [id, conducts] of this.#known.entries()) {
      if (!id.startsWith(ACCOUNT) && isBarredInAny(conducts)) barred += 1;
    }
    const [checksWaiting, seconds, stopped] = [this.checks.waiting, this.seconds.figures(), this.#stopped.size];
    return { checksWaiting, seconds, barred, stopped };
  }

  /** As far as it is known here. */
  conductOf(client: string, contest: string): Conduct {
    return this.#known.get(client)?.get(contest) ?? UNKNOWN;
  }

  /** Whether it gets ordinary work of this contest. Who was proven wrong in one gets none of any. */
  mayWork(client: string, contest: string): boolean {
    return !this.#stopped.has(client) && this.#isBelieved(client, contest);
  }

  #isBelieved(client: string, contest: string): boolean {
    const conducts = this.#known.get(client);
    if (conducts === undefined) return true;
    for (const { distrusted } of conducts.values()) if (distrusted) return false;
    return !isBarred(conducts.get(contest) ?? UNKNOWN);
  }

  /** Whether those who use its name have, all together, too few near matches: then its reports are checked more often, and no more than that. */
  isWatched({ name }: Pick<ClientInfo, 'name'>, contest: string): boolean {
    return name !== undefined && this.conductOf(accountOf(name), contest).distrusted;
  }

  /** Why its reports count for nothing; undefined where they count. Who was stopped hands in what it has done. */
  distrusts(client: string, contest: string): string | undefined {
    if (this.#isBelieved(client, contest)) return undefined;
    return 'what this client does is not believed before it has got a test block right';
  }

  /** What to tell a person whose client gets no ordinary work; undefined where there is nothing to tell. */
  sentenceFor(client: string): string | undefined {
    for (const [contest, conduct] of this.#known.get(client) ?? []) {
      if (!isBarred(conduct) || conduct.error === undefined) continue;
      const what = conduct.distrusted
        ? `A check of what this client did for ${contest} failed: ${conduct.error}. That work is done again by others, and its credit was taken back.`
        : `Reports of this client for ${contest} were wrong: ${conduct.error}.`;
      return `${what} If nobody changed the program, the machine may be at fault: too hot, overclocked, or with bad memory. A test block comes every six hours, and work goes on once one is right.`;
    }
    return undefined;
  }

  /** Notes what was done; its consequences follow with `write`. */
  note(client: string, contest: string, deed: Deed): void {
    const some = this.#waiting.get(client);
    if (some !== undefined) some.push({ contest, deed });
    else this.#waiting.set(client, [{ contest, deed }]);
    const [oldest] = this.#waiting.keys();
    if (this.#waiting.size > CLIENTS_WAITING && oldest !== undefined) this.#waiting.delete(oldest);
    // What decides on the next block is known at once. Of whom nothing was read yet `know` reads it, and adds what waits.
    const known = this.#known.get(client);
    if (known === undefined || deed.kind === 'accepted') return;
    this.#known.set(client, new Map([...known, [contest, after(known.get(contest) ?? UNKNOWN, deed)]]));
  }

  /** A report was answered, and that is on the disk. */
  reported(
    client: ClientInfo,
    manifest: ContestManifest,
    report: Report,
    result: ReportResult,
    sender: Pick<Sender, 'client' | 'isProxy'>,
  ): void {
    const { clock, kinds, random, log } = this.#ports;
    const at = clock();
    const contest = manifest.name;
    const kind = kinds[manifest.search.kind];
    const { core, seconds, evidence } = report;
    if (result.outcome === 'refused') {
      const { code, detail = code } = result;
      if (code !== 'evidence_false' && code !== 'evidence_missing') return;
      // Too few near matches are true ones, and belong in the record; false ones say nothing by the laws of chance.
      const observation = code === 'evidence_missing' ? kind.observe?.(manifest, report) : undefined;
      if (sender.isProxy) {
        // It refuses such reports itself: whoever it names as their maker may never have seen them.
        log.warn({ proxy: sender.client.id, client: client.id, contest, detail }, 'a proxy handed on false evidence');
        return;
      }
      // Of OGR it is missing where the client is too old to send it.
      if (code === 'evidence_missing' && observation === undefined) return;
      this.note(client.id, contest, { kind: 'refused', at, detail: detail as string, observation });
      return;
    }
    if (result.outcome !== 'accepted') return;
    const observation = kind.observe?.(manifest, report);
    const deed: Deed = { kind: 'accepted', at, units: evidence.length, core, seconds, observation };
    this.note(client.id, contest, deed);
    if (client.name !== undefined && observation !== undefined) this.note(accountOf(client.name), contest, deed);
    const rate = this.isWatched(client, contest)
      ? 1
      : spotRate(manifest.search.kind, this.conductOf(client.id, contest));
    if (random() >= rate) return;
    const spot = kind.spotCheck(manifest, report, random);
    if (spot !== undefined) this.checks.take({ client, manifest, spot, done: report, evidence: report });
  }

  /**
   * Writes what was noted, and accuses whom the laws of chance accuse. For a timer.
   * @returns how many clients were written.
   */
  async write(): Promise<number> {
    for (const file of this.#unfiled.splice(0)) file();
    const waiting = [...this.#waiting];
    this.#waiting = new Map();
    this.#writing += 1;
    try {
      await this.#writeAll(waiting);
    } finally {
      this.#writing -= 1;
    }
    await this.#acting;
    return waiting.length;
  }

  async #writeAll(waiting: [string, Waiting[]][]): Promise<void> {
    for (let i = 0; i < waiting.length; i += WRITTEN_AT_ONCE) {
      const some = waiting.slice(i, i + WRITTEN_AT_ONCE);
      try {
        await this.#ports.store.counting(async (ledger) => {
          const rows = await ledger.trust.conducts(some.map(([client]) => client));
          const conducts = byClient(rows);
          const changed: { client: string; contest: string; body: string }[] = [];
          for (const [client, deeds] of some) {
            const own = conducts.get(client) ?? new Map<string, Conduct>();
            for (const { contest, deed } of deeds) {
              own.set(contest, after(own.get(contest) ?? UNKNOWN, deed, accumulate));
            }
            for (const contest of new Set(deeds.map((one) => one.contest))) {
              changed.push({ client, contest, body: JSON.stringify(own.get(contest)) });
            }
            conducts.set(client, own);
          }
          await ledger.trust.putConducts(changed);
          for (const [client] of some) this.#remember(client, conducts.get(client));
        });
      } catch (error) {
        // They wait for the next time.
        for (const [client, deeds] of waiting.slice(i)) {
          this.#waiting.set(client, [...deeds, ...(this.#waiting.get(client) ?? [])]);
        }
        throw error;
      }
      for (const [client, deeds] of some) this.#accuse(client, deeds);
    }
  }

  #accuse(client: string, deeds: readonly Waiting[]): void {
    const infos = new Map<string, Conduct>();
    for (const { contest } of deeds) infos.set(contest, this.conductOf(client, contest));
    for (const [contest, { suspicion, distrusted, score, error }] of infos) {
      if (distrusted) continue;
      const accusation = suspicion === undefined ? undefined : isBeyondBelief(suspicion);
      if (accusation !== undefined) this.convict({ id: client }, contest, 'record', accusation, suspicion);
      else if (score >= BARRED_AT) {
        const isNew = deeds.some((one) => one.contest === contest && one.deed.kind === 'refused');
        if (isNew) this.convict({ id: client }, contest, 'evidence', error ?? 'reports that cannot be true', undefined);
      }
    }
  }

  /** Acts on a proof against a client: once, whatever else is found until it is believed again. */
  convict(
    client: Pick<ClientInfo, 'id' | 'name' | 'team'>,
    contest: string,
    how: How,
    detail: string,
    evidence: unknown,
  ): void {
    this.#acting = this.#acting.then(async () => {
      // It may have been long ago that it was here.
      await this.know([client]);
      if (this.conductOf(client.id, contest).distrusted) return;
      this.note(client.id, contest, { kind: 'failed', at: this.#ports.clock(), how, detail });
      this.#file(client.id, contest, how, detail, evidence);
    });
  }

  #file(...found: Found): void {
    this.#acting = this.#acting
      .then(() => this.#act(...found))
      .catch((err: unknown) => {
        const [client, contest] = found;
        this.#ports.log.error({ err, client, contest }, 'a case could not be filed: it will be tried again');
        this.#unfiled.push(() => this.#file(...found));
      });
  }

  /** Resolves once everything that was found so far is acted on and written. */
  async settled(): Promise<void> {
    await this.checks.idle();
    await this.#acting;
    await this.write();
    // What the first one found.
    await this.write();
  }

  async close(): Promise<void> {
    await this.checks.close();
    await this.#acting;
    await this.write();
    await this.write();
  }

  async #act(...[client, contest, how, detail, evidence]: Found): Promise<void> {
    const desk = this.#desk;
    if (desk === undefined) return;
    const isAccount = client.startsWith(ACCOUNT);
    // What was on its way when it was caught is counted too.
    await desk.run(async () => {});
    await desk.counting.count();
    const body = await desk.run(async (books, now) => {
      const book = books.get(contest);
      const [row] = isAccount ? [] : await books.ledger.clients([client]);
      await this.seconds.forget(books.ledger, client, contest);
      // A name is anyone's to use: those who use it are watched, and nothing is taken from them.
      const taken =
        book === undefined || isAccount
          ? { ranges: [], days: [], again: undefined }
          : await takeBack(books, book, client);
      const filed: CaseBody = {
        how,
        detail,
        name: isAccount ? client.slice(ACCOUNT.length) : (row?.name ?? undefined),
        team: row?.team ?? undefined,
        ...sumOf([...taken.days, ...(taken.again === undefined ? [] : [taken.again])]),
        ranges: taken.ranges,
        again: taken.again?.units,
        evidence,
      };
      await putCase(books.ledger, { client, contest, at: now }, filed);
      return filed;
    });
    this.#ports.log.warn({ client, contest, how, detail, units: body.units }, 'a client was caught');
    this.#ports.observer?.caught?.(how);
  }

  #checked({ client, manifest, done, evidence, isContradicted }: Suspect, checked: Checked): void {
    const at = this.#ports.clock();
    if (checked === 'agrees') return this.note(client.id, manifest.name, { kind: 'passed', at, how: 'spot-check' });
    if (checked !== 'undecided') return this.convict(client, manifest.name, 'spot-check', checked.fault, evidence);
    // A third run would be contradicted by the same one of them, and so on for ever.
    if (isContradicted === true) return;
    // Somebody who has the time does all of it again.
    this.#acting = this.#acting
      .then(() => this.#desk?.run((books, now) => this.seconds.demand(books, client, done, now)))
      .catch((err: unknown) =>
        this.#ports.log.error({ err, client: client.id }, 'a second run could not be asked for'),
      );
  }

  /** @param conducts as they are on the disk; what waits to be written is added. */
  #remember(client: string, conducts: Conducts = new Map()): void {
    const own = new Map(conducts);
    for (const { contest, deed } of this.#waiting.get(client) ?? []) {
      if (deed.kind !== 'accepted') own.set(contest, after(own.get(contest) ?? UNKNOWN, deed));
    }
    this.#known.set(client, own);
  }
}

const isBarredInAny = (conducts: Conducts): boolean => [...conducts.values()].some(isBarred);

function byClient(rows: readonly ConductRow[]): Map<string, Map<string, Conduct>> {
  const conducts = new Map<string, Map<string, Conduct>>();
  for (const { client, contest, body } of rows) {
    if (contest === '') continue;
    const own = conducts.get(client) ?? new Map<string, Conduct>();
    own.set(contest, JSON.parse(body) as Conduct);
    conducts.set(client, own);
  }
  return conducts;
}

/** What is noted of all who use a name. No client's id begins so. */
const ACCOUNT = 'name:';
export const accountOf = (name: string): string => `${ACCOUNT}${name}`;
