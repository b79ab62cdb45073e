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

export class Selector {
  /** Round robin: the element after which to go on; also among equals of the others. */
  #last = 0;
  /** Weighted round robin: what each element has saved up. */
  readonly #saved = new Map<number, number>();
  /** Users sent to an element since it last told its load. */
  readonly #sent = new Map<number, { load: number; users: number }>();

  /**
   * @param elements ascending by their ids, all of one pool.
   * @returns up to `count` of them, each once, the best first.
   */
  select<E extends Selectable>(policy: PolicyName, elements: readonly E[], count: number, how: Selection): E[] {
    if (elements.length === 0) return [];
    const ranked = this.#ranked(policy, this.#turned(elements), count, how);
    const [first] = ranked;
    if (first !== undefined) this.#chosen(policy, first, elements);
    return ranked;
  }

  #ranked<E extends Selectable>(policy: PolicyName, elements: readonly E[], count: number, how: Selection): E[] {
    const { random, distance = () => undefined } = how;
    switch (policy) {
      case 'round-robin':
        return elements.slice(0, count);
      case 'weighted-round-robin':
        return least(elements, count, (one) => -(this.#saved.get(one.id) ?? 0) - one.policy.weight);
      case 'random':
        return least(elements, count, () => random());
      case 'weighted-random':
        // Efraimidis and Spirakis (2006): drawn without being put back, each by its weight.
        return least(elements, count, (one) => -Math.log(1 - random()) / one.policy.weight);
      case 'priority':
        return least(elements, count, (one) => -one.policy.priority);
      case 'least-used':
        return least(elements, count, (one) => one.load);
      case 'least-used-degradation':
        return least(elements, count, (one) => this.#degraded(one));
      case 'priority-least-used':
        return least(elements, count, (one) => this.#degraded(one) + one.policy.degradation);
      case 'randomized-least-used':
        return least(elements, count, (one) => -Math.log(1 - random()) / Math.max(1e-3, 1 - one.load));
      case 'nearest':
        return least(elements, count, (one) => one.load + (distance(one.id) ?? 0) / FULL_DISTANCE_MS);
    }
  }

  #chosen(policy: PolicyName, first: Selectable, elements: readonly Selectable[]): void {
    this.#last = first.id;
    if (policy === 'weighted-round-robin') {
      // Everyone saves its weight up, and the one selected pays for all.
      let sum = 0;
      for (const { id, policy } of elements) {
        sum += policy.weight;
        this.#saved.set(id, (this.#saved.get(id) ?? 0) + policy.weight);
      }
      this.#saved.set(first.id, (this.#saved.get(first.id) ?? 0) - sum);
      if (this.#saved.size > elements.length) forgetOthers(this.#saved, elements);
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

  /** Beginning after the one that was selected last, so that among equals it goes in turn. */
  #turned<E extends Selectable>(elements: readonly E[]): readonly E[] {
    const at = firstAfter(elements, this.#last);
    return at === 0 || at === elements.length ? elements : [...elements.slice(at), ...elements.slice(0, at)];
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

/** The `count` with the least value, in order; of equals those that come first. Goes once through all of them. */
function least<E>(elements: readonly E[], count: number, valueOf: (element: E) => number): E[] {
  const best: { element: E; value: number }[] = [];
  for (const element of elements) {
    const value = valueOf(element);
    const worst = best.at(-1);
    if (best.length === count && worst !== undefined && value >= worst.value) continue;
    let at = best.length;
    while (at > 0 && (best[at - 1] as { value: number }).value > value) at -= 1;
    best.splice(at, 0, { element, value });
    if (best.length > count) best.pop();
  }
  return best.map(({ element }) => element);
}
