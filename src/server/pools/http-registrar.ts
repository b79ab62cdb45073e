/**
 * Registrars elsewhere, over HTTP: the one that answered last is asked first, then the others, and new ones are learnt from each
 * registration.
 */
import { type Static, type TSchema, Type } from 'typebox';
import { Value } from 'typebox/value';
import { Problem, RefusedError, UnreachableError } from '../../protocol/errors.ts';
import {
  KeepAlive,
  PoolsOverview,
  RegistrationReply,
  Resolution,
  type Unreachable,
  UnreachableReply,
  type Vouched,
  VouchedAnswer,
} from '../../protocol/pools.ts';
import type { RegistrarApi } from './registrar.ts';

/** A registrar that is slower than this is passed over. */
const TIMEOUT_MS = 1500;
const PROBE_TIMEOUT_MS = 2000;

export class HttpRegistrars implements RegistrarApi {
  readonly #configured: readonly string[];
  #addresses: string[];

  constructor(addresses: readonly string[]) {
    this.#configured = addresses;
    this.#addresses = [...addresses];
  }

  async register(vouched: Vouched): Promise<RegistrationReply> {
    const reply = await this.#hunt('pools/registrations', RegistrationReply, vouched);
    const [first] = this.#addresses;
    const all = [...(first === undefined ? [] : [first]), ...reply.registrars, ...this.#configured];
    this.#addresses = [...new Set(all)].slice(0, 64);
    return reply;
  }

  async deregister(vouched: Vouched): Promise<void> {
    await this.#hunt('pools/deregistrations', Type.Object({}), vouched);
  }

  resolve(handle: string): Promise<Resolution> {
    return this.#hunt(`pools/${handle}`, Resolution);
  }

  async unreachable(handle: string, report: Unreachable): Promise<boolean> {
    return (await this.#hunt(`pools/${handle}/unreachable`, UnreachableReply, report)).known;
  }

  overview(): Promise<PoolsOverview> {
    return this.#hunt('pools', PoolsOverview);
  }

  async #hunt<T extends TSchema>(route: string, schema: T, body?: unknown): Promise<Static<T>> {
    let last: unknown;
    const addresses = this.#addresses;
    for (const address of addresses) {
      try {
        const reply = await call(address, route, schema, body);
        this.#addresses = [address, ...this.#addresses.filter((one) => one !== address)];
        return reply;
      } catch (error) {
        if (error instanceof RefusedError) throw error;
        last = error;
      }
    }
    throw new UnreachableError('no registrar answers', { cause: last });
  }
}

/** What a registrar sends another. */
export async function sendEnrp(address: string, message: Vouched): Promise<Vouched | undefined> {
  return call(address, 'pools/enrp', VouchedAnswer, message).catch(() => undefined);
}

/** Asks an element for a keep-alive. */
export async function probeElement(address: string): Promise<KeepAlive | undefined> {
  return call(address, 'keep-alive', KeepAlive, undefined, PROBE_TIMEOUT_MS).catch(() => undefined);
}

/** Calls a proxy back. @throws UnreachableError */
export async function callBack(address: string): Promise<void> {
  await call(address, 'call-back', Type.Object({}), {});
}

async function call<T extends TSchema>(
  address: string,
  route: string,
  schema: T,
  body: unknown,
  timeoutMs = TIMEOUT_MS,
): Promise<Static<T>> {
  const url = `${address}/api/v1/${route}`;
  let response: Response;
  let json: unknown;
  try {
    response = await fetch(url, {
      signal: AbortSignal.timeout(timeoutMs),
      redirect: 'error',
      ...(body === undefined
        ? {}
        : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    json = await response.json();
  } catch (cause) {
    throw new UnreachableError(`${url} does not answer`, { cause });
  }
  if (!response.ok) {
    if (response.status < 500 && Value.Check(Problem, json)) {
      throw new RefusedError(json.code, json.detail, { status: response.status, field: json.field });
    }
    throw new UnreachableError(`${url} answered ${response.status}`);
  }
  if (!Value.Check(schema, json)) throw new UnreachableError(`${url} answered what no registrar would`);
  return json;
}
