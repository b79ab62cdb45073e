/**
 * The way from one tier to the next: counts what goes over it, and is cut, or loses answers, when it is told to. The length
 * of a body is that of its JSON, before gzip.
 */
import { UnreachableError } from '../../../protocol/errors.ts';
import type { Keyserver } from '../../../protocol/keyserver.ts';

/** What came to one tier. */
export class Traffic {
  exchanges = 0;
  /** Those that wanted work, and those of them that got none. */
  asking = 0;
  inVain = 0;
  otherCalls = 0;
  failures = 0;
  bytesUp = 0;
  bytesDown = 0;
  reports = 0;
  leases = 0;

  get requests(): number {
    return this.exchanges + this.otherCalls;
  }

  /** Begins to count anew. */
  clear(): void {
    Object.assign(this, new Traffic());
  }
}

export class Link implements Keyserver {
  /** Troubles under way: it works while there is none. */
  cuts = 0;
  losesAnswers = false;
  readonly #to: () => Keyserver | undefined;
  readonly #traffic: Traffic;

  constructor(to: () => Keyserver | undefined, traffic: Traffic) {
    this.#to = to;
    this.#traffic = traffic;
  }

  exchange: Keyserver['exchange'] = async (request) => {
    const traffic = this.#traffic;
    const { length } = JSON.stringify(request);
    const reply = await this.#call((keyserver) => keyserver.exchange(request));
    traffic.exchanges += 1;
    traffic.bytesUp += length;
    traffic.bytesDown += reply.length;
    traffic.reports += request.reports.length;
    traffic.leases += reply.answer.leases.length;
    if (request.want.blocks > 0) traffic.asking += 1;
    if (request.want.blocks > 0 && reply.answer.leases.length === 0) traffic.inVain += 1;
    return this.#delivered(reply.answer);
  };

  release: Keyserver['release'] = (request) => this.#other((keyserver) => keyserver.release(request));
  contests: Keyserver['contests'] = () => this.#other((keyserver) => keyserver.contests());
  status: Keyserver['status'] = () => this.#other((keyserver) => keyserver.status());
  map: Keyserver['map'] = (query) => this.#other((keyserver) => keyserver.map(query));

  async #other<T>(ask: (keyserver: Keyserver) => Promise<T>): Promise<T> {
    const { answer, length } = await this.#call(ask);
    this.#traffic.otherCalls += 1;
    this.#traffic.bytesDown += length;
    return this.#delivered(answer);
  }

  async #call<T>(ask: (keyserver: Keyserver) => Promise<T>): Promise<{ answer: T; length: number }> {
    const keyserver = this.#to();
    if (this.cuts > 0 || keyserver === undefined) {
      this.#traffic.failures += 1;
      throw new UnreachableError('the link is cut');
    }
    const answer = await ask(keyserver);
    return { answer, length: JSON.stringify(answer).length };
  }

  #delivered<T>(answer: T): T {
    if (!this.losesAnswers) return answer;
    this.#traffic.failures += 1;
    throw new UnreachableError('the answer was lost');
  }
}
