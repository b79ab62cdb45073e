/**
 * A proxy's standing is that of the keyservers above it: its own ledger knows only what passed through it. What they said is kept
 * for a while, and longer where they do not answer: when it was made is said in it.
 */
import { UnreachableError } from '../../protocol/errors.ts';
import type {
  ContestRates,
  RateSpan,
  SiteStanding,
  Standing,
  StandingQuery,
  Standings,
  TeamStanding,
} from '../../protocol/standing.ts';
import { Kept } from './kept.ts';

const FRESH_MS = 10_000;
const PATIENCE_MS = 250;
const STALE_MS = 60_000;
/** The longest takes a megabyte or two; most take some kilobytes. */
const ANSWERS_KEPT = 64;

export interface PassedPorts {
  /** In order: the first that answers is believed. */
  upstreams: readonly Standings[];
  /** Whether it may speak with them now. */
  mayTalk: () => boolean;
  /** Milliseconds since 1970. */
  clock: () => number;
}

export class PassedStandings implements Standings {
  readonly #ports: PassedPorts;
  readonly #kept: Kept<unknown>;

  constructor(ports: PassedPorts) {
    this.#ports = ports;
    this.#kept = new Kept({
      clock: ports.clock,
      freshMs: FRESH_MS,
      patienceMs: PATIENCE_MS,
      staleMs: STALE_MS,
      most: ANSWERS_KEPT,
      outlives: true,
    });
  }

  standing(query: StandingQuery): Promise<Standing> {
    return this.#ask(['standing', query], (upstream) => upstream.standing(query));
  }

  team(team: string, limit?: number): Promise<TeamStanding> {
    return this.#ask(['team', team, limit], (upstream) => upstream.team(team, limit));
  }

  site(token: string): Promise<SiteStanding> {
    return this.#ask(['site', token], (upstream) => upstream.site(token));
  }

  rates(contest: string, span: RateSpan): Promise<ContestRates> {
    return this.#ask(['rates', contest, span], (upstream) => upstream.rates(contest, span));
  }

  #ask<T>(what: unknown, ask: (upstream: Standings) => Promise<T>): Promise<T> {
    return this.#kept.get(JSON.stringify(what), () => this.#call(ask)) as Promise<T>;
  }

  async #call<T>(ask: (upstream: Standings) => Promise<T>): Promise<T> {
    const { upstreams, mayTalk } = this.#ports;
    if (!mayTalk())
      throw new UnreachableError('the standing is kept at the keymaster, which this proxy may not ask now');
    for (const upstream of upstreams) {
      try {
        return await ask(upstream);
      } catch (error) {
        if (!(error instanceof UnreachableError)) throw error;
      }
    }
    throw new UnreachableError('the standing is kept at the keymaster, which does not answer');
  }
}
