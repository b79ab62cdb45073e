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
 * What is remembered of each element, in the order of the elements. A registrar goes through thousands for each selection, and looking
 * each up in a map took most of the time.
 */
class Notes {
  #ids: number[] = [];
  /** The load or weight for which the amount holds; NaN where nothing is remembered. */
  basis: number[] = [];
  amount: number[] = [];

  /** To be called before the note at a place is used. */
  align(elements: readonly Selectable[], at: number): void {
    if (this.#ids[at] === elements[at]?.id) return;
    // Elements came or went.
    const before = new Map(this.#ids.map((id, place) => [id, place]));
    const places = elements.map(({ id }) => before.get(id));
    this.#ids = elements.map(({ id }) => id);
    const moved = (values: number[], otherwise: number): number[] =>
      places.map((place) => (place === undefined ? otherwise : (values[place] ?? otherwise)));
    this.basis = moved(this.basis, Number.NaN);
    this.amount = moved(this.amount, 0);
  }
}

export class Selector {
  /** The element after which to go on: round robin, and among equals of the others. */
  #last = 0;
  /** Weighted round robin: selections so far, the weights of all, and of each element its weight and what it has spent. */
  #turns = 0;
  #sum = 0;
  readonly #accounts = new Notes();
  /** Of each element the load that it told last, and the users sent to it since. */
  readonly #sent = new Notes();

  /**
   * @param elements ascending by their ids, all of one pool.
   * @returns up to `count` of them, each once, the best first.
   */
  select<E extends Selectable>(policy: PolicyName, elements: readonly E[], count: number, how: Selection): E[] {
    if (elements.length === 0) return [];
    const ranked = this.#ranked(policy, elements, count, how);
    const [first] = ranked;
    if (first !== undefined) this.#chosen(policy, first, elements);
    return ranked;
  }

  #ranked<E extends Selectable>(policy: PolicyName, elements: readonly E[], count: number, how: Selection): E[] {
    const { random, distance = () => undefined } = how;
    // Beginning after the one that was selected last, so that among equals it goes in turn.
    const from = placeAfter(elements, this.#last);
    const least = (valueOf: ValueOf<E>): E[] => leastOf(elements, from, count, valueOf);
    switch (policy) {
      case 'round-robin':
        return [...elements.slice(from, from + count), ...elements.slice(0, from)].slice(0, count);
      case 'weighted-round-robin':
        this.#sum = 0;
        return least((_, at) => -this.#saved(elements, at));
      case 'random':
        return least(() => random());
      case 'weighted-random':
        // Efraimidis and Spirakis (2006): drawn without being put back, each by its weight.
        return least((one, _, limit) => exponential(random(), one.policy.weight, limit));
      case 'priority':
        return least((one) => -one.policy.priority);
      case 'least-used':
        return least((one) => one.load);
      case 'least-used-degradation':
        return least((_, at) => this.#degraded(elements, at));
      case 'priority-least-used':
        return least((one, at) => this.#degraded(elements, at) + one.policy.degradation);
      case 'randomized-least-used':
        return least((one, _, limit) => exponential(random(), Math.max(1e-3, 1 - one.load), limit));
      case 'nearest':
        return least((one) => one.load + (distance(one.id) ?? 0) / FULL_DISTANCE_MS);
    }
  }

  #chosen(policy: PolicyName, first: Selectable, elements: readonly Selectable[]): void {
    this.#last = first.id;
    const at = placeAfter(elements, first.id) - 1;
    if (policy === 'weighted-round-robin') {
      const { amount } = this.#accounts;
      this.#turns += 1;
      amount[at] = (amount[at] ?? 0) + this.#sum;
    } else if (policy === 'least-used-degradation' || policy === 'priority-least-used') {
      const { basis, amount } = this.#sent;
      amount[at] = basis[at] === first.load ? (amount[at] ?? 0) + 1 : 1;
      basis[at] = first.load;
    }
  }

  /**
   * At each selection everyone saves its weight up, and the one selected pays what all have saved: it has `weight × turns − spent`, so
   * that nothing is written for the others.
   * @returns what the element at this place has, its weight of this turn included. Who is new has nothing else.
   */
  #saved(elements: readonly Selectable[], at: number): number {
    const accounts = this.#accounts;
    accounts.align(elements, at);
    const weight = (elements[at] as Selectable).policy.weight;
    const before = accounts.basis[at] as number;
    if (before !== weight) {
      const spent = accounts.amount[at] ?? 0;
      accounts.amount[at] = spent + this.#turns * (Number.isNaN(before) ? weight : weight - before);
      accounts.basis[at] = weight;
    }
    this.#sum += weight;
    return (this.#turns + 1) * weight - (accounts.amount[at] as number);
  }

  /** The load of the element at this place, and what those who were sent there since it told that will add to it. */
  #degraded(elements: readonly Selectable[], at: number): number {
    const sent = this.#sent;
    sent.align(elements, at);
    const { load, policy } = elements[at] as Selectable;
    return sent.basis[at] === load ? load + (sent.amount[at] as number) * policy.degradation : load;
  }
}

/** What an element, at its place among all, is ranked by; where that is not below the limit, any other number that is not will do. */
type ValueOf<E> = (element: E, at: number, limit: number) => number;

/** Exponentially distributed with a rate. −ln(1 − u) is at least u, so most need no logarithm to be above the limit. */
function exponential(uniform: number, rate: number, limit: number): number {
  const atLeast = uniform / rate;
  return atLeast >= limit ? atLeast : -Math.log(1 - uniform) / rate;
}

/** Of the first element that has a higher identifier. */
function placeAfter(elements: readonly Selectable[], id: number): number {
  let low = 0;
  let high = elements.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((elements[middle] as Selectable).id <= id) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The `count` with the least value, in order; of equals those that come first, from a place on. Goes once through all of them. */
function leastOf<E>(elements: readonly E[], from: number, count: number, valueOf: ValueOf<E>): E[] {
  const best: { element: E; value: number }[] = [];
  let limit = Number.POSITIVE_INFINITY;
  for (let i = 0, at = from; i < elements.length; i++, at++) {
    if (at >= elements.length) at -= elements.length;
    const element = elements[at] as E;
    const value = valueOf(element, at, limit);
    if (value >= limit) continue;
    let place = best.length;
    while (place > 0 && (best[place - 1] as { value: number }).value > value) place -= 1;
    best.splice(place, 0, { element, value });
    if (best.length > count) best.pop();
    if (best.length === count) limit = (best.at(-1) as { value: number }).value;
  }
  return best.map(({ element }) => element);
}
