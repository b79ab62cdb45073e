/** The administration API as the command line calls it: one request, its answer, or an error that is a sentence. */
import { readFile } from 'node:fs/promises';
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { AdminToken } from '../../protocol/administration.ts';
import { Problem, RefusedError, UnreachableError } from '../../protocol/errors.ts';
import { faultOf } from '../../protocol/fault.ts';

/** A revoked proxy may hold much, and a large ledger takes its time to be recounted. */
const TIMEOUT_MS = 120_000;

export interface Access {
  at: string;
  token?: string;
  tokenFile?: string;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH';

export class AdminApi {
  readonly #base: string;
  readonly #token: string;

  private constructor(base: string, token: string) {
    this.#base = base;
    this.#token = token;
  }

  static async open({ at, token, tokenFile }: Access): Promise<AdminApi> {
    if (!URL.canParse(at) || !/^https?:/.test(at)) throw new Error(`${at} is not the address of a keymaster`);
    const given = token ?? (tokenFile === undefined ? undefined : (await readFile(tokenFile, 'utf8')).trim());
    if (given === undefined) {
      throw new Error('the administration token is missing: give --token-file, TABHERD_ADMIN_TOKEN, or --token');
    }
    if (!Value.Check(AdminToken, given)) {
      throw new Error('an administration token has at least 16 characters, none of them a blank');
    }
    return new AdminApi(`${at.replace(/\/+$/, '')}/admin/v1`, given);
  }

  /**
   * @throws RefusedError the keymaster refused it.
   * @throws UnreachableError it gave no answer, or none that a keymaster gives.
   */
  async call<T extends TSchema>(schema: T, method: Method, path: string, body?: unknown): Promise<Static<T>> {
    const url = `${this.#base}/${path}`;
    let response: Response;
    let text: string;
    try {
      response = await fetch(url, {
        method,
        headers: {
          authorization: `Bearer ${this.#token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      text = await response.text();
    } catch (cause) {
      throw new UnreachableError(`${url} does not answer`, { cause });
    }
    const json = parsed(text);
    if (!response.ok) throw refusal(url, response.status, json);
    if (Value.Check(schema, json)) return json;
    const fault = faultOf(schema, json);
    throw new UnreachableError(`${url} answered what no keymaster would: ${fault?.pointer} ${fault?.message}`);
  }
}

function refusal(url: string, status: number, json: unknown): RefusedError | UnreachableError {
  if (!Value.Check(Problem, json)) return new UnreachableError(`${url} answered ${status}`);
  const { code, detail, field } = json;
  if (status >= 500) return new UnreachableError(`${url} answered ${status}: ${detail}`);
  const isAbsent = status === 404 && detail.startsWith('there is nothing at');
  const said = isAbsent ? 'this keyserver has no administration: it was started without a token' : detail;
  return new RefusedError(code, said, { status, field });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
