/**
 * A proxy's maps are its upstream's, which knows the whole contest: its own ledger has only what passes through it, and
 * forgets that. While the upstream may not or cannot be asked, what it told last is told again; what was never asked is
 * drawn from the proxy's own ledger.
 */
import { RefusedError, UnreachableError } from '../../protocol/errors.ts';
import { type MapQuery, mapPath, type UnitMap } from '../../protocol/unit-map.ts';
import { BoundedMap } from '../proof/bounded-map.ts';
import type { Upstreams } from './upstreams.ts';

/** Each tier adds as much to the age of what is told. */
const FRESH_MS = 10_000;
/** 8 kB a map at most. */
const MAX_MAPS = 256;
/** An upstream that is away, or so old that it has no maps, is asked again after this. */
const AGAIN_MS = 60_000;

export class UpstreamMaps {
  readonly #upstreams: Upstreams;
  readonly #clock: () => number;
  readonly #told = new BoundedMap<string, { map: UnitMap; toldAt: number }>(MAX_MAPS);
  readonly #asking = new Map<string, Promise<void>>();
  #againAt = 0;

  constructor(upstreams: Upstreams, clock: () => number) {
    this.#upstreams = upstreams;
    this.#clock = clock;
  }

  /** Undefined where it has none. */
  async map(query: MapQuery, mayAsk: boolean): Promise<UnitMap | undefined> {
    const key = mapPath(query);
    const told = this.#told.get(key);
    const isFresh = told !== undefined && Math.abs(this.#clock() - told.toldAt) < FRESH_MS;
    if (isFresh || !mayAsk || this.#clock() < this.#againAt) return told?.map;
    let asking = this.#asking.get(key);
    if (asking === undefined) {
      asking = this.#ask(query, key).finally(() => this.#asking.delete(key));
      this.#asking.set(key, asking);
    }
    await asking;
    return this.#told.get(key)?.map;
  }

  async #ask(query: MapQuery, key: string): Promise<void> {
    try {
      const map = await this.#upstreams.call((keyserver) => keyserver.map(query));
      this.#told.set(key, { map, toldAt: this.#clock() });
    } catch (error) {
      if (!(error instanceof UnreachableError || error instanceof RefusedError)) throw error;
      this.#againAt = this.#clock() + AGAIN_MS;
    }
  }
}
