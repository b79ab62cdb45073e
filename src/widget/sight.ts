/**
 * Whether the widget can be seen: the tab is in front, and nearly all of the frame is in the window, large enough, and with
 * nothing over it. That nothing is over it, and that it is neither transparent nor shrunk, only Chromium tells
 * (https://w3c.github.io/IntersectionObserver/v2/); elsewhere a start takes a second click.
 */

/** Smaller than this nobody can read it: the badge's size, less what rounding takes. */
const LEAST = { width: 196, height: 46 };
const LEAST_RATIO = 0.9;
/** A page can zoom its frame away; a person makes nothing smaller than half. */
const LEAST_ZOOM = 0.4;
/** A click counts once it has been in sight for so long: whoever moves it under a pointer must leave it time to be noticed. */
const SETTLED_MS = 400;

/** What is in the way. */
export type Unseen = 'background' | 'outside' | 'covered' | 'small';

interface VisibleEntry extends IntersectionObserverEntry {
  /** Chromium only. */
  isVisible?: boolean;
}

export class Sight {
  /** Whether the browser tells of what covers it. */
  readonly isSure = 'isVisible' in IntersectionObserverEntry.prototype;
  #entry: VisibleEntry | undefined;
  #unseen: Unseen | undefined = 'outside';
  #since = Number.POSITIVE_INFINITY;
  readonly #listeners: (() => void)[] = [];

  constructor(target: Element) {
    const options = { threshold: [0, 0.25, 0.5, 0.75, LEAST_RATIO, 1], trackVisibility: true, delay: 100 };
    new IntersectionObserver((entries) => {
      this.#entry = entries.at(-1);
      this.#look();
    }, options).observe(target);
    addEventListener('resize', () => this.#look());
    document.addEventListener('visibilitychange', () => this.#look());
  }

  /** Undefined: it is in sight. */
  get unseen(): Unseen | undefined {
    return this.#unseen;
  }

  isSeen(): boolean {
    return this.#unseen === undefined;
  }

  /** Whether a click now was meant. */
  get isSettled(): boolean {
    return performance.now() - this.#since >= SETTLED_MS;
  }

  listen(changed: () => void): void {
    this.#listeners.push(changed);
  }

  #look(): void {
    const before = this.#unseen;
    this.#unseen = this.#inTheWay();
    if (this.#unseen === before) return;
    this.#since = this.#unseen === undefined ? performance.now() : Number.POSITIVE_INFINITY;
    for (const changed of this.#listeners) changed();
  }

  #inTheWay(): Unseen | undefined {
    if (document.visibilityState !== 'visible') return 'background';
    if (innerWidth < LEAST.width || innerHeight < LEAST.height || devicePixelRatio < LEAST_ZOOM) return 'small';
    if (this.#entry === undefined || this.#entry.intersectionRatio < LEAST_RATIO) return 'outside';
    return this.#entry.isVisible === false ? 'covered' : undefined;
  }
}
