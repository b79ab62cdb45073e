/**
 * Registrars and gateways in one process, under a clock that tests turn: registrars can be killed, frozen, cut off from what they
 * share (each other, or the database) and started anew; gateways can fall silent. What registers is the real `Member`, what
 * it registers with the real `Registrar`; only HTTP is left out.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { RefusedError, UnreachableError } from '../../src/protocol/errors.ts';
import type {
  DeregistrationClaims,
  EnrpClaims,
  EnrpMessage,
  KeepAlive,
  Policy,
  RegistrationClaims,
  Vouched,
} from '../../src/protocol/pools.ts';
import type { Handlespace, OnEvent } from '../../src/server/pools/handlespace.ts';
import { Member } from '../../src/server/pools/member.ts';
import { PeerHandlespace } from '../../src/server/pools/peers.ts';
import type { PoolsPorts } from '../../src/server/pools/pools.ts';
import { Registrar, type RegistrarApi } from '../../src/server/pools/registrar.ts';
import { SharedHandlespace } from '../../src/server/pools/shared.ts';
import { readJws, signJws } from '../../src/server/proof/jws.ts';
import { generateKey, type KeyPair } from '../../src/server/proof/key.ts';
import { makeVoucher } from '../../src/server/proof/voucher.ts';
import type { Store } from '../../src/server/store/store.ts';
import { START, silent } from './keyservers.ts';

export const POOL = 'test.pool';
export const LIFETIME_MS = 15_000;
/** A change is everywhere within so long. */
export const SOON_MS = 2000;
const STEP_MS = 500;
/** A message that nobody answers is given up after so long. */
const TIMEOUT_MS = 1500;

export const POLICY: Policy = { kind: 'least-used-degradation', weight: 1, priority: 0, degradation: 0.01 };

/** A registrar at its address; another process of the same address is another one of these. */
export interface Station {
  id: number;
  address: string;
  space: Handlespace;
  registrar: Registrar;
  isFrozen: boolean;
}

export interface Gateway {
  id: number;
  address: string;
  key: KeyPair;
  member: Member;
  load: number;
  /** Whether it answers keep-alives. */
  answers: boolean;
  /** Whether it registers by itself, as time passes. */
  registers: boolean;
}

export interface Said {
  handle?: string;
  id?: number;
  addresses?: string[];
  load?: number;
  iat?: number;
  lifetimeSeconds?: number;
  policy?: Policy;
}

/** `store`: registrars share it; without one they are peers. */
export class PoolWorld {
  readonly keymaster = generateKey();
  readonly revoked = new Set<string>();
  readonly gateways: Gateway[] = [];
  /** Addresses that were asked for a keep-alive, each time. */
  readonly probes: string[] = [];
  now = START;
  readonly #store: Store | undefined;
  readonly #stations: (Station | undefined)[] = [];
  /** Messages between registrars that arrived, in their order. */
  readonly sent: EnrpClaims[] = [];
  #unanswered: { until: number; resolve: (nothing: undefined) => void }[] = [];
  /** Places that are cut off. */
  readonly #cut = new Set<string>();
  readonly #random: () => number;
  #nextId = 1000;

  constructor(store?: Store, random: () => number = Math.random) {
    this.#store = store;
    this.#random = random;
  }

  readonly clock = (): number => this.now;

  /** Those that run, the frozen included. */
  get stations(): Station[] {
    return this.#stations.filter((one) => one !== undefined);
  }

  station(place: number): Station {
    const station = this.#stations[place];
    if (station === undefined) throw new Error(`no registrar runs at ${addressOf(place)}`);
    return station;
  }

  isRunning(place: number): boolean {
    return this.#stations[place] !== undefined;
  }

  isTrusted = (key: string): boolean => key === this.keymaster.id;
  isRevoked = (key: string): boolean => this.revoked.has(key);

  /** What the pools of a keyserver need, over this store. */
  portsOf(store: Store, isKeymaster = true): PoolsPorts {
    const { clock, isTrusted, isRevoked, keymaster } = this;
    return { store, isShared: false, clock, log: silent, isTrusted, isRevoked, key: () => keymaster, isKeymaster };
  }

  /** A process starts at this place: a new registrar with a new number. */
  start(place: number, id: number = this.#anyId()): Station {
    const address = addressOf(place);
    const key = generateKey();
    const exp = START + 365 * 86_400_000;
    const voucher = makeVoucher({ sub: key.id, addresses: [address], registrar: true, exp }, this.keymaster);
    const onEvent: OnEvent = (event) => registrar.onEvent(event);
    const { clock, isTrusted, isRevoked } = this;
    const space =
      this.#store === undefined
        ? new PeerHandlespace({
            id,
            address,
            key,
            voucher: () => voucher,
            isTrusted,
            isRevoked,
            mentors: [0, 1, 2].map(addressOf).filter((one) => one !== address),
            send: (to, message) => this.#carry(address, to, message),
            clock,
            onEvent,
          })
        : new SharedHandlespace({ id, address, store: this.#cuttable(this.#store, address), clock, onEvent });
    const registrar: Registrar = new Registrar({
      id,
      address,
      space,
      isTrusted,
      isRevoked,
      clock,
      random: this.#random,
      log: silent,
      probe: (to) => this.#probe(to),
    });
    const station = { id, address, space, registrar, isFrozen: false };
    this.#stations[place] = station;
    return station;
  }

  #anyId(): number {
    return 1 + Math.floor(this.#random() * 0xffff_fffe);
  }

  kill(place: number): void {
    this.#stations[place] = undefined;
  }

  freeze(place: number): void {
    this.station(place).isFrozen = true;
  }

  thaw(place: number): void {
    this.station(place).isFrozen = false;
  }

  /** From the other registrars, or from the database. Gateways and pool users still reach it. */
  cut(place: number): void {
    this.#cut.add(addressOf(place));
  }

  /** These two from each other. */
  unlink(one: number, other: number): void {
    this.#cut.add(linkOf(addressOf(one), addressOf(other)));
  }

  heal(place?: number): void {
    if (place === undefined) this.#cut.clear();
    else this.#cut.delete(addressOf(place));
  }

  /** @param home the place that it tries first. */
  gateway(home = 0, given: { id?: number; address?: string } = {}): Gateway {
    const { id = this.#nextId++ } = given;
    const { address = `http://gateway-${id}` } = given;
    const key = generateKey();
    const gateway: Gateway = { id, address, key, load: 0, answers: true, registers: true, member: undefined as never };
    const voucher = this.voucherFor(key, [address]);
    gateway.member = new Member({
      id,
      handle: POOL,
      addresses: [address],
      policy: POLICY,
      successors: [],
      key,
      voucher: () => voucher,
      load: () => gateway.load,
      registrar: this.#hunting(home),
      clock: this.clock,
      log: silent,
    });
    this.gateways.push(gateway);
    return gateway;
  }

  /** Its process is gone. */
  silence(gateway: Gateway): void {
    gateway.answers = false;
    gateway.registers = false;
  }

  voucherFor(
    key: KeyPair,
    addresses: string[],
    { handle = POOL, exp = START + 365 * 86_400_000, signer = this.keymaster } = {},
  ): string {
    return makeVoucher({ sub: key.id, handle, addresses, exp }, signer);
  }

  /** A registration of this gateway's, with whatever is to be different in it. */
  registration({ id, address, key, load }: Gateway, said: Said = {}, voucher?: string, signer = key): Vouched {
    const claims: RegistrationClaims = {
      aud: 'tabherd-registration',
      handle: POOL,
      id,
      addresses: [address],
      policy: POLICY,
      load,
      successors: [],
      lifetimeSeconds: LIFETIME_MS / 1000,
      iat: this.now,
      ...said,
    };
    return { statement: signJws(claims, signer), voucher: voucher ?? this.voucherFor(key, [address]) };
  }

  /** A message between registrars, as the keymaster's voucher lets this key send it. */
  enrp(
    claims: Pick<EnrpClaims, 'from' | 'to'> & { iat?: number; message: EnrpMessage },
    key: KeyPair = generateKey(),
    { registrar = true, signer = this.keymaster } = {},
  ): Vouched {
    const vouched = { sub: key.id, addresses: [addressOf(9)], exp: this.now + 1000 };
    return {
      statement: signJws({ aud: 'tabherd-enrp', iat: this.now, ...claims }, key),
      voucher: makeVoucher({ ...vouched, ...(registrar ? { registrar } : {}) }, signer),
    };
  }

  deregistration({ id, address, key }: Gateway, iat: number = this.now, signer = key): Vouched {
    const claims: DeregistrationClaims = { aud: 'tabherd-deregistration', handle: POOL, id, iat };
    return { statement: signJws(claims, signer), voucher: this.voucherFor(signer, [address]) };
  }

  /** Time goes by: registrars look around, gateways register. */
  async pass(ms: number): Promise<void> {
    for (const end = this.now + ms; this.now < end; ) {
      this.now += STEP_MS;
      await this.#tick();
    }
  }

  /** @returns the time it took. @throws Error it did not become true. */
  async until(what: string, isSo: () => boolean | Promise<boolean>, withinMs: number): Promise<number> {
    const began = this.now;
    for (;;) {
      await settle();
      if (await isSo()) return this.now - began;
      if (this.now - began >= withinMs) throw new Error(`not within ${withinMs} ms: ${what}\n${this.shown()}`);
      this.now += STEP_MS;
      await this.#tick();
    }
  }

  /** What each registrar that runs has of all pools. */
  tables(): string[] {
    return this.stations.filter(({ isFrozen }) => !isFrozen).map(({ space }) => rowsOf(space).join('\n'));
  }

  shown(): string {
    return this.stations
      .map(
        ({ id, address, space, isFrozen }) =>
          `${id} ${address}${isFrozen ? ' frozen' : ''}\n${rowsOf(space).join('\n')}`,
      )
      .join('\n');
  }

  /** Whether all have the same, and only what has a home that runs. */
  areEqual(): boolean {
    const homes = new Set(this.stations.map(({ id }) => id));
    const hasHome = this.stations.every(({ space }) => [...space.table.all()].every(({ home }) => homes.has(home)));
    return new Set(this.tables()).size === 1 && hasHome;
  }

  /** In how many tables it is. */
  knownBy({ id }: Gateway, handle = POOL): number {
    return this.stations.filter(({ space }) => space.table.get(handle, id) !== undefined).length;
  }

  readonly isEverywhere = (gateway: Gateway): boolean => this.knownBy(gateway) === this.stations.length;
  readonly isNowhere = (gateway: Gateway): boolean => this.knownBy(gateway) === 0;

  /** Once all registrars know it. */
  async joined(gateway: Gateway): Promise<Gateway> {
    await this.until(`${gateway.id} is known`, () => this.isEverywhere(gateway), SOON_MS);
    return gateway;
  }

  homesOf({ id }: Gateway): number[] {
    return [...new Set(this.stations.map(({ space }) => space.table.get(POOL, id)?.home ?? 0))];
  }

  async #tick(): Promise<void> {
    const stations = this.stations.filter(({ isFrozen }) => !isFrozen);
    const over = this.#unanswered.filter(({ until }) => until <= this.now);
    this.#unanswered = this.#unanswered.filter(({ until }) => until > this.now);
    for (const { resolve } of over) resolve(undefined);
    // Who cannot reach the database says so in its log, and goes on.
    await Promise.all(stations.map(({ registrar }) => registrar.tick().catch(() => {})));
    await Promise.all(this.gateways.filter(({ registers }) => registers).map(({ member }) => member.tick()));
    await settle();
  }

  #hunting(home: number): RegistrarApi {
    const hunt = async <T>(ask: (registrar: Registrar) => Promise<T>): Promise<T> => {
      for (const place of new Set([home, 0, 1, 2])) {
        const station = this.#stations[place];
        if (station === undefined || station.isFrozen) continue;
        try {
          return await ask(station.registrar);
        } catch (error) {
          if (error instanceof RefusedError) throw error;
        }
      }
      throw new UnreachableError('no registrar answers');
    };
    return {
      register: (vouched) => hunt((registrar) => registrar.register(vouched)),
      deregister: (vouched) => hunt((registrar) => registrar.deregister(vouched)),
      resolve: (handle) => hunt((registrar) => registrar.resolve(handle)),
      unreachable: (handle, report, address) => hunt((registrar) => registrar.unreachable(handle, report, address)),
      overview: () => hunt((registrar) => registrar.overview()),
    };
  }

  async #carry(from: string, to: string, message: Vouched): Promise<Vouched | undefined> {
    const station = this.stations.find(({ address }) => address === to);
    if (station === undefined) return undefined;
    const isCut = [from, to, linkOf(from, to)].some((one) => this.#cut.has(one));
    if (station.isFrozen || isCut) {
      return new Promise((resolve) => this.#unanswered.push({ until: this.now + TIMEOUT_MS, resolve }));
    }
    this.sent.push(readJws(message.statement)?.claims as EnrpClaims);
    if (!(station.space instanceof PeerHandlespace)) throw new Error('only peers speak with each other');
    const answer = await station.space.receive(message);
    return typeof answer === 'string' ? undefined : answer;
  }

  #cuttable(store: Store, address: string): Pick<Store, 'counting'> {
    return {
      counting: (work) => {
        if (this.#cut.has(address)) return Promise.reject(new Error('the database cannot be reached'));
        return store.counting(work);
      },
    };
  }

  async #probe(address: string): Promise<KeepAlive | undefined> {
    this.probes.push(address);
    // The last that was started there has the port.
    return this.gateways.findLast((one) => one.address === address && one.answers)?.member.keepAlive();
  }
}

const linkOf = (one: string, other: string): string => [one, other].toSorted().join(' ');

export const addressOf = (place: number): string => `http://registrar-${place}`;

function rowsOf({ table }: Handlespace): string[] {
  return [...table.all()].map(({ claims: { handle, id, iat }, home }) => `${handle} ${id} ${home} ${iat}`).toSorted();
}

/** What was begun in passing is done: messages in memory take a few turns of the event loop. */
async function settle(): Promise<void> {
  for (let i = 0; i < 4; i++) await turn();
}

export const reporter = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
