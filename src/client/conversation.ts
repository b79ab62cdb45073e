/**
 * The engine's conversation with the gateway: contests, states, reports in and leases out, leases given back. One at a
 * time, and each ends when its answer is kept, so that what is asked next always knows what came before.
 */
import type { Contest } from '../domain/contest.ts';
import type { Report } from '../domain/work.ts';
import { type ErrorCode, REPLY_CODES } from '../protocol/errors.ts';
import { type ExchangeReply, type ExchangeRequest, MAX_HOLDING } from '../protocol/keyserver.ts';
import { reportBatch } from '../protocol/report-batch.ts';
import { type Counter, isDue } from './counter.ts';
import type { Holdings } from './holdings.ts';
import { told } from './spoken.ts';

/** How often a paused engine looks how the contests stand, and a running one for new ones when all are closed. */
const STATES_MS = 60_000;
const NEW_CONTESTS_MS = 300_000;

/** The engine, as the conversation needs it. */
export interface Host {
  /** `on`: work is wanted. `queued`: another tab runs, and the reports are that tab's to send. */
  readonly phase: 'off' | 'queued' | 'on' | 'stopping';
  /** Whether it would ever work on this contest. */
  likes(contest: Contest): boolean;
  /** Whether calls may be made at all. */
  mayTalk(): boolean;
  /** What work it would like now. */
  wish(): ExchangeRequest['want'];
  /** What a kiosk has to say of itself, whether it should be said now, and that it was heard. */
  kiosk: { isDue(): boolean; word(): ExchangeRequest['kiosk']; said(): void };
  /** The keyserver has answered a wish. */
  onFill(): void;
  /** The keyserver wants it to work no more until a person says so. */
  onStop(reason: string): void;
  notice(text: string): void;
  onReportsWaiting(): void;
  /** These blocks will be dropped: whoever works on them may stop. */
  onDead(leases: readonly string[]): void;
  /** A conversation has ended; another may be due. */
  onEnd(): void;
}

export class Conversation {
  /** Of the day, for the person; as last told. */
  messages: readonly string[] = [];
  readonly #holdings: Holdings;
  readonly #counter: Counter;
  readonly #host: Host;
  #talking: Promise<void> | undefined;
  #contestsStale = true;
  #statesAt = 0;
  #toRelease: string[] = [];
  /** After a refusal reports go one by one, so that a bad one does not keep the others. */
  #oneByOne = false;

  constructor(holdings: Holdings, counter: Counter, host: Host) {
    this.#holdings = holdings;
    this.#counter = counter;
    this.#host = host;
  }

  /** Begins the next conversation if one is due. */
  talk(): void {
    if (this.#talking !== undefined || !this.#counter.mayCall || !this.#host.mayTalk()) return;
    const say = this.#nextToSay();
    if (say === undefined) return;
    this.#talking = say()
      .catch((error: unknown) => {
        this.#counter.stumbled();
        throw error;
      })
      .finally(() => {
        this.#talking = undefined;
        this.#host.onEnd();
      });
  }

  /** Resolves when nothing is on its way. */
  async idle(): Promise<void> {
    await this.#talking;
  }

  /** Forgets what kept it waiting. */
  hurry(): void {
    this.#counter.hurry();
    this.#statesAt = 0;
  }

  /** The contests remembered may have changed: asks for them before anything else. */
  renew(): void {
    this.#contestsStale = true;
  }

  /** Gives a lease back at the next opportunity. */
  release(lease: string): void {
    this.#toRelease.push(lease);
  }

  #nextToSay(): (() => Promise<void>) | undefined {
    const { contests } = this.#holdings;
    const on = this.#host.phase === 'on';
    if (this.#toRelease.length > 0) return () => this.#release();
    // Also where an operator has closed them for now: they are asked for until one opens.
    const noneOpen = !this.#open(contests);
    const none = contests.length === 0 || (on && noneOpen);
    if ((on && this.#contestsStale) || (none && this.#counter.mayAsk)) return () => this.#fetchContests();
    if (!on && isDue(this.#statesAt)) return () => this.#fetchStates();
    // While another tab runs, the reports are that tab's to send.
    const { kiosk } = this.#host;
    if (this.#host.phase === 'queued' && !kiosk.isDue()) return undefined;
    if (this.#host.phase === 'queued') return () => this.#exchange([], { blocks: 0, from: [] });
    const reports = this.#batch();
    const tooOld = this.#counter.tooOld !== undefined;
    const mayAsk = on && this.#counter.mayAsk;
    const want = mayAsk && !tooOld ? this.#host.wish() : { blocks: 0, from: [] };
    // One that is too old asks for nothing, now and then: whether it still is.
    if (reports.length === 0 && want.blocks === 0 && !(mayAsk && tooOld) && !kiosk.isDue()) return undefined;
    return () => this.#exchange(reports, want);
  }

  async #exchange(reports: Report[], want: ExchangeRequest['want']): Promise<void> {
    const kiosk = this.#host.kiosk.word();
    const reply = await this.#counter.exchange({ reports, want, ...(kiosk === undefined ? {} : { kiosk }) });
    if (reply === undefined) return this.#onNoReply(reports);
    if (kiosk !== undefined) this.#host.kiosk.said();
    if (want.blocks > 0) this.#host.onFill();
    await this.#apply(reply);
  }

  #open(contests: readonly Contest[]): boolean {
    return contests.some((contest) => contest.state.state === 'open' && this.#host.likes(contest));
  }

  #batch(): Report[] {
    const reports = [...this.#holdings.reports.values()];
    return this.#oneByOne ? reports.slice(0, 1) : reportBatch(reports, this.#holdings.leases.slice(0, MAX_HOLDING));
  }

  async #release(): Promise<void> {
    const leases = this.#toRelease.slice(0, 256);
    const reply = await this.#counter.call((keyserver, client) => keyserver.release({ client, leases }));
    // Refused: they are not this client's any more.
    if (reply !== undefined || this.#counter.refusal !== undefined) {
      this.#toRelease = this.#toRelease.slice(leases.length);
    }
  }

  async #fetchContests(): Promise<void> {
    const contests = await this.#counter.call((keyserver) => keyserver.contests());
    if (contests === undefined) return;
    this.#contestsStale = false;
    this.#statesAt = Date.now() + STATES_MS;
    this.#holdings.keep('contests', contests);
    this.#counter.askAt = this.#open(contests) ? 0 : Date.now() + NEW_CONTESTS_MS;
    await this.#dropDead();
  }

  async #fetchStates(): Promise<void> {
    this.#statesAt = Date.now() + STATES_MS;
    const status = await this.#counter.call((keyserver) => keyserver.status());
    if (status !== undefined && !this.#holdings.noteStates(status.contests)) await this.#fetchContests();
  }

  async #apply(reply: ExchangeReply): Promise<void> {
    this.#oneByOne = false;
    for (const { lease, outcome, detail } of reply.results) {
      const report = this.#holdings.reports.get(lease);
      if (report !== undefined && outcome === 'refused') {
        this.#host.notice(`The keyserver refused a block of ${report.contest}: ${detail ?? 'no reason given'}.`);
      }
    }
    // What was handed in makes room for more of the same.
    const accepted = reply.results.some(({ outcome }) => outcome === 'accepted');
    if (accepted && this.#counter.tooOld === undefined) this.#counter.askAt = 0;
    this.messages = reply.messages ?? [];
    if (told(reply, 'wait').length > 0) this.#holdings.keep('waitUntil', this.#counter.waitUntil);
    await this.#holdings.settle(reply.results);
    // What it holds from before; the leases of this very reply are meant to be worked.
    for (const { contest, reason } of told(reply, 'discard')) await this.#discard(contest, reason);
    await this.#holdings.add(reply.leases);
    if (!this.#holdings.noteStates(reply.contests)) this.#contestsStale = true;
    await this.#dropDead();
    const [stop] = told(reply, 'stop');
    if (stop !== undefined) this.#host.onStop(stop.reason);
  }

  async #discard(contest: string, reason: string): Promise<void> {
    const ids = [...this.#holdings.blocks.values()]
      .map(({ lease }) => lease)
      .filter((lease) => lease.contest === contest);
    if (ids.length === 0) return;
    this.#host.notice(`The keyserver takes the blocks of ${contest} back: ${reason.replace(/[.\s]+$/, '')}.`);
    await this.#drop(ids.map(({ id }) => id));
  }

  /** The exchange failed, or was refused as a whole. */
  async #onNoReply(reports: readonly Report[]): Promise<void> {
    if (reports.length > 0) this.#host.onReportsWaiting();
    const { refusal } = this.#counter;
    if (refusal === undefined) return;
    if (refusal.code === 'contest_unknown') {
      // The keyserver offers other contests than the ones remembered here.
      this.#contestsStale = true;
      this.#counter.retryAt = 0;
      return;
    }
    // That is said for as long as it lasts.
    if (refusal.code === 'protocol_unknown') return;
    this.#host.notice(`The gateway refused a request: ${refusal.message}.`);
    const [only] = reports;
    if (only === undefined || !blamesReport(refusal.code)) return;
    if (reports.length > 1) {
      this.#oneByOne = true;
      return;
    }
    const { code, message } = refusal;
    const result = { lease: only.lease, outcome: 'refused', code, detail: message, credited: 0, hits: [] } as const;
    await this.#holdings.settle([{ ...result, hits: [] }]);
  }

  /** Blocks of closed or vanished contests, and those whose lease has run out by the keyserver's clock. */
  async #dropDead(): Promise<void> {
    const { skewMs } = this.#counter;
    const dead = [...this.#holdings.blocks.values()].filter(
      ({ lease }) =>
        this.#holdings.contest(lease.contest)?.state.state !== 'open' ||
        (skewMs !== undefined && lease.expiresAt < Date.now() + skewMs),
    );
    await this.#drop(dead.map(({ lease }) => lease.id));
  }

  async #drop(leases: readonly string[]): Promise<void> {
    this.#host.onDead(leases);
    await this.#holdings.drop(leases);
  }
}

/** Whether the request was refused for what is in it; any other one waits until the keyserver takes it. */
function blamesReport(code: ErrorCode): boolean {
  return code === 'body_malformed' || code === 'body_too_large' || Math.floor(REPLY_CODES[code] / 50) === 8;
}
