/** The keyservers above a proxy, in order: the first that answers is spoken to. */
import { UnreachableError } from '../../protocol/errors.ts';
import type { Keyserver, UpstreamState } from '../../protocol/keyserver.ts';

export interface Upstream {
  url: string;
  keyserver: Keyserver;
}

export class Upstreams {
  readonly #all: readonly Upstream[];
  readonly #states: UpstreamState[];
  readonly #clock: () => number;

  /** @param fallback false: only the first, whatever happens. */
  constructor(all: readonly Upstream[], { fallback, clock }: { fallback: boolean; clock: () => number }) {
    this.#all = fallback ? all : all.slice(0, 1);
    this.#states = this.#all.map(({ url }) => ({ url, state: 'unknown' }));
    this.#clock = clock;
  }

  get states(): UpstreamState[] {
    return this.#states.map((state) => ({ ...state }));
  }

  /** @throws UnreachableError none of them answers; RefusedError the first that answers refuses. */
  async call<T>(ask: (keyserver: Keyserver) => Promise<T>): Promise<T> {
    let last = new UnreachableError('there is no upstream');
    for (const [i, { url, keyserver }] of this.#all.entries()) {
      try {
        const answer = await ask(keyserver);
        this.#states[i] = { url, state: 'reached', reachedAt: this.#clock() };
        return answer;
      } catch (error) {
        const { message } = error as Error;
        const { reachedAt } = this.#states[i] ?? {};
        const before = reachedAt === undefined ? {} : { reachedAt };
        if (!(error instanceof UnreachableError)) {
          this.#states[i] = { url, state: 'reached', reachedAt: this.#clock(), error: message };
          throw error;
        }
        this.#states[i] = { url, state: 'unreachable', ...before, error: message };
        last = error;
      }
    }
    throw last;
  }
}
