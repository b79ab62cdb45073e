/**
 * The client's side of the gateway's counter: one exchange at a time, when one is due, with back-off after
 * failures. Knows when it may ask again, and why not sooner; keeps nothing else.
 */
import { RefusedError, UnreachableError } from '../protocol/errors.ts';
import type { ClientInfo, ExchangeReply, ExchangeRequest, Keyserver } from '../protocol/keyserver.ts';
import { Backoff } from './backoff.ts';
import type { EngineSnapshot } from './snapshot.ts';

/** The least wait before asking again where there was no work. */
const NO_WORK_MS = 5_000;

export class Counter {
  /** No exchange before this time: the gateway did not answer, or refused. */
  retryAt = 0;
  /** No asking for work before this time: there was none. Reports go out meanwhile. */
  askAt = 0;
  gateway: EngineSnapshot['gateway'] = { state: 'unknown' };
  /** The keyserver's clock minus ours, in milliseconds; undefined until it was heard. */
  skewMs: number | undefined;

  readonly #keyserver: Keyserver;
  readonly #client: ClientInfo;
  readonly #backoff = new Backoff();
  #busy = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(keyserver: Keyserver, client: ClientInfo) {
    this.#keyserver = keyserver;
    this.#client = client;
  }

  get busy(): boolean {
    return this.#busy;
  }

  /** Resolves when no call is on its way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** Forgets the waits: the person asked, or the network is back. */
  hurry(): void {
    this.retryAt = 0;
    this.askAt = 0;
    this.#backoff.reset();
  }

  /** One call to the keyserver; undefined when it failed, and `gateway` and `retryAt` say how. */
  call<T>(ask: (keyserver: Keyserver, client: ClientInfo) => Promise<T>): Promise<T | undefined> {
    const call = this.#call(ask);
    this.#running = call.catch(() => undefined);
    return call;
  }

  async #call<T>(ask: (keyserver: Keyserver, client: ClientInfo) => Promise<T>): Promise<T | undefined> {
    this.#busy = true;
    try {
      const answer = await ask(this.#keyserver, this.#client);
      this.gateway = { state: 'reached', reachedAt: Date.now() };
      this.retryAt = 0;
      this.#backoff.reset();
      return answer;
    } catch (error) {
      if (!(error instanceof UnreachableError || error instanceof RefusedError)) throw error;
      const asked = error instanceof UnreachableError ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
      this.retryAt = Date.now() + Math.max(this.#backoff.next(), asked);
      this.gateway = { ...this.gateway, state: 'unreachable', error: error.message };
      return undefined;
    } finally {
      this.#busy = false;
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
