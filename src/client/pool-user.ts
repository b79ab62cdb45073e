/**
 * A keyserver that is a pool of gateways: the pool user of Reliable Server Pooling (RFC 5351, RFC 5352). It talks to its home,
 * the gateway that it was given, until that names a pool. From then on it resolves the pool's handle once in the list's
 * lifetime, stays with the element that is first in it, and turns to another where that one fails; a request on its way is
 * repeated there, since every request may be. In the quiet case that costs the one resolution, and no timer.
 *
 * Home is trusted as the page that it serves is: it alone tells which pool, and which keys are the keymaster's. An element
 * counts only where such a key vouches for its addresses (`voucher.ts`), so whoever speaks for the pool can lead nobody
 * astray. Without a pool it goes along a plain list of homes.
 */
import { type Static, Type } from 'typebox';
import { Check } from 'typebox/value';
import type { Contest } from '../domain/contest.ts';
import { RefusedError, UnreachableError } from '../protocol/errors.ts';
import { fetchJson, HttpKeyserver, TIMEOUT_MS } from '../protocol/http-keyserver.ts';
import {
  type ExchangeReply,
  type ExchangeRequest,
  type Keyserver,
  MAX_SETTLED,
  type ReleaseReply,
  type ReleaseRequest,
  type Status,
} from '../protocol/keyserver.ts';
import {
  KeepAlive,
  MAX_RESOLVED,
  type PoolElement,
  PoolHandle,
  Resolution,
  UnreachableReply,
} from '../protocol/pools.ts';
import { Selector } from '../protocol/selection.ts';
import type { MapQuery, UnitMap } from '../protocol/unit-map.ts';
import type { Through } from './snapshot.ts';
import { isVouched } from './voucher.ts';

/** After so long without an answer others are asked whether they are there; where none is, it is waited on. */
const PATIENCE_MS = 2_000;
/** So many are asked at a time whether they are there, and have so long to say so … */
const ASKED_AT_ONCE = 3;
const KEEP_ALIVE_MS = 1_000;
/** … while the question stays: who was frozen answers it at once, and it is not put again meanwhile. */
const QUESTION_MS = 2_000;
/** … while the next are asked too where none of them has by then (as addresses are in RFC 8305) … */
const ASK_MORE_MS = 400;
/** … of which an earlier one is waited for where a later one has answered. */
const GRACE_MS = 300;
/** After so long those that did not answer are asked once more: before a call fails, and while one is waited for. */
const AGAIN_MS = 1_000;
/** For so long one that failed comes after all others. */
const AVOIDED_MS = 30_000;
/** How soon a resolution that nobody could give is tried again; the first one, until which there is no other gateway, sooner. */
const RESOLVE_AGAIN_MS = 60_000;
const FIRST_AGAIN_MS = 5_000;
/** Whoever turns to one gateway after the other does not resolve oftener than this. */
const TURNED_AGAIN_MS = 10_000;
/** Distances measured after one resolution, and kept in all. */
const MEASURED_AT_ONCE = 4;
const MAX_DISTANCES = 64;
/** Leases of which it is remembered whose they are, and where they were handed in. */
const MAX_ELSEWHERE = 256;

const KeptPool = Type.Object({
  handle: Type.Optional(PoolHandle),
  /** The keymaster's public keys, as home told them last. */
  pins: Type.Array(Type.String()),
  /** Its elements are those that were vouched for, in the order in which to try them. */
  resolution: Type.Optional(Resolution),
  /** Milliseconds since 1970. */
  resolvedAt: Type.Optional(Type.Number()),
  /** Milliseconds to elements, by their ids. */
  distances: Type.Record(Type.String(), Type.Number()),
});
/** What outlives a visit: with it a client finds another gateway even where its home is gone before the first call. */
export type KeptPool = Static<typeof KeptPool> & { resolution?: Resolution };

export interface PoolUserOptions {
  /** The platform's `fetch`, or a test's. */
  fetch: typeof globalThis.fetch;
  /** Milliseconds since 1970. */
  now?: () => number;
  /** In [0, 1). */
  random?: () => number;
  /** Where the pool is kept; in memory only unless told. */
  kept?: { load(): Promise<KeptPool | undefined>; save(kept: KeptPool): Promise<void> };
}

export class PoolUser implements Keyserver {
  readonly #homes: readonly string[];
  readonly #options: PoolUserOptions;
  readonly #now: () => number;
  readonly #gateways = new Map<string, HttpKeyserver>();
  readonly #selector = new Selector();
  readonly #opened: Promise<void>;
  #kept: KeptPool = { pins: [], distances: {} };
  /** Where requests go; undefined once that has failed: to the next that is found. */
  #current: string | undefined;
  /** What was in use before, and failed. */
  #because: string | undefined;
  /** What failed, by address, until when. */
  readonly #avoided = new Map<string, number>();
  /** Keep-alives that are not answered yet, by address. */
  readonly #questions = new Map<string, Promise<string>>();
  /** Elements that failed while others may answer: the pool is told as soon as one does. */
  readonly #unreported = new Set<number>();
  #resolving: Promise<void> | undefined;
  /** It has turned to another since the last resolution. */
  #hasTurned = false;
  #resolveAt = 0;
  /** Before this it does not resolve because it has turned to another. */
  #turnedResolveAt = 0;
  /** Who gave a lease, and who has acknowledged its report instead; the latest last. */
  readonly #elsewhere = new Map<string, { from: string; isSettled: boolean }>();
  #client: string | undefined;

  /** @param homes each as of `HttpKeyserver`; the first that answers is used. */
  constructor(homes: readonly [string, ...string[]], options: PoolUserOptions) {
    this.#homes = [...new Set(homes.map(placeOf))];
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#current = this.#homes[0];
    this.#opened = this.#open();
  }

  /** The gateway in use, where that is not home, and the one that it stands in for, where that does not answer. */
  get through(): Through | undefined {
    const through = this.#current;
    if (through === undefined || through === this.#homes[0]) return undefined;
    return this.#because === undefined ? { through } : { through, because: this.#because };
  }

  get hasOthers(): boolean {
    return new Set([...this.#homes, ...this.#elements().flatMap(({ addresses }) => addresses)]).size > 1;
  }

  async exchange(request: ExchangeRequest): Promise<ExchangeReply> {
    this.#client = request.client.id;
    const { answer, from } = await this.#ask((keyserver, place) => keyserver.exchange(this.#knowing(request, place)));
    this.#noteLeases(answer, from);
    const { handle, pins, distances } = this.#kept;
    if (this.#isHome(from) && answer.pool !== undefined && answer.pool !== handle) {
      this.#keep({ handle: answer.pool, pins, distances });
    }
    this.#resolveWhereDue();
    return answer;
  }

  async release(request: ReleaseRequest): Promise<ReleaseReply> {
    this.#client = request.client.id;
    return (await this.#ask((keyserver) => keyserver.release(request))).answer;
  }

  async contests(): Promise<Contest[]> {
    const { answer, from } = await this.#ask((keyserver) => keyserver.contests());
    if (!this.#isHome(from)) return answer.map((contest) => ({ ...contest, keymasters: [...this.#kept.pins] }));
    this.#pin(answer);
    return answer;
  }

  async status(): Promise<Status> {
    return (await this.#ask((keyserver) => keyserver.status())).answer;
  }

  async map(query: MapQuery): Promise<UnitMap> {
    return (await this.#ask((keyserver) => keyserver.map(query))).answer;
  }

  // ── leases of other gateways ──────────────────────────────────────────────────────────────────────────────────

  /** A gateway does not know what was handed in at another: it would hand out that lease again, as one whose answer was lost. */
  #knowing(request: ExchangeRequest, place: string): ExchangeRequest {
    const settled = [...this.#elsewhere]
      .filter(([, { from, isSettled }]) => isSettled && from === place)
      .map(([lease]) => lease)
      .slice(-MAX_SETTLED);
    return settled.length === 0 ? request : { ...request, want: { ...request.want, settled } };
  }

  #noteLeases({ leases, results }: ExchangeReply, from: string): void {
    for (const { id } of leases) this.#elsewhere.set(id, { from, isSettled: false });
    for (const { lease } of results) {
      const given = this.#elsewhere.get(lease);
      this.#elsewhere.delete(lease);
      if (given !== undefined && given.from !== from) this.#elsewhere.set(lease, { from: given.from, isSettled: true });
    }
    for (const lease of [...this.#elsewhere.keys()].slice(0, -MAX_ELSEWHERE)) this.#elsewhere.delete(lease);
  }

  // ── calls ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Asks the gateway in use and, where that fails, the next. Where it is slow another is asked too, if one is there: the first
   * answer counts, whoever it is from. Where nobody else is there it is waited for: whoever is left alone has much to do. It is
   * asked again only if it was away in between, for what it was asked may have been lost.
   */
  async #ask<T>(call: (keyserver: Keyserver, place: string) => Promise<T>): Promise<{ answer: T; from: string }> {
    await this.#opened;
    const calls = new Map<number, Promise<Outcome<T>>>();
    const places: Places = { asked: [], tried: new Set(), silent: new Set(), away: new Set() };
    let failure: UnreachableError | undefined;
    let isAgain = false;
    let patience = PATIENCE_MS;
    const began = this.#now();
    const ask = (place: string): void => {
      const nth = places.asked.push(place) - 1;
      calls.set(nth, outcomeOf(nth, call(this.#at(place), place)));
      if (!places.silent.has(place)) places.away.delete(place);
      patience = PATIENCE_MS;
    };
    for (;;) {
      const isLate = Math.abs(this.#now() - began) >= TIMEOUT_MS;
      if (calls.size === 0) {
        const place = isLate ? undefined : await this.#next(places);
        if (place !== undefined) ask(place);
        else if (!isLate && !isAgain && places.silent.size > 0) {
          // One may have come back since; whoever called would not call again as soon.
          isAgain = true;
          await afterwards(AGAIN_MS);
          places.silent.clear();
          continue;
        } else {
          // It is our own network, or the end of the pool.
          this.#unreported.clear();
          throw failure ?? new UnreachableError('no gateway is known');
        }
      }
      const outcome = await Promise.race([...calls.values(), afterwards(patience)]);
      const pending = new Set([...calls.keys()].map((nth) => places.asked[nth] ?? ''));
      if (outcome === undefined) {
        patience = AGAIN_MS;
        if (isLate) continue;
        places.silent.clear();
        const other = await Promise.race([...calls.values(), this.#other(places, pending)]);
        if (typeof other !== 'string') continue;
        for (const slow of pending) this.#onFailure(slow);
        ask(other);
        continue;
      }
      const from = places.asked[outcome.nth] ?? '';
      // Whoever is too fast at one gateway does not take it out on the others.
      if ('answer' in outcome || isAnswer(outcome.error)) this.#onAnswer(from, places.tried);
      if ('answer' in outcome) return { answer: outcome.answer, from };
      const { error } = outcome;
      if (!(error instanceof UnreachableError) || isAnswer(error)) throw error;
      failure = error;
      calls.delete(outcome.nth);
      places.tried.add(from);
      this.#onFailure(from);
      patience = 0;
    }
  }

  /** Somebody who is there; without a pool there are no keep-alives, and the next of the list is tried. */
  async #other(places: Places, pending: ReadonlySet<string>): Promise<string | undefined> {
    const elements = this.#elements().flatMap(({ addresses }) => addresses);
    if (elements.length === 0) return this.#homes.find((home) => !pending.has(home) && !places.tried.has(home));
    // Home may be in the pool without being among the few that were told; what failed before may be there again.
    const homes = this.#homes.filter((home) => !elements.includes(home));
    return this.#elementThere({ ...places, tried: new Set() }, homes, pending);
  }

  #at(place: string): HttpKeyserver {
    const { fetch } = this.#options;
    const gateway = this.#gateways.get(place) ?? new HttpKeyserver(place, { fetch });
    this.#gateways.set(place, gateway);
    return gateway;
  }

  #onFailure(place: string): void {
    if (!this.#isAvoided(place)) {
      const element = this.#elementAt(place);
      if (element !== undefined) this.#unreported.add(element.id);
    }
    this.#avoided.set(place, this.#now() + AVOIDED_MS);
    if (this.#current !== place) return;
    this.#current = undefined;
    this.#because = place;
  }

  #onAnswer(place: string, tried: ReadonlySet<string>): void {
    this.#avoided.delete(place);
    const itself = this.#elementAt(place);
    if (itself !== undefined) this.#unreported.delete(itself.id);
    // Another is in use, and it was not this call that it failed: a late answer does not turn back.
    if (this.#current !== undefined && !tried.has(this.#current)) return;
    if (this.#because === place) this.#because = undefined;
    this.#current = place;
    this.#hasTurned = true;
    this.#resolveAt = this.#turnedResolveAt;
    this.#reportTo(place);
  }

  #reportTo(place: string): void {
    const { handle } = this.#kept;
    const { fetch } = this.#options;
    for (const element of this.#unreported) {
      if (this.#client === undefined) break;
      const url = `${place}/api/v1/pools/${handle}/unreachable`;
      fetchJson(url, UnreachableReply, { fetch }, { element, client: this.#client }).catch(() => undefined);
    }
    this.#unreported.clear();
  }

  /** The place in use or another: elements first. Home last, whatever it answers: the line may be too slow for keep-alives. */
  async #next(places: Places): Promise<string | undefined> {
    const { tried } = places;
    const current = this.#current;
    if (current !== undefined && !tried.has(current)) return current;
    const found = await this.#elementThere(places);
    return found ?? this.#homes.find((home) => !tried.has(home));
  }

  /**
   * An element that answers a keep-alive; those that do not are noted in `silent`.
   * @param more places besides the elements. @param pending who is being asked: come last, and count only if they were away.
   */
  async #elementThere(
    { asked, tried, silent, away }: Places,
    more: readonly string[] = [],
    pending: ReadonlySet<string> = new Set(),
  ): Promise<string | undefined> {
    const known = [...this.#afterFailureOf(asked.at(-1)).map(({ addresses }) => addresses), ...more.map((one) => [one])]
      .map((addresses) => addresses.filter((address) => !tried.has(address) && !silent.has(address)))
      .filter((addresses) => addresses.length > 0);
    const isPending = (addresses: readonly string[]): boolean => addresses.some((address) => pending.has(address));
    const left = [...known.filter((one) => !isPending(one)), ...known.filter(isPending)];
    const look = async (address: string): Promise<string> => {
      try {
        await this.#keepAlive(address);
      } catch (error) {
        silent.add(address);
        away.add(address);
        throw error;
      }
      if (pending.has(address) && !away.has(address)) throw new Error(`${address} is at it`);
      return address;
    };
    const looks: Promise<string>[] = [];
    while (looks.length < left.length) {
      const some = left.slice(looks.length, looks.length + ASKED_AT_ONCE);
      looks.push(...some.map((addresses) => Promise.any(addresses.map(look))));
      const isLast = looks.length === left.length;
      const found = await (isLast ? firstOf(looks) : Promise.race([firstOf(looks), afterwards(ASK_MORE_MS)]));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Its own other addresses, those that its last will names, then the list in order; what failed lately comes last. */
  #afterFailureOf(place: string | undefined): PoolElement[] {
    const elements = this.#elements();
    const failed = elements.filter(({ addresses }) => place !== undefined && addresses.includes(place));
    const heirs = failed.flatMap(({ successors }) =>
      successors.flatMap((id) => elements.filter((one) => one.id === id)),
    );
    const order = [...new Set([...failed, ...heirs, ...elements])];
    const isAvoided = ({ addresses }: PoolElement): boolean => addresses.every((one) => this.#isAvoided(one));
    return [...order.filter((one) => !isAvoided(one)), ...order.filter(isAvoided)];
  }

  #isAvoided(place: string): boolean {
    return (this.#avoided.get(place) ?? 0) > this.#now();
  }

  /** @throws Error it is not there, or in another pool. */
  async #keepAlive(address: string): Promise<string> {
    try {
      const question = this.#questions.get(address) ?? this.#question(address);
      const handle = await Promise.race([question, afterwards(KEEP_ALIVE_MS)]);
      if (handle !== this.#kept.handle) throw new Error(`${address} is silent, or in another pool: ${handle}`);
      return address;
    } catch (error) {
      this.#avoided.set(address, this.#now() + AVOIDED_MS);
      throw error;
    }
  }

  /** In which pool it is. */
  #question(address: string): Promise<string> {
    const { fetch } = this.#options;
    const url = `${address}/api/v1/keep-alive`;
    const question = fetchJson(url, KeepAlive, { fetch, timeoutMs: QUESTION_MS })
      .then(({ handle }) => handle)
      .finally(() => this.#questions.delete(address));
    question.catch(() => undefined);
    this.#questions.set(address, question);
    return question;
  }

  // ── the list ──────────────────────────────────────────────────────────────────────────────────────────────────

  async #open(): Promise<void> {
    const kept = await this.#options.kept?.load().catch(() => undefined);
    if (!Check(KeptPool, kept)) return;
    this.#kept = kept;
    this.#current = this.#choose();
    // Whoever made this one has just learnt of the pool.
    if (kept.resolution === undefined) this.#resolveWhereDue();
  }

  #keep(kept: KeptPool): void {
    this.#kept = kept;
    void this.#options.kept?.save(kept).catch(() => undefined);
  }

  #isHome(place: string): boolean {
    return this.#homes.includes(place);
  }

  /** Those that the keymaster vouches for. */
  #elements(): PoolElement[] {
    const { handle, resolution, pins } = this.#kept;
    if (handle === undefined || resolution === undefined) return [];
    return resolution.elements.filter((element) => isVouched(element, { handle, pins, now: this.#now() }));
  }

  #elementAt(place: string): PoolElement | undefined {
    return this.#elements().find(({ addresses }) => addresses.includes(place));
  }

  #choose(): string | undefined {
    const addresses = this.#elements().flatMap((element) => element.addresses);
    return addresses.find((address) => !this.#isAvoided(address)) ?? this.#homes[0];
  }

  #pin(contests: readonly Contest[]): void {
    const pins = [...new Set(contests.flatMap(({ keymasters = [] }) => keymasters))];
    if (pins.length > 0 && pins.join() !== this.#kept.pins.join()) this.#keep({ ...this.#kept, pins });
  }

  #resolveWhereDue(): void {
    const { handle, pins, resolution, resolvedAt = 0 } = this.#kept;
    if (handle === undefined || pins.length === 0 || this.#resolving !== undefined) return;
    const age = this.#now() - resolvedAt;
    const isFresh = resolution !== undefined && age >= 0 && age < resolution.lifetimeSeconds * 1000;
    const wait = this.#resolveAt - this.#now();
    if ((isFresh && !this.#hasTurned) || (wait > 0 && wait <= RESOLVE_AGAIN_MS)) return;
    this.#resolving = this.#resolve(handle).finally(() => {
      this.#resolving = undefined;
    });
  }

  async #resolve(handle: string): Promise<void> {
    const { fetch } = this.#options;
    const hadTurned = this.#hasTurned;
    this.#hasTurned = false;
    if (hadTurned) this.#turnedResolveAt = this.#now() + TURNED_AGAIN_MS;
    const isFirst = this.#kept.resolution === undefined;
    this.#resolveAt = this.#now() + (isFirst ? FIRST_AGAIN_MS : RESOLVE_AGAIN_MS);
    // There is nobody else to ask, and nobody waits for it.
    const timeoutMs = isFirst ? TIMEOUT_MS : PATIENCE_MS;
    const others = this.#elements()
      .flatMap(({ addresses }) => addresses)
      .filter((address) => !this.#isAvoided(address));
    for (const place of new Set([this.#current ?? [], ...others, ...this.#homes].flat())) {
      const url = `${place}/api/v1/pools/${handle}`;
      const answer = await fetchJson(url, Resolution, { fetch, timeoutMs }).catch(() => undefined);
      if (answer?.handle !== handle) continue;
      await this.#take(answer);
      // A call that looks for another now will find one, and one that was just turned to is known to answer.
      const current = this.#current;
      const isListed = this.#elements().some(({ addresses }) => addresses.includes(current ?? ''));
      if (current === undefined || (hadTurned && isListed)) return;
      this.#current = this.#choose();
      if (!hadTurned) this.#because = undefined;
      return;
    }
  }

  /** Those that it knew before come after those that are told: a registrar may have seen few in a bad moment. */
  async #take(resolution: Resolution): Promise<void> {
    const before = this.#elements();
    this.#keep({ ...this.#kept, resolution, resolvedAt: this.#now() });
    if (resolution.elements.length > 0 && this.#elements().length === 0) {
      // The keymaster may have new keys: home knows.
      const [home = ''] = this.#homes;
      this.#pin(
        await this.#at(home)
          .contests()
          .catch(() => []),
      );
    }
    const places = new Set<string>();
    // A gateway that was started anew may be in the list twice, and would take another's place.
    const elements = [...(await this.#ranked(this.#elements())), ...before].filter(({ addresses }) => {
      const isNew = !addresses.some((address) => places.has(address));
      for (const address of addresses) places.add(address);
      return isNew;
    });
    this.#keep({ ...this.#kept, resolution: { ...resolution, elements: elements.slice(0, MAX_RESOLVED) } });
  }

  /** As the registrar, who has applied the pool's policy, has put them; how far they are is ours to know. */
  async #ranked(elements: PoolElement[]): Promise<PoolElement[]> {
    if (elements[0]?.policy.kind !== 'nearest') return elements;
    const fresh = elements.filter(({ id }) => this.#kept.distances[id] === undefined);
    const measured = await Promise.all(fresh.slice(0, MEASURED_AT_ONCE).map((element) => this.#measured(element)));
    const distances = Object.fromEntries(
      [...Object.entries(this.#kept.distances), ...measured.flat()].slice(-MAX_DISTANCES),
    );
    this.#keep({ ...this.#kept, distances });
    // One that was not measured is thought to be as far as the farthest.
    const farthest = Math.max(0, ...elements.map(({ id }) => distances[id] ?? 0));
    return this.#selector.select(
      'nearest',
      elements.toSorted((a, b) => a.id - b.id),
      elements.length,
      {
        random: this.#options.random ?? Math.random,
        distance: (id) => distances[id] ?? farthest,
      },
    );
  }

  async #measured({ id, addresses }: PoolElement): Promise<[id: string, ms: number][]> {
    const began = this.#now();
    const [address = ''] = addresses;
    return this.#keepAlive(address).then(
      () => [[String(id), this.#now() - began]],
      () => [],
    );
  }
}

/** An address as elements have theirs, so that home is known among them. */
function placeOf(home: string): string {
  if (home !== '') return home.replace(/\/+$/, '');
  return 'location' in globalThis ? location.origin : '';
}

/** What one call knows of places, by their addresses. */
interface Places {
  /** Whom it has asked, one after the other. */
  asked: string[];
  /** Who failed. */
  tried: Set<string>;
  /** Who answered no keep-alive in this look around … */
  silent: Set<string>;
  /** … and in any since it was asked last. */
  away: Set<string>;
}

/** What came of the nth that was asked. */
type Outcome<T> = { nth: number; answer: T } | { nth: number; error: unknown };

const outcomeOf = <T>(nth: number, call: Promise<T>): Promise<Outcome<T>> =>
  call.then(
    (answer) => ({ nth, answer }),
    (error: unknown) => ({ nth, error }),
  );

/** A refusal, and that one is too fast. */
const isAnswer = (error: unknown): boolean =>
  error instanceof RefusedError || (error instanceof UnreachableError && error.status === 429);

const afterwards = (ms: number): Promise<undefined> => new Promise((resolve) => setTimeout(resolve, ms, undefined));

/** The first in order that is kept within GRACE_MS, or else the first that is kept; undefined: none is. */
async function firstOf<T>(promises: readonly Promise<T>[]): Promise<T | undefined> {
  const kept: T[] = [];
  const settled = promises.map((promise, nth) =>
    promise.then(
      (value) => {
        kept[nth] = value;
        return value;
      },
      () => undefined,
    ),
  );
  const inOrder = async (): Promise<T | undefined> => {
    for (const one of settled) {
      const value = await one;
      if (value !== undefined) return value;
    }
    return undefined;
  };
  const soonest = async (): Promise<T | undefined> => {
    await afterwards(GRACE_MS);
    return kept.find((value) => value !== undefined) ?? Promise.any(promises).catch(() => undefined);
  };
  return Promise.race([inOrder(), soonest()]);
}
