/**
 * The client's side of the gateway's counter: one call at a time, with back-off after failures. Knows when the gateway
 * may be asked again, and why not sooner: it failed, it had no work, it asked to wait, it needs a newer version of us.
 * Keeps nothing else.
 */
import type { ClientInfo } from '../domain/client.ts';
import { Backoff, LONGEST_WAIT_MS } from '../protocol/backoff.ts';
import { RefusedError, UnreachableError } from '../protocol/errors.ts';
import type { ExchangeReply, ExchangeRequest, Keyserver } from '../protocol/keyserver.ts';
import { isOlder } from '../protocol/version.ts';
import type { PooledKeyserver } from './ports.ts';
import type { EngineSnapshot } from './snapshot.ts';
import { SPOKEN, told } from './spoken.ts';

/** The least wait before asking again where there was no work. */
const NO_WORK_MS = 5_000;
/** Of several gateways one is soon back: for so long after the first failure none of the waits is longer than that. */
const SOON_MS = 2_000;
const SOON_FOR_MS = 60_000;
/** How often a client that is too old looks whether it still is. */
const TOO_OLD_MS = 300_000;

export class Counter {
  /** No call before this time: the gateway did not answer, or refused. Milliseconds since 1970. */
  retryAt = 0;
  /** No asking for work before this time: there was none. Reports go out meanwhile. */
  askAt = 0;
  /** No call before this time, whoever asks for it: the keyserver said so. */
  waitUntil = 0;
  /** Set while the keyserver wants a newer version of the client, with the least that will do where it said. */
  tooOld: { version?: string } | undefined;
  gateway: EngineSnapshot['gateway'] = { state: 'unknown' };
  /** Why the last call was refused; undefined when it was not. */
  refusal: RefusedError | undefined;
  /** The keyserver's clock minus ours, in milliseconds; undefined until it was heard. */
  skewMs: number | undefined;

  readonly #keyserver: PooledKeyserver;
  /** What it says of itself with the next call. */
  client: ClientInfo;
  readonly #backoff = new Backoff();
  #failingSince: number | undefined;

  constructor(keyserver: PooledKeyserver, client: ClientInfo) {
    this.#keyserver = keyserver;
    this.client = client;
  }

  get mayCall(): boolean {
    return isDue(this.retryAt) && isDue(this.waitUntil);
  }

  get mayAsk(): boolean {
    return isDue(this.askAt);
  }

  /** Forgets the waits but the one it was told: the person asked, or the network is back. */
  hurry(): void {
    this.retryAt = 0;
    this.askAt = 0;
    this.#backoff.reset();
  }

  /** One call to the keyserver; undefined when it failed: `gateway`, `refusal` and `retryAt` say how. */
  async call<T>(ask: (keyserver: Keyserver, client: ClientInfo) => Promise<T>): Promise<T | undefined> {
    this.refusal = undefined;
    try {
      const answer = await ask(this.#keyserver, this.client);
      this.gateway = { state: 'reached', reachedAt: Date.now(), ...this.#keyserver.through };
      this.retryAt = 0;
      this.#failingSince = undefined;
      this.#backoff.reset();
      return answer;
    } catch (error) {
      if (error instanceof RefusedError) {
        this.refusal = error;
        const { through } = this.#keyserver;
        this.gateway = { state: 'reached', reachedAt: Date.now(), error: error.message, ...through };
        this.retryAt = Date.now() + this.#backoff.next();
        if (error.code === 'protocol_unknown') this.tooOld = {};
      } else if (error instanceof UnreachableError) {
        this.gateway = { ...this.gateway, state: 'unreachable', error: error.message };
        this.#failingSince ??= Date.now();
        const wait = this.#backoff.next(error.retryAfterSeconds);
        const isSoon = this.#keyserver.hasOthers === true && Date.now() - this.#failingSince < SOON_FOR_MS;
        this.retryAt = Date.now() + (isSoon ? Math.min(SOON_MS, wait) : wait);
      } else {
        throw error;
      }
      return undefined;
    }
  }

  /** Something went wrong that is nobody's answer: it must not be tried again at once, and for ever. */
  stumbled(): void {
    this.retryAt = Date.now() + this.#backoff.next();
  }

  async exchange(request: Omit<ExchangeRequest, 'client' | 'protocols'>): Promise<ExchangeReply | undefined> {
    const reply = await this.call((keyserver, client) =>
      keyserver.exchange({ protocols: [...SPOKEN], client, ...request }),
    );
    if (reply === undefined) return undefined;
    this.skewMs = reply.now - Date.now();
    const empty = request.want.blocks > 0 && reply.leases.length === 0;
    if (empty) this.#askIn(Math.max(NO_WORK_MS, reply.retryAfterSeconds * 1000));
    this.waitUntil = waitUntilOf(reply) ?? this.waitUntil;
    const { version } = this.client;
    const update = told(reply, 'update').find((directive) => isOlder(version, directive.version));
    this.tooOld = update === undefined ? undefined : { version: update.version };
    if (update !== undefined) this.#askIn(TOO_OLD_MS);
    return reply;
  }

  #askIn(waitMs: number): void {
    this.askAt = Date.now() + Math.min(LONGEST_WAIT_MS, waitMs);
  }
}

/** Until when the reply asks to wait, milliseconds since 1970. */
export function waitUntilOf(reply: ExchangeReply): number | undefined {
  const waits = told(reply, 'wait').map(({ seconds }) => seconds * 1000);
  return waits.length === 0 ? undefined : Date.now() + Math.min(LONGEST_WAIT_MS, Math.max(...waits));
}

/**
 * Whether a time, in milliseconds since 1970, has come; Infinity never does. Nothing waits longer than LONGEST_WAIT_MS: a
 * wait that seems to is a clock that was set back.
 */
export function isDue(at: number): boolean {
  const waitMs = at - Date.now();
  return waitMs <= 0 || (waitMs > LONGEST_WAIT_MS && waitMs !== Number.POSITIVE_INFINITY);
}
