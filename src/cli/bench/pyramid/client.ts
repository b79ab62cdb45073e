/**
 * A client, modelled: the engine's rules without its workers. It asks by `client/stock.ts`, reports as soon as a block is
 * done, backs off as the engine does, drops blocks whose lease has run out; only the time that work takes is made up.
 */
import { learn, wanted } from '../../../client/stock.ts';
import type { ClientInfo } from '../../../domain/client.ts';
import type { Contest } from '../../../domain/contest.ts';
import type { Lease, Report } from '../../../domain/work.ts';
import { Backoff } from '../../../protocol/backoff.ts';
import { UnreachableError } from '../../../protocol/errors.ts';
import { type ExchangeReply, type ExchangeRequest, type Keyserver, MAX_HOLDING } from '../../../protocol/keyserver.ts';
import { reportBatch } from '../../../protocol/report-batch.ts';
import type { Random } from '../random.ts';
import type { Audit } from './audit.ts';
import { simulatedReport } from './contest.ts';
import type { Habits, Session } from './habits.ts';

interface Hand {
  lease: Lease;
  /** Of the whole block, and what is left of it when it was begun or resumed. */
  seconds: number;
  left: number;
  /** Milliseconds since 1970; Infinity while the session is over. */
  endsAt: number;
}

/** How much one block's speed differs from the machine's: others want its processor, too. */
const UNEVEN = 0.1;
const NO_WORK_MS = 5_000;

export interface ClientPorts {
  info: ClientInfo;
  keyserver: Keyserver;
  habits: Habits;
  workers: number;
  /** Of one worker. */
  unitsPerSecond: number;
  random: Random;
  audit: Audit;
}

export class SimulatedClient {
  readonly #ports: ClientPorts;
  readonly #backoff: Backoff;
  readonly #sessions: Session[];
  readonly #hands: (Hand | undefined)[];
  #session: Session | undefined;
  #queue: Lease[] = [];
  #reports: Report[] = [];
  /** When the leases of the reports run out. */
  readonly #expiries = new Map<string, number>();
  #contest: Contest | undefined;
  #speed: number;
  #retryAt = 0;
  #askAt = 0;

  constructor(ports: ClientPorts) {
    this.#ports = ports;
    this.#backoff = new Backoff(ports.random);
    this.#sessions = [...ports.habits.sessions];
    this.#hands = Array.from({ length: ports.workers }, () => undefined);
    // The choice of a core has timed it.
    this.#speed = ports.unitsPerSecond;
  }

  /** Seconds of its own work that it holds; undefined while it is not at work. */
  get stockSeconds(): number | undefined {
    if (this.#session === undefined) return undefined;
    const { workers, unitsPerSecond } = this.#ports;
    const queued = this.#queue.reduce((sum, { count }) => sum + count / unitsPerSecond, 0);
    return (queued + this.#hands.reduce((sum, hand) => sum + (hand?.left ?? 0), 0)) / workers;
  }

  /** Units that it has finished and not reported. */
  get unsentUnits(): number {
    return this.#reports.reduce((sum, { evidence }) => sum + evidence.length, 0);
  }

  get isIdle(): boolean {
    return this.#session !== undefined && this.#hands.every((hand) => hand === undefined);
  }

  /** When something happens next, milliseconds since 1970. */
  next(now: number): number {
    if (this.#session === undefined) return this.#sessions[0]?.from ?? Number.POSITIVE_INFINITY;
    const ends = this.#hands.map((hand) => hand?.endsAt ?? Number.POSITIVE_INFINITY);
    const talksAt = this.#hasToSay()
      ? Math.max(this.#retryAt, this.#reports.length > 0 ? 0 : this.#askAt, now)
      : Number.POSITIVE_INFINITY;
    return Math.min(this.#session.to, talksAt, ...ends);
  }

  /** Does what is due. */
  async act(now: number): Promise<void> {
    if (this.#session === undefined) this.#begin(now);
    if (this.#session === undefined) return;
    const until = Math.min(now, this.#session.to);
    this.#work(until);
    if (this.#session.connected) await this.#talk(now, this.#session.to > now);
    this.#takeUp(until);
    if (this.#session.to <= now) this.#end(this.#session.to);
  }

  #begin(now: number): void {
    const next = this.#sessions[0];
    if (next === undefined || next.from > now) return;
    this.#session = next;
    this.#sessions.shift();
    for (const hand of this.#hands) if (hand !== undefined) hand.endsAt = next.from + hand.left * 1000;
    this.#takeUp(next.from);
    if (next.connected) this.#contest = undefined;
  }

  #end(at: number): void {
    this.#session = undefined;
    for (const hand of this.#hands) {
      if (hand === undefined) continue;
      hand.left = (hand.endsAt - at) / 1000;
      hand.endsAt = Number.POSITIVE_INFINITY;
    }
    if (this.#sessions.length > 0 || !this.#ports.habits.leaves) return;
    const { audit } = this.#ports;
    for (const hand of this.#hands) if (hand !== undefined) this.#waste(hand);
    const held = [...this.#queue, ...this.#hands.flatMap((hand) => hand?.lease ?? [])];
    audit.abandoned += held.reduce((sum, { count }) => sum + count, 0);
    audit.expired += held.length + this.#reports.length;
    audit.neverSent += this.#reports.reduce((sum, { evidence }) => sum + evidence.length, 0);
  }

  /** Finishes what is finished by then, one block after the other. */
  #work(until: number): void {
    const { audit, info } = this.#ports;
    for (const [i, hand] of this.#hands.entries()) {
      for (let current = hand; current !== undefined && current.endsAt <= until; current = this.#hands[i]) {
        const { lease, seconds, endsAt } = current;
        this.#speed = learn(this.#speed, lease.count, seconds);
        this.#reports.push(simulatedReport(lease, seconds));
        this.#expiries.set(lease.id, lease.expiresAt);
        audit.finished(info.id, lease, endsAt);
        this.#hands[i] = this.#nextHand(endsAt);
      }
      const rest = this.#hands[i];
      if (rest !== undefined) rest.left = Math.min(rest.left, Math.max(0, (rest.endsAt - until) / 1000));
    }
  }

  #takeUp(at: number): void {
    for (const [i, hand] of this.#hands.entries()) if (hand === undefined) this.#hands[i] = this.#nextHand(at);
  }

  #nextHand(at: number): Hand | undefined {
    const lease = this.#queue.shift();
    if (lease === undefined) return undefined;
    const { unitsPerSecond, random } = this.#ports;
    const seconds = lease.count / (unitsPerSecond * (1 + UNEVEN * (2 * random() - 1)));
    return { lease, seconds, left: seconds, endsAt: at + seconds * 1000 };
  }

  #hasToSay(): boolean {
    if (this.#session?.connected !== true) return false;
    return this.#contest === undefined || this.#reports.length > 0 || this.#wish().blocks > 0;
  }

  #wish(): ExchangeRequest['want'] {
    if (this.#contest === undefined) return { blocks: 0, from: [] };
    const held = [...this.#queue, ...this.#hands.flatMap((hand) => hand?.lease ?? [])];
    const want = wanted({
      contests: [this.#contest],
      speeds: { [this.#contest.manifest.name]: this.#speed },
      workers: this.#ports.workers,
      blocks: held.map(({ contest }) => contest),
    });
    const holding = [...held.map(({ id }) => id), ...this.#reports.map(({ lease }) => lease)];
    return { ...want, holding: holding.slice(0, MAX_HOLDING) };
  }

  async #talk(now: number, stays: boolean): Promise<void> {
    try {
      while (this.#retryAt <= now) {
        if (this.#contest === undefined && stays) {
          this.#contest = (await this.#ports.keyserver.contests())[0];
          if (this.#contest === undefined) return;
        }
        const wish = stays && this.#askAt <= now ? this.#wish() : { blocks: 0, from: [] };
        const reports = reportBatch(this.#reports);
        if (reports.length === 0 && wish.blocks === 0) return;
        const { keyserver, info } = this.#ports;
        const protocols = ['keyserver<-client/2'];
        const reply = await keyserver.exchange({ protocols, client: info, reports, want: wish });
        this.#backoff.reset();
        if (wish.blocks > 0 && reply.leases.length === 0) {
          this.#askAt = now + Math.max(NO_WORK_MS, reply.retryAfterSeconds * 1000);
        }
        this.#apply(reply, reports, now);
        this.#takeUp(now);
      }
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error;
      this.#retryAt = now + this.#backoff.next(error.retryAfterSeconds);
    }
  }

  #apply(reply: ExchangeReply, reports: readonly Report[], now: number): void {
    const { audit, info } = this.#ports;
    for (const [i, result] of reply.results.entries()) {
      audit.answered(info.id, reports[i]?.evidence.length ?? 0, result);
      if (result.outcome === 'accepted') this.#askAt = 0;
      const isLate = (this.#expiries.get(result.lease) ?? now) < now;
      this.#expiries.delete(result.lease);
      if (!isLate) continue;
      audit.expired += 1;
      audit.late += 1;
    }
    this.#reports = this.#reports.filter((report) => !reports.includes(report));
    this.#drop(now);
    for (const lease of reply.leases) {
      audit.given(lease);
      this.#queue.push(lease);
    }
    const state = reply.contests.find(({ name }) => name === this.#contest?.manifest.name);
    if (state !== undefined && this.#contest !== undefined) this.#contest = { ...this.#contest, state };
  }

  /** Blocks whose lease has run out. */
  #drop(now: number): void {
    const { audit } = this.#ports;
    const before = this.#queue.length;
    this.#queue = this.#queue.filter(({ expiresAt }) => expiresAt >= now);
    audit.expired += before - this.#queue.length;
    for (const [i, hand] of this.#hands.entries()) {
      if (hand === undefined || hand.lease.expiresAt >= now) continue;
      audit.expired += 1;
      this.#waste(hand);
      this.#hands[i] = undefined;
    }
  }

  #waste({ lease, seconds, left }: Hand): void {
    this.#ports.audit.unfinished += lease.count * (1 - left / seconds);
  }
}
