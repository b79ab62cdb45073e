/**
 * A keyserver reached over HTTP: the client's half of the gateway in `src/server/http`.
 *
 * Every reply is validated before anyone sees it, with typebox's interpreter rather than its compiler: the PWA's
 * Content-Security-Policy forbids code made at run time. What comes out is a valid value, a RefusedError (a
 * problem document said so: repeating is useless) or an UnreachableError (no network, time-out, 5xx, 429, or an
 * answer that no gateway of ours would give, such as a captive portal's page: later it may succeed).
 */
import { type Static, type TSchema, Type } from 'typebox';
import { Value } from 'typebox/value';
import { Contest } from '../domain/contest.ts';
import { Problem, RefusedError, UnreachableError } from './errors.ts';
import { faultOf } from './fault.ts';
import { gzipped, namesGzip, worthGzip } from './gzip.ts';
import {
  Directive,
  ExchangeReply,
  type ExchangeRequest,
  type Keyserver,
  ReleaseReply,
  type ReleaseRequest,
  Status,
} from './keyserver.ts';
import { type MapQuery, mapPath, UnitMap } from './unit-map.ts';

export interface HttpKeyserverOptions {
  /** The platform's `fetch`, or a test's. */
  fetch: typeof globalThis.fetch;
  /** From the first byte sent to the last received; 20 s unless told. */
  timeoutMs?: number;
}

export const TIMEOUT_MS = 20_000;

const Contests = Type.Array(Contest);
const knownDirectives: readonly string[] = Directive.anyOf.map(({ properties }) => properties.do.const);

export class HttpKeyserver implements Keyserver {
  readonly #base: string;
  readonly #fetch: typeof globalThis.fetch;
  readonly #timeoutMs: number;
  /** Whether the server takes bodies in gzip: `unknown` until it says so in a reply, `no` for good once it refused one. */
  #gzip: 'unknown' | 'yes' | 'no' = 'unknown';

  /** @param baseUrl where the gateway's root is, such as `https://keys.example/`; '' in a page is its own origin. */
  constructor(baseUrl: string, options: HttpKeyserverOptions) {
    this.#base = baseUrl.replace(/\/+$/, '');
    this.#fetch = options.fetch;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  }

  exchange(request: ExchangeRequest): Promise<ExchangeReply> {
    return this.#call('exchange', ExchangeReply, request);
  }

  release(request: ReleaseRequest): Promise<ReleaseReply> {
    return this.#call('release', ReleaseReply, request);
  }

  contests(): Promise<Contest[]> {
    return this.#call('contests', Contests);
  }

  status(): Promise<Status> {
    return this.#call('status', Status);
  }

  map(query: MapQuery): Promise<UnitMap> {
    return this.#call(mapPath(query), UnitMap);
  }

  async #call<T extends TSchema>(route: string, schema: T, body?: unknown): Promise<Static<T>> {
    const url = `${this.#base}/api/v1/${route}`;
    return answered(url, schema, () => this.#send(url, body === undefined ? undefined : JSON.stringify(body)));
  }

  async #send(url: string, body: string | undefined): Promise<Response> {
    const compress = body !== undefined && this.#gzip === 'yes' && worthGzip(body);
    const headers = { 'content-type': 'application/json', ...(compress ? { 'content-encoding': 'gzip' } : {}) };
    // A browser's fetch must not be called as a method of something else.
    const fetch = this.#fetch;
    const response = await fetch(url, {
      signal: AbortSignal.timeout(this.#timeoutMs),
      cache: 'no-store',
      ...(body === undefined ? {} : { method: 'POST', headers, body: compress ? await gzipped(body) : body }),
    });
    if (compress && response.status === 415) {
      this.#gzip = 'no';
      await response.body?.cancel();
      return this.#send(url, body);
    }
    if (this.#gzip === 'unknown' && namesGzip(response.headers.get('accept-encoding'))) this.#gzip = 'yes';
    return response;
  }
}

/** Asks once; with a body: posts it. Errors as above. */
export function fetchJson<T extends TSchema>(
  url: string,
  schema: T,
  { fetch, timeoutMs = TIMEOUT_MS }: HttpKeyserverOptions,
  body?: unknown,
): Promise<Static<T>> {
  const signal = AbortSignal.timeout(timeoutMs);
  if (body === undefined) return answered(url, schema, () => fetch(url, { signal }));
  const headers = { 'content-type': 'application/json' };
  return answered(url, schema, () => fetch(url, { signal, method: 'POST', headers, body: JSON.stringify(body) }));
}

async function answered<T extends TSchema>(url: string, schema: T, send: () => Promise<Response>): Promise<Static<T>> {
  let response: Response;
  let text: string;
  try {
    response = await send();
    text = await response.text();
  } catch (cause) {
    throw new UnreachableError(`${url} does not answer`, { cause });
  }
  const json = parsed(text);
  if (!response.ok) throw refusal(url, response, json);
  passOverUnknown(json);
  if (!Value.Check(schema, json)) {
    const fault = faultOf(schema, json);
    throw new UnreachableError(`${url} answered what no keyserver would: ${fault?.pointer} ${fault?.message}`);
  }
  return json;
}

/** A later keyserver may know directives that this client does not: they are not for it. */
function passOverUnknown(reply: unknown): void {
  if (typeof reply !== 'object' || reply === null || !('directives' in reply)) return;
  if (!Array.isArray(reply.directives)) return;
  const directives = reply.directives as ({ do?: unknown } | null)[];
  reply.directives = directives.filter((one) => typeof one?.do !== 'string' || knownDirectives.includes(one.do));
}

function refusal(url: string, response: Response, json: unknown): RefusedError | UnreachableError {
  const { status } = response;
  const problem = Value.Check(Problem, json) ? json : undefined;
  if (problem !== undefined && status < 500 && status !== 408 && status !== 429) {
    return new RefusedError(problem.code, problem.detail, { status, field: problem.field });
  }
  return new UnreachableError(`${url} answered ${status}: ${problem?.detail ?? 'no reason given'}`, {
    retryAfterSeconds: retryAfter(response.headers.get('retry-after')),
    status,
  });
}

/** Seconds from a Retry-After header in either of its forms (RFC 9110, 10.2.3). */
function retryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  const seconds = /^\d+$/.test(header.trim()) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
