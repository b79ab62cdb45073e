/**
 * Registrars elsewhere, over HTTP: the one that answered last is asked first, then the others, and new ones are learnt from each
 * registration.
 */
import { type Static, type TSchema, Type } from 'typebox';
import { RefusedError, UnreachableError } from '../../protocol/errors.ts';
import { fetchJson } from '../../protocol/http-keyserver.ts';
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

/** A registrar that is slower than this is passed over … */
const TIMEOUT_MS = 1500;
/** … and for so long not asked again: each client's question would wait for it anew. */
const DOWN_MS = 3000;
const PROBE_TIMEOUT_MS = 2000;

export class HttpRegistrars implements RegistrarApi {
  readonly #configured: readonly string[];
  #addresses: string[];
  /** Those that did not answer, until when they are passed over. */
  readonly #downUntil = new Map<string, number>();

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
      if (this.#isDown(address)) continue;
      try {
        const reply = await call(address, route, schema, body);
        this.#addresses = [address, ...this.#addresses.filter((one) => one !== address)];
        return reply;
      } catch (error) {
        if (error instanceof RefusedError) throw error;
        this.#downUntil.set(address, performance.now() + DOWN_MS);
        last = error;
      }
    }
    throw new UnreachableError('no registrar answers', { cause: last });
  }

  #isDown(address: string): boolean {
    return (this.#downUntil.get(address) ?? 0) > performance.now();
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

function call<T extends TSchema>(
  address: string,
  route: string,
  schema: T,
  body: unknown,
  timeoutMs = TIMEOUT_MS,
): Promise<Static<T>> {
  return fetchJson(`${address}/api/v1/${route}`, schema, { fetch: straight, timeoutMs }, body);
}

/** The keymaster vouches for an address, and for none that it points to. */
const straight: typeof fetch = (url, init) => fetch(url, { ...init, redirect: 'error' });
