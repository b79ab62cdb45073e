/**
 * What of a client's idleness was for want of a gateway while one lived. A gateway lives while it answers a witness; a client that
 * gets no processor is not idle, nor does it find a gateway sooner. So what is left is what the pool has to answer for,
 * whatever else the machine does.
 */
import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds since 1970. */
export interface Span {
  from: number;
  to: number;
}

const EVERY_MS = 300;
/** One that is slower on a loopback gets too little of the machine for its clients too. */
const PATIENCE_MS = 500;
/** One that has not answered for so long is taken for dead. */
const DEAD_MS = 1200;

/** Asks gateways whether they are there, as a client does, and notes when each was. */
export class Witness {
  readonly #addresses: () => readonly string[];
  readonly #lives = new Map<string, Span[]>();
  #isOver = false;

  /** @param addresses of those that no fault has befallen. */
  constructor(addresses: () => readonly string[]) {
    this.#addresses = addresses;
    void this.#watch();
  }

  /** Ends it. @returns the lives of all gateways, as far as they were witnessed. */
  end(): Span[] {
    this.#isOver = true;
    return [...this.#lives.values()].flat();
  }

  async #watch(): Promise<void> {
    while (!this.#isOver) {
      for (const address of this.#addresses()) void this.#ask(address);
      await sleep(EVERY_MS);
    }
  }

  async #ask(address: string): Promise<void> {
    const asked = Date.now();
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const response = await fetch(`${address}/api/v1/keep-alive`, { signal }).catch(() => undefined);
    await response?.text().catch(() => {});
    const now = Date.now();
    if (response?.ok !== true || this.#isOver || now - asked > PATIENCE_MS) return;
    const lives = this.#lives.get(address) ?? [];
    this.#lives.set(address, lives);
    const life = lives.at(-1);
    if (life === undefined || now - life.to > DEAD_MS) lives.push({ from: asked, to: now });
    else life.to = Math.max(life.to, now);
  }
}

/** A process looks so often whether it is run, and is not where it is so late. */
const LOOK_MS = 100;
const LATE_MS = 250;

/** When this process was not run although it wanted to. @returns to be called for what there was so far. */
export function watchStalls(): () => Span[] {
  const stalls: Span[] = [];
  let due = Date.now() + LOOK_MS;
  const look = (): void => {
    const now = Date.now();
    if (now - due > LATE_MS) stalls.push({ from: due, to: now });
    due = now + LOOK_MS;
  };
  setInterval(look, LOOK_MS).unref();
  return () => {
    look();
    return stalls;
  };
}

/** How long in this time one and the same gateway lived on end while the client's process ran: the longest there was. */
export function longestIn({ from, to }: Span, lives: readonly Span[], stalls: readonly Span[]): number {
  const parts = lives.map((life) => ({ from: Math.max(from, life.from), to: Math.min(to, life.to) }));
  return Math.max(0, ...parts.filter((part) => part.to > part.from).map((part) => longestOutside(part, stalls)));
}

function longestOutside({ from, to }: Span, spans: readonly Span[]): number {
  let longest = 0;
  let past = from;
  for (const span of spans.toSorted((a, b) => a.from - b.from)) {
    if (span.to <= past || span.from >= to) continue;
    longest = Math.max(longest, span.from - past);
    past = span.to;
  }
  return Math.max(longest, to - past);
}

/** How much of this time no gateway was seen alive. */
export function unseen({ from, to }: Span, lives: readonly Span[]): number {
  let dark = 0;
  let past = from;
  for (const life of lives.toSorted((a, b) => a.from - b.from)) {
    if (life.to <= past || life.from >= to) continue;
    dark += Math.max(0, life.from - past);
    past = life.to;
  }
  return dark + Math.max(0, to - past);
}
