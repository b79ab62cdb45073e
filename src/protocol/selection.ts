/**
 * The selection policies of RFC 5356, as registrars and pool users both apply them. What a policy has to remember between two
 * selections is in a `Selector`, one for each pool.
 *
 * RFC 5356: round robin 4.1, weighted round robin 4.2, random 4.3, weighted random 4.4, priority 4.5, least used 5.1,
 * with degradation 5.2, priority least used 5.3, randomised least used 5.4.
 */
import type { PolicyName, PoolElement } from './pools.ts';

export type Selectable = Pick<PoolElement, 'id' | 'policy' | 'load'>;

export interface Selection {
  /** In [0, 1). */
  random: () => number;
  /** Milliseconds to an element, where that was measured. */
  distance?: (id: number) => number | undefined;
}

/** So many milliseconds of distance count as an element that is loaded from nothing to the full. */
const FULL_DISTANCE_MS = 500;

/**
 * What elements say and what is remembered of each, in columns in the order of the elements: a registrar goes through thousands for each
 * selection, and to look into each element, or into a map, is what took most of the time.
 */
class Columns {
  #seen: Selectable[] = [];
  id = new Float64Array();
  load = new Float64Array();
  weight = new Float64Array();
  priority = new Float64Array();
  degradation = new Float64Array();
  /** Users sent to it since it told its load. */
  users = new Float64Array();
  /** Weighted round robin: what it has spent. */
  spent = new Float64Array();
  /** Of all. */
  weights = 0;
  /** What they are ranked by, of one selection. */
  values = new Float64Array();

  /** @param turns of weighted round robin, so far. */
  bringUpToDate(elements: readonly Selectable[], turns: number): void {
    if (elements.length !== this.#seen.length) return this.#begin(elements, turns);
    for (let at = 0; at < elements.length; at++) {
      const element = elements[at] as Selectable;
      if (element === this.#seen[at]) continue;
      if (element.id !== this.id[at]) return this.#begin(elements, turns);
      this.users[at] = 0;
      this.#take(at, element, turns);
    }
  }

  /** Elements came or went. */
  #begin(elements: readonly Selectable[], turns: number): void {
    const { users, spent, weight } = this;
    const before = new Map(Array.from(this.id, (id, place) => [id, place]));
    const column = (): Float64Array<ArrayBuffer> => new Float64Array(elements.length);
    const seen = this.#seen;
    this.#seen = [...elements];
    this.id = column();
    this.load = column();
    this.weight = column();
    this.priority = column();
    this.degradation = column();
    this.users = column();
    this.spent = column();
    this.values = column();
    this.weights = 0;
    for (const [at, element] of elements.entries()) {
      this.id[at] = element.id;
      const place = before.get(element.id);
      if (place !== undefined) {
        this.weight[at] = weight[place] as number;
        this.weights += weight[place] as number;
        if (element === seen[place]) this.users[at] = users[place] as number;
        this.spent[at] = spent[place] as number;
      }
      this.#take(at, element, turns);
    }
  }

  #take(at: number, element: Selectable, turns: number): void {
    const { load, policy } = element;
    this.#seen[at] = element;
    this.load[at] = load;
    // A weight counts from now on: who is new has saved nothing up.
    const more = policy.weight - (this.weight[at] as number);
    this.spent[at] = (this.spent[at] as number) + turns * more;
    this.weights += more;
    this.weight[at] = policy.weight;
    this.priority[at] = policy.priority;
    this.degradation[at] = policy.degradation;
  }
}

export class Selector {
  /** The element after which to go on: round robin, and among equals of the others. */
  #last = 0;
  /** Selections by weighted round robin. */
  #turns = 0;
  readonly #columns = new Columns();

  /**
   * @param elements ascending by their ids, all of one pool. Each time that one tells its load it is another object.
   * @returns up to `count` of them, each once, the best first.
   */
  select<E extends Selectable>(policy: PolicyName, elements: readonly E[], count: number, how: Selection): E[] {
    if (elements.length === 0) return [];
    this.#columns.bringUpToDate(elements, this.#turns);
    // Beginning after the one that was selected last, so that among equals it goes in turn.
    const from = placeAfter(this.#columns.id, this.#last) % elements.length;
    const places =
      policy === 'round-robin'
        ? Array.from({ length: Math.min(count, elements.length) }, (_, i) => (from + i) % elements.length)
        : leastOf(this.#valuesBy(policy, how), from, count);
    const [first] = places;
    if (first !== undefined) this.#chosen(policy, first);
    return places.map((at) => elements[at] as E);
  }

  /** What each is ranked by. No function is called for each but the two given ones: a number that a function returns is often garbage. */
  #valuesBy(policy: Exclude<PolicyName, 'round-robin'>, how: Selection): Float64Array {
    const { random, distance = () => undefined } = how;
    const { id, load, weight, priority, degradation, users, spent, values } = this.#columns;
    const count = values.length;
    const turns = this.#turns + 1;
    switch (policy) {
      case 'weighted-round-robin':
        // Each saves its weight up at each turn, and the one selected pays what all have saved.
        for (let at = 0; at < count; at++) values[at] = of(spent, at) - turns * of(weight, at);
        return values;
      case 'random':
        for (let at = 0; at < count; at++) values[at] = random();
        return values;
      case 'weighted-random':
        // Efraimidis and Spirakis (2006): drawn without being put back, each by its weight.
        for (let at = 0; at < count; at++) values[at] = -Math.log(1 - random()) / of(weight, at);
        return values;
      case 'priority':
        for (let at = 0; at < count; at++) values[at] = -of(priority, at);
        return values;
      case 'least-used':
        return load;
      case 'least-used-degradation':
        for (let at = 0; at < count; at++) values[at] = of(load, at) + of(users, at) * of(degradation, at);
        return values;
      case 'priority-least-used':
        for (let at = 0; at < count; at++) values[at] = of(load, at) + (of(users, at) + 1) * of(degradation, at);
        return values;
      case 'randomized-least-used':
        for (let at = 0; at < count; at++) values[at] = -Math.log(1 - random()) / Math.max(1e-3, 1 - of(load, at));
        return values;
      case 'nearest':
        for (let at = 0; at < count; at++) values[at] = of(load, at) + (distance(of(id, at)) ?? 0) / FULL_DISTANCE_MS;
        return values;
    }
  }

  #chosen(policy: PolicyName, at: number): void {
    const { id, users, spent, weights } = this.#columns;
    this.#last = id[at] as number;
    if (policy === 'weighted-round-robin') {
      this.#turns += 1;
      spent[at] = (spent[at] as number) + weights;
    } else if (policy === 'least-used-degradation' || policy === 'priority-least-used') {
      users[at] = (users[at] as number) + 1;
    }
  }
}

const of = (column: Float64Array, at: number): number => column[at] as number;

/** Of the first that is higher, among ascending ones. */
function placeAfter(ids: Float64Array, id: number): number {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ids[middle] as number) <= id) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The places of the `count` least values, in order; of equals those that come first, from a place on. Goes once through all. */
function leastOf(values: Float64Array, from: number, count: number): number[] {
  const best: number[] = [];
  let limit = Number.POSITIVE_INFINITY;
  for (let i = 0, at = from; i < values.length; i++, at++) {
    if (at >= values.length) at -= values.length;
    const value = of(values, at);
    if (value >= limit) continue;
    let place = best.length;
    while (place > 0 && of(values, best[place - 1] as number) > value) place -= 1;
    best.splice(place, 0, at);
    if (best.length > count) best.pop();
    if (best.length === count) limit = of(values, best[count - 1] as number);
  }
  return best;
}
