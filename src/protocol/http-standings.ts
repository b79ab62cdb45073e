/** The standing over HTTP: for the page, and for a proxy that passes it on. Errors and checks are those of `http-keyserver.ts`. */
import type { TSchema } from 'typebox';
import { fetchJson, type HttpKeyserverOptions } from './http-keyserver.ts';
import {
  ContestRates,
  type RateSpan,
  SiteStanding,
  Standing,
  type StandingQuery,
  type Standings,
  TeamStanding,
} from './standing.ts';

/** Of a query, in the order in which a person would write it. */
const PARAMETERS = ['contest', 'span', 'from', 'limit', 'around'] as const;

/** Where it is, from the gateway's root on: a page shows it as a link. */
export function standingPath(query: StandingQuery, suffix: '' | '.csv' = ''): string {
  const parameters = new URLSearchParams();
  for (const name of PARAMETERS) if (query[name] !== undefined) parameters.set(name, String(query[name]));
  return `/api/v1/standing/${query.of}${suffix}?${parameters.toString()}`;
}

export const teamPath = (team: string, table: '' | '/members.csv' | '/days.csv' = ''): string =>
  `/api/v1/teams/${encodeURIComponent(team)}${table}`;

export const sitePath = (token: string): string => `/api/v1/sites/${encodeURIComponent(token)}`;

export const ratesPath = (contest: string, span: RateSpan, suffix: '' | '.csv' = ''): string =>
  `/api/v1/contests/${contest}/rates${suffix}?span=${span}`;

export class HttpStandings implements Standings {
  readonly #base: string;
  readonly #options: HttpKeyserverOptions;

  /** @param baseUrl as of `HttpKeyserver`. */
  constructor(baseUrl: string, options: HttpKeyserverOptions) {
    this.#base = baseUrl.replace(/\/+$/, '');
    this.#options = options;
  }

  standing(query: StandingQuery): Promise<Standing> {
    return this.#get(standingPath(query), Standing);
  }

  team(team: string, limit?: number): Promise<TeamStanding> {
    return this.#get(`${teamPath(team)}${limit === undefined ? '' : `?limit=${limit}`}`, TeamStanding);
  }

  site(token: string): Promise<SiteStanding> {
    return this.#get(sitePath(token), SiteStanding);
  }

  rates(contest: string, span: RateSpan): Promise<ContestRates> {
    return this.#get(ratesPath(contest, span), ContestRates);
  }

  #get<T extends TSchema>(path: string, schema: T) {
    return fetchJson(`${this.#base}${path}`, schema, this.#options);
  }
}
