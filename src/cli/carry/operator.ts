/** An operator's calls to a keyserver that runs, with its administration token: `server/http/carry-routes.ts`. */
import { readFile } from 'node:fs/promises';
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { type BlocksFile, type Carrier, ReportsFile, Taken, type Wish } from '../../protocol/buffers-file.ts';
import { Problem } from '../../protocol/errors.ts';
import { faultOf } from '../../protocol/fault.ts';
import { gzipped } from '../../protocol/gzip.ts';
import { ExchangeReply, type ExchangeRequest } from '../../protocol/keyserver.ts';

export interface Access {
  token?: string;
  tokenFile?: string;
}

/** A file may have hundreds of thousands of reports. */
const TIMEOUT_MS = 280_000;

export class Operator implements Carrier {
  readonly #base: string;
  readonly #access: Access;

  constructor(base: string, access: Access) {
    this.#base = base.replace(/\/+$/, '');
    this.#access = access;
  }

  exchange(request: ExchangeRequest): Promise<ExchangeReply> {
    return this.#call('exchange', request, ExchangeReply);
  }

  handUp(want?: readonly Wish[]): Promise<ReportsFile> {
    return this.#call('reports', want === undefined ? {} : { want }, ReportsFile);
  }

  take(file: BlocksFile): Promise<Taken> {
    return this.#call('blocks', file, Taken);
  }

  async #call<T extends TSchema>(route: string, body: unknown, schema: T): Promise<Static<T>> {
    const response = await fetch(`${this.#base}/admin/v1/carry/${route}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await this.#token()}`,
        'content-type': 'application/json',
        'content-encoding': 'gzip',
      },
      body: await gzipped(JSON.stringify(body)),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch((cause: unknown) => {
      throw new Error(`${this.#base} does not answer`, { cause });
    });
    const answer: unknown = await response.json().catch(() => undefined);
    if (!response.ok) {
      const detail = Value.Check(Problem, answer) ? answer.detail : `it answered ${response.status}`;
      throw new Error(`${this.#base}: ${detail}`);
    }
    if (Value.Check(schema, answer)) return answer;
    const fault = faultOf(schema, answer);
    throw new Error(`${this.#base} answered what no keyserver would: ${fault?.pointer} ${fault?.message}`);
  }

  async #token(): Promise<string> {
    const { token, tokenFile } = this.#access;
    const given = token ?? (tokenFile === undefined ? undefined : (await readFile(tokenFile, 'utf8')).trim());
    if (given === undefined || given === '') {
      throw new Error('the administration token is missing: give --token-file, TABHERD_ADMIN_TOKEN, or --token');
    }
    if (!/^[!-~]+$/.test(given)) throw new Error('an administration token has visible characters only, and no blanks');
    return given;
  }
}
