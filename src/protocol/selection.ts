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
 * Weighted round robin: at each selection everyone saves its weight up, and the one selected pays what all have saved, so it has
 * `weight × turns − spent`. So nothing is written for those that are not selected: a registrar does this for thousands.
 */
interface Account {
  weight: number;
  spent: number;
}

export class Selector {
  /** Round robin: the element after which to go on; also among equals of the others. */
  #last = 0;
  /** Weighted round robin: selections so far, and of each element what it has spent. */
  #turns = 0;
  readonly #accounts = new Map<number, Account>();
  /** Users sent to an element since it last told its load. */
  readonly #sent = new Map<number, { load: number; users: number }>();

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
    const from = firstAfter(elements, this.#last);
    const least = (valueOf: (element: E) => number): E[] => leastOf(elements, from, count, valueOf);
    switch (policy) {
      case 'round-robin':
        return [...elements.slice(from, from + count), ...elements.slice(0, from)].slice(0, count);
      case 'weighted-round-robin':
        return least((one) => -this.#savedBy(one));
      case 'random':
        return least(() => random());
      case 'weighted-random':
        // Efraimidis and Spirakis (2006): drawn without being put back, each by its weight.
        return least((one) => -Math.log(1 - random()) / one.policy.weight);
      case 'priority':
        return least((one) => -one.policy.priority);
      case 'least-used':
        return least((one) => one.load);
      case 'least-used-degradation':
        return least((one) => this.#degraded(one));
      case 'priority-least-used':
        return least((one) => this.#degraded(one) + one.policy.degradation);
      case 'randomized-least-used':
        return least((one) => -Math.log(1 - random()) / Math.max(1e-3, 1 - one.load));
      case 'nearest':
        return least((one) => one.load + (distance(one.id) ?? 0) / FULL_DISTANCE_MS);
    }
  }

  #chosen(policy: PolicyName, first: Selectable, elements: readonly Selectable[]): void {
    this.#last = first.id;
    if (policy === 'weighted-round-robin') {
      this.#turns += 1;
      let sum = 0;
      for (const { policy } of elements) sum += policy.weight;
      const account = this.#accounts.get(first.id);
      if (account !== undefined) account.spent += sum;
      if (this.#accounts.size > elements.length) forgetOthers(this.#accounts, elements);
    } else if (policy === 'least-used-degradation' || policy === 'priority-least-used') {
      const sent = this.#sent.get(first.id);
      const users = sent?.load === first.load ? sent.users + 1 : 1;
      this.#sent.set(first.id, { load: first.load, users });
      if (this.#sent.size > elements.length) forgetOthers(this.#sent, elements);
    }
  }

  /** Its load, and what those who were sent there since it told that will add to it. */
  #degraded({ id, load, policy }: Selectable): number {
    const sent = this.#sent.get(id);
    return load + (sent?.load === load ? sent.users * policy.degradation : 0);
  }

  /** With its weight for this turn. Who is new has saved nothing up. */
  #savedBy({ id, policy: { weight } }: Selectable): number {
    let account = this.#accounts.get(id);
    if (account === undefined) {
      account = { weight, spent: this.#turns * weight };
      this.#accounts.set(id, account);
    } else if (account.weight !== weight) {
      account.spent += this.#turns * (weight - account.weight);
      account.weight = weight;
    }
    return (this.#turns + 1) * weight - account.spent;
  }
}

function firstAfter(elements: readonly Selectable[], id: number): number {
  let low = 0;
  let high = elements.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((elements[middle] as Selectable).id <= id) low = middle + 1;
    else high = middle;
  }
  return low;
}

function forgetOthers(map: Map<number, unknown>, elements: readonly Selectable[]): void {
  const here = new Set(elements.map(({ id }) => id));
  for (const id of map.keys()) if (!here.has(id)) map.delete(id);
}

/** The `count` with the least value, in order; of equals those that come first, from a place on. Goes once through all of them. */
function leastOf<E>(elements: readonly E[], from: number, count: number, valueOf: (element: E) => number): E[] {
  const best: { element: E; value: number }[] = [];
  let limit = Number.POSITIVE_INFINITY;
  for (let i = 0, at = from; i < elements.length; i++, at++) {
    if (at >= elements.length) at -= elements.length;
    const element = elements[at] as E;
    const value = valueOf(element);
    if (best.length === count && value >= limit) continue;
    let place = best.length;
    while (place > 0 && (best[place - 1] as { value: number }).value > value) place -= 1;
    best.splice(place, 0, { element, value });
    if (best.length > count) best.pop();
    limit = (best.at(-1) as { value: number }).value;
  }
  return best.map(({ element }) => element);
}
