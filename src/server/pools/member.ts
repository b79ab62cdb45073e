/**
 * This gateway as an element of a pool (ASAP): it registers, again before its lifetime is over or when its load has changed, and
 * deregisters when it ends. Which registrar takes it makes no difference to it.
 */
import { UnreachableError } from '../../protocol/errors.ts';
import type { KeepAlive, Policy } from '../../protocol/pools.ts';
import type { Log } from '../log.ts';
import { signJws } from '../proof/jws.ts';
import type { KeyPair } from '../proof/key.ts';
import type { RegistrarApi } from './registrar.ts';

export interface MemberPorts {
  id: number;
  handle: string;
  addresses: readonly string[];
  policy: Policy;
  successors: readonly number[];
  key: KeyPair;
  /** The keymaster's word; undefined where there is none yet. */
  voucher: () => string | undefined;
  /** 0 to 1. */
  load: () => number;
  registrar: RegistrarApi;
  clock: () => number;
  log: Log;
}

const LIFETIME_SECONDS = 15;
const AGAIN_MS = 5000;
/** A load that has changed by so much is told sooner, but not oftener than so. */
const LOAD_STEP = 0.1;
const SOONEST_MS = 1000;

export class Member {
  readonly #ports: MemberPorts;
  #told: { at: number; load: number } | undefined;
  #iat = 0;
  #isClosed = false;
  #isAway = false;

  constructor(ports: MemberPorts) {
    this.#ports = ports;
  }

  get id(): number {
    return this.#ports.id;
  }

  get handle(): string {
    return this.#ports.handle;
  }

  keepAlive(): KeepAlive {
    const { handle, id } = this.#ports;
    return { handle, id, load: this.#load() };
  }

  /** Registers where that is due. For a timer of about a second. */
  async tick(): Promise<void> {
    const { clock, registrar, log, handle } = this.#ports;
    const load = this.#load();
    const age = this.#told === undefined ? Number.POSITIVE_INFINITY : clock() - this.#told.at;
    const isDue = age >= AGAIN_MS || (age >= SOONEST_MS && Math.abs(load - (this.#told?.load ?? load)) >= LOAD_STEP);
    const statement = this.#registration(load);
    if (!isDue || statement === undefined || this.#isClosed) return;
    try {
      await registrar.register(statement);
      this.#told = { at: clock(), load };
      if (this.#isAway) log.info({ handle }, 'a registrar answers again');
      this.#isAway = false;
    } catch (err) {
      // Said once; a refusal is the operator's to mend, and goes on being tried.
      if (!this.#isAway) log.warn({ err, handle }, 'this gateway cannot register in its pool');
      this.#isAway = true;
      if (!(err instanceof UnreachableError)) this.#told = { at: clock(), load };
    }
  }

  /** Takes no more part: pool users are led elsewhere. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const { handle, id, key, voucher, registrar } = this.#ports;
    const own = voucher();
    if (this.#told === undefined || own === undefined) return;
    const statement = signJws({ aud: 'tabherd-deregistration', handle, id, iat: this.#next() }, key);
    await registrar.deregister({ statement, voucher: own }).catch(() => {});
  }

  #registration(load: number): { statement: string; voucher: string } | undefined {
    const { id, handle, addresses, policy, successors, key, voucher } = this.#ports;
    const own = voucher();
    if (own === undefined) return undefined;
    const claims = { handle, id, addresses, policy, load, successors, lifetimeSeconds: LIFETIME_SECONDS };
    return { statement: signJws({ aud: 'tabherd-registration', ...claims, iat: this.#next() }, key), voucher: own };
  }

  #load(): number {
    return Math.round(Math.min(1, Math.max(0, this.#ports.load())) * 1000) / 1000;
  }

  /** Its statements are in order even where the clock was set back. */
  #next(): number {
    this.#iat = Math.max(this.#iat + 1, this.#ports.clock());
    return this.#iat;
  }
}
