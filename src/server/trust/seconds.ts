/**
 * Second runs: for what evidence cannot show, as a winning key that was left out, a share of the blocks that were done is done
 * again by somebody else, who gets it like any other block. Never by the same client, name, team, address or through the same proxy.
 *
 * Where two agree, the block is a known answer: those who are new, late with one, or not believed get it as an ordinary block
 * too. Whoever differs is wrong only where evidence or a core shows it: two who collude agree on anything. Maps show these
 * units as handed out, so that nobody can tell them from others.
 *
 * Addresses are told apart only of this process's own time: their hashes are under a key that it made.
 *
 * Only clients that come here themselves get such blocks: what a proxy fetches it splits as it likes.
 */
import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import type { ClientInfo } from '../../domain/client.ts';
import type { UnitRange } from '../../domain/units.ts';
import type { Report, UnitEvidence } from '../../domain/work.ts';
import type { ExchangeRequest } from '../../protocol/keyserver.ts';
import type { Book, Books, Kinds } from '../ledger/books.ts';
import type { Observer } from '../ledger/desk.ts';
import type { Grant } from '../ledger/grant.ts';
import type { Commit } from '../ledger/group-commit.ts';
import type { Source } from '../ledger/role.ts';
import type { Sender } from '../ledger/settle.ts';
import type { LedgerQueries } from '../store/queries.ts';
import type { SecondRunHead, SecondRunRow } from '../store/schema.ts';
import type { DoneWork, Suspect } from './checks.ts';
import { isBarred } from './conduct.ts';
import { isAnswerDue, secondRate } from './rates.ts';
import type { Trust } from './trust.ts';

/** Who did the block first, and what came of it. */
export interface FirstRun {
  client: Who;
  /** Hashed under a key that lives as long as the process. */
  address?: string | undefined;
  /** The proxy it came through. */
  via?: string | undefined;
  core: string;
  evidence: UnitEvidence[];
  /** Who has handed in the same since. */
  agreed?: Who[];
}

type FirstRunHead = Omit<FirstRun, 'evidence'>;

type Who = Pick<ClientInfo, 'id' | 'name' | 'team'>;

/** What a report of a block that was done before amounts to. */
export type Again = { outcome: 'agreed' } | { outcome: 'wrong'; detail: string };

export interface SecondsPorts {
  kinds: Kinds;
  random: () => number;
  trust: Trust;
  secondRuns?: number | undefined;
  observer?: Observer | undefined;
}

/** Of one contest: blocks that wait for a second run, and known answers that are kept. */
const MOST_WAITING = 1000;
const MOST_KNOWN = 64;
/** Of one block, those who are remembered to have handed in the same. */
const MOST_AGREED = 16;
/** Somebody who may have a block that waits gets it with this chance: nobody can tell when it comes. */
const OFFERED = 1 / 2;
/**
 * After so long a block may go to somebody else, if there is none that nobody has: most who come once never come back, and a few
 * hundred who only take would else keep all of them for as long as leases run. Who is late counts until then.
 */
const HELD_MS = 6 * 3_600_000;

interface Effect {
  passed: string[];
  wrong: { client: Who; detail: string; evidence: unknown }[];
  /** What only a core can tell. */
  spots: Suspect[];
  how: 'known-answer' | 'second-run';
  /** Contests of which nobody gets a known answer any more. */
  over: string[];
}

export class Seconds {
  readonly #ports: SecondsPorts;
  readonly #addressKey = randomBytes(32);
  /** Without evidence, which is much: it is read where it is needed. */
  #rows: { row: SecondRunHead; run: FirstRunHead }[] = [];
  /** What follows from a report once its commit is on the disk. */
  readonly #effects = new WeakMap<Report, Effect>();

  constructor(ports: SecondsPorts) {
    this.#ports = ports;
  }

  /** Reads what waits, and what other keymasters over the same ledger have added. */
  async read(ledger: LedgerQueries): Promise<void> {
    const heads = await ledger.trust.secondRunHeads();
    const here = new Map(this.#rows.map((one) => [one.row.id, one]));
    const isNew = ({ id, size }: SecondRunHead): boolean => here.get(id)?.row.size !== size;
    const bodies = new Map<string, FirstRunHead>();
    for (const head of heads.filter(isNew)) {
      const row = await ledger.trust.secondRun(head.id);
      if (row !== undefined) bodies.set(head.id, withoutEvidence(JSON.parse(row.body) as FirstRun));
    }
    this.#rows = heads.flatMap((row) => {
      const run = bodies.get(row.id) ?? here.get(row.id)?.run;
      return run === undefined ? [] : [{ row, run }];
    });
  }

  /** Nobody will do again what is of a contest that is over. */
  async prune(books: Books, now: number): Promise<void> {
    const over = this.#rows.filter(({ row }) => {
      const book = books.get(row.contest);
      return this.#isFree(row, now) && (book === undefined || book.row.closed_by !== null);
    });
    for (const { row } of over) await this.#delete(books.ledger, row.id);
  }

  /** By contest, the blocks that wait for a second run and the known answers. */
  figures(): Map<string, { waiting: number; known: number }> {
    const figures = new Map<string, { waiting: number; known: number }>();
    for (const { row } of this.#rows) {
      const of = figures.get(row.contest) ?? { waiting: 0, known: 0 };
      of[row.known === 1 ? 'known' : 'waiting'] += 1;
      figures.set(row.contest, of);
    }
    return figures;
  }

  /** Units that only look as if they were handed out. */
  hidden(contest: string): UnitRange[] {
    return this.#rows
      .filter(({ row }) => row.contest === contest)
      .map(({ row: { first, count } }) => ({ first, count }));
  }

  /** In the transaction that accepted a report: draws whether somebody else is to do it again. */
  async draw(books: Books, sender: Sender, worker: ClientInfo, report: Report, now: number): Promise<void> {
    const book = books.get(report.contest);
    if (book === undefined || book.row.closed_by !== null) return;
    const { trust, random, secondRuns = 1 } = this.#ports;
    const conduct = trust.conductOf(worker.id, report.contest);
    const isWatched = trust.isWatched(worker, report.contest);
    if (random() >= secondRuns * secondRate(book.manifest.search.kind, conduct, isWatched)) return;
    if (report.evidence.length > book.manifest.block.maxUnits) return;
    const waiting = this.#rows.filter(({ row }) => row.contest === report.contest && row.known === 0);
    if (waiting.length >= MOST_WAITING) return;
    await this.#enter(books.ledger, worker, report, now, {
      address: this.#hashed(sender),
      via: sender.isProxy ? sender.client.id : undefined,
    });
  }

  /** Somebody else is to do this report again, whatever else waits. */
  async demand(books: Books, client: Who, done: DoneWork, now: number): Promise<void> {
    const book = books.get(done.contest);
    if (book !== undefined && book.row.closed_by === null) await this.#enter(books.ledger, client, done, now, {});
  }

  async #enter(
    ledger: LedgerQueries,
    who: Who,
    { contest, first, core, evidence }: DoneWork,
    at: number,
    where: Pick<FirstRun, 'address' | 'via'>,
  ): Promise<void> {
    const run: FirstRun = { client: named(who), ...where, core, evidence };
    const free = { lease: null, holder: null, expires_at: null };
    const count = evidence.length;
    const row = { id: randomUUID(), at, contest, first, count, known: 0, ...free, body: JSON.stringify(run) };
    await ledger.trust.putSecondRun(row);
    this.#rows.push({ row: headOf(row), run: withoutEvidence(run) });
  }

  /** Blocks to be done again by this client, of the contests it wants. */
  async offer(
    { books, now }: Commit,
    sender: Sender,
    want: ExchangeRequest['want'],
    leaseSeconds: (book: Book) => number,
  ): Promise<Grant[]> {
    if (sender.isProxy || want.blocks === 0) return [];
    const { trust, random } = this.#ports;
    for (const { contest, units } of want.from) {
      const book = books.get(contest);
      if (book === undefined || book.row.closed_by !== null) continue;
      const conduct = trust.conductOf(sender.client.id, contest);
      const isDue = isAnswerDue(conduct, now);
      const isBarred = !trust.mayWork(sender.client.id, contest);
      if (isBarred && !isDue) continue;
      if (!isDue && random() >= OFFERED) continue;
      const may = this.#rows.filter(
        ({ row, run }) =>
          row.contest === contest && row.count <= units && this.#isFree(row, now) && this.#isOther(run, sender),
      );
      const known = isDue ? may.filter(({ row }) => row.known === 1) : [];
      const some = known.length > 0 ? known : may.filter(({ row }) => row.known === 0);
      const free = some.filter(({ row }) => row.lease === null);
      const from = free.length > 0 ? free : some;
      const chosen = from[Math.floor(random() * from.length)];
      if (chosen === undefined || (isBarred && chosen.row.known === 0)) continue;
      const { row } = chosen;
      const expiresAt = now + leaseSeconds(book) * 1000;
      const lease = { id: randomUUID(), contest, first: row.first, count: row.count, expiresAt };
      const heldUntil = Math.min(expiresAt, now + HELD_MS);
      Object.assign(row, { lease: lease.id, holder: sender.client.id, expires_at: heldUntil });
      await books.ledger.trust.leaseSecondRun(row);
      trust.note(sender.client.id, contest, { kind: 'tried', at: now });
      return [{ lease, source: EVERYTHING }];
    }
    return [];
  }

  /** A report of units that were done before. Undefined: nobody asked for it. */
  async settle({ books }: Commit, book: Book, sender: Sender, report: Report): Promise<Again | undefined> {
    const row = await books.ledger.trust.secondRunOf(report.lease);
    if (row === undefined || row.holder !== sender.client.id) return undefined;
    if (row.first !== report.first || row.count !== report.evidence.length) return undefined;
    const run = JSON.parse(row.body) as FirstRun;
    const kind = this.#ports.kinds[book.manifest.search.kind];
    const agreement = kind.compare(book.manifest, row.first, run.evidence, report.evidence);
    const isKnown = row.known === 1;
    const over = [...books.all()].filter(({ row: { closed_by, offered } }) => closed_by !== null || offered !== 1);
    const effect: Effect = {
      passed: [],
      wrong: [],
      spots: [],
      how: isKnown ? 'known-answer' : 'second-run',
      over: over.map((one) => one.row.name),
    };
    this.#effects.set(report, effect);
    // Nobody is accused of what cannot be proven: without a core two who collude would have it their way.
    const wrong = agreement.agree ? [] : agreement.wrong;
    const holds = wrong.length > 0 && !wrong.includes('first');
    const kept = this.#rows.filter((one) => one.row.contest === row.contest && one.row.known === 1);
    if (agreement.agree && (isKnown || kept.length < MOST_KNOWN)) {
      const agreed = [...(run.agreed ?? []), named(sender.client)].slice(0, MOST_AGREED);
      const body = JSON.stringify({ ...run, agreed });
      await this.#put(books.ledger, { ...row, body, known: 1, lease: null, holder: null, expires_at: null });
    } else if (isKnown && holds) {
      await this.#put(books.ledger, { ...row, lease: null, holder: null, expires_at: null });
    } else {
      // What somebody contradicts is no known answer any more: two who collude can have made it.
      await this.#delete(books.ledger, row.id);
    }
    if (agreement.agree) {
      effect.passed.push(sender.client.id, ...(isKnown ? [] : [run.client.id]));
      return { outcome: 'agreed' };
    }
    const { detail, spots } = agreement;
    const firsts = [run.client, ...(run.agreed ?? [])];
    if (wrong.includes('first')) {
      const evidence = { ...nameless(run), first: row.first, second: report };
      for (const client of firsts) effect.wrong.push({ client, detail, evidence });
    }
    if (spots !== undefined && wrong.length === 0) {
      const { manifest } = book;
      const isContradicted = true;
      const evidence = { first: nameless(run), second: report };
      for (const client of firsts) {
        effect.spots.push({
          client,
          manifest,
          spot: spots.first,
          done: { ...report, ...run },
          isContradicted,
          evidence,
        });
      }
      effect.spots.push({
        client: sender.client,
        manifest,
        spot: spots.second,
        done: report,
        isContradicted,
        evidence,
      });
    }
    if (!wrong.includes('second')) return { outcome: 'agreed' };
    effect.wrong.push({ client: sender.client, detail, evidence: { report, first: nameless(run) } });
    return { outcome: 'wrong', detail };
  }

  /** The commit with this report is on the disk. */
  applied(report: Report, at: number): void {
    const effect = this.#effects.get(report);
    if (effect === undefined) return;
    this.#effects.delete(report);
    const { trust, observer } = this.#ports;
    observer?.doneAgain?.(effect.how, effect.passed.length > 0);
    for (const id of effect.passed) {
      // Whoever was wrong in a contest that is over could not be right there any more.
      const alsoIn = effect.how === 'known-answer' ? effect.over : [];
      for (const contest of alsoIn.filter((name) => isBarred(trust.conductOf(id, name)))) {
        trust.note(id, contest, { kind: 'passed', at, how: effect.how });
      }
      trust.note(id, report.contest, { kind: 'passed', at, how: effect.how });
    }
    for (const spot of effect.spots) trust.checks.take(spot);
    for (const { client, detail, evidence } of effect.wrong) {
      trust.convict(client, report.contest, effect.how, detail, evidence);
    }
  }

  /** Of a client that was caught nothing waits any more, and nothing is a known answer: who agreed with it may be of its kind. */
  async forget(ledger: LedgerQueries, client: string, contest: string): Promise<void> {
    await this.read(ledger);
    const own = this.#rows.filter(({ row, run }) => row.contest === contest && run.client.id === client);
    for (const { row } of own) await this.#delete(ledger, row.id);
  }

  async #put(ledger: LedgerQueries, row: SecondRunRow): Promise<void> {
    await ledger.trust.putSecondRun(row);
    const here = this.#rows.find((one) => one.row.id === row.id);
    if (here === undefined) return;
    here.row = headOf(row);
    here.run = withoutEvidence(JSON.parse(row.body) as FirstRun);
  }

  async #delete(ledger: LedgerQueries, id: string): Promise<void> {
    await ledger.trust.deleteSecondRun(id);
    this.#rows = this.#rows.filter(({ row }) => row.id !== id);
  }

  #isFree({ lease, expires_at }: SecondRunHead, now: number): boolean {
    return lease === null || (expires_at ?? 0) <= now;
  }

  #isOther({ client, address, via, agreed = [] }: FirstRunHead, sender: Sender): boolean {
    const { id, name, team } = sender.client;
    if (client.id === id || via === id || agreed.some((one) => one.id === id)) return false;
    if (name !== undefined && client.name === name) return false;
    if (team !== undefined && client.team === team) return false;
    return address === undefined || address !== this.#hashed(sender);
  }

  #hashed({ address }: Sender): string | undefined {
    if (address === undefined) return undefined;
    return createHmac('sha256', this.#addressKey).update(address).digest('base64url');
  }
}

const named = ({ id, name, team }: Who): Who => ({
  id,
  ...(name === undefined ? {} : { name }),
  ...(team === undefined ? {} : { team }),
});

/** As it may stand in the case of somebody else. */
const nameless = ({ client, agreed = [], ...run }: FirstRun) => ({
  ...run,
  client: client.id,
  agreed: agreed.map(({ id }) => id),
});

const headOf = ({ body, ...row }: SecondRunRow): SecondRunHead => ({ ...row, size: body.length });

const withoutEvidence = ({ evidence: _evidence, ...run }: FirstRun): FirstRunHead => run;

const EVERYTHING: Source = { past: Number.MAX_SAFE_INTEGER, expiresAt: Number.MAX_SAFE_INTEGER };
