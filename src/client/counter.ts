/**
 * The client's side of the gateway's counter: one call at a time, with back-off after failures. Knows when the gateway
 * may be asked again, and why not sooner; keeps nothing else.
 */
import type { ClientInfo } from '../domain/client.ts';
import { RefusedError, UnreachableError } from '../protocol/errors.ts';
import type { ExchangeReply, ExchangeRequest, Keyserver } from '../protocol/keyserver.ts';
import { Backoff } from './backoff.ts';
import type { EngineSnapshot } from './snapshot.ts';

/** The least wait before asking again where there was no work. */
const NO_WORK_MS = 5_000;
/** Nothing waits longer; a wait that seems to is a clock that was set back. */
const LONGEST_MS = 600_000;

export class Counter {
  /** No call before this time: the gateway did not answer, or refused. Milliseconds since 1970. */
  retryAt = 0;
  /** No asking for work before this time: there was none. Reports go out meanwhile. */
  askAt = 0;
  gateway: EngineSnapshot['gateway'] = { state: 'unknown' };
  /** Why the last call was refused; undefined when it was not. */
  refusal: RefusedError | undefined;
  /** The keyserver's clock minus ours, in milliseconds; undefined until it was heard. */
  skewMs: number | undefined;

  readonly #keyserver: Keyserver;
  readonly #client: ClientInfo;
  readonly #backoff = new Backoff();

  constructor(keyserver: Keyserver, client: ClientInfo) {
    this.#keyserver = keyserver;
    this.#client = client;
  }

  get mayCall(): boolean {
    return isDue(this.retryAt);
  }

  get mayAsk(): boolean {
    return isDue(this.askAt);
  }

  /** Forgets the waits: the person asked, or the network is back. */
  hurry(): void {
    this.retryAt = 0;
    this.askAt = 0;
    this.#backoff.reset();
  }

  /** One call to the keyserver; undefined when it failed: `gateway`, `refusal` and `retryAt` say how. */
  async call<T>(ask: (keyserver: Keyserver, client: ClientInfo) => Promise<T>): Promise<T | undefined> {
    this.refusal = undefined;
    try {
      const answer = await ask(this.#keyserver, this.#client);
      this.gateway = { state: 'reached', reachedAt: Date.now() };
      this.retryAt = 0;
      this.#backoff.reset();
      return answer;
    } catch (error) {
      if (error instanceof RefusedError) {
        this.refusal = error;
        this.gateway = { state: 'reached', reachedAt: Date.now(), error: error.message };
        this.retryAt = Date.now() + this.#backoff.next();
      } else if (error instanceof UnreachableError) {
        this.gateway = { ...this.gateway, state: 'unreachable', error: error.message };
        this.retryAt = Date.now() + Math.max(this.#backoff.next(), (error.retryAfterSeconds ?? 0) * 1000);
      } else {
        throw error;
      }
      return undefined;
    }
  }

  async exchange(request: Omit<ExchangeRequest, 'client'>): Promise<ExchangeReply | undefined> {
    const reply = await this.call((keyserver, client) => keyserver.exchange({ client, ...request }));
    if (reply === undefined) return undefined;
    this.skewMs = reply.now - Date.now();
    const empty = request.want.blocks > 0 && reply.leases.length === 0;
    if (empty) this.askAt = Date.now() + Math.max(NO_WORK_MS, reply.retryAfterSeconds * 1000);
    return reply;
  }
}

/** Whether a time, in milliseconds since 1970, has come; Infinity never does. */
export function isDue(at: number): boolean {
  const waitMs = at - Date.now();
  return waitMs <= 0 || (waitMs > LONGEST_MS && waitMs !== Number.POSITIVE_INFINITY);
}
