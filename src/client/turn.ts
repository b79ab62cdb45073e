/**
 * One engine over all tabs of a browser profile. A Web Lock is held by the tab that runs; what a person
 * does, and how it goes, is told to all tabs over the BroadcastChannel of the same name, `tabherd-engine` for the app's.
 *
 * A page over plain HTTP from another machine has no Web Locks. There the tabs talk: one that wants its turn asks
 * whether another runs, and takes it when nobody says so; of two that ask at once, the smaller number goes first.
 */
import type { EnginePorts, TabMessage, Turn, Turns } from './ports.ts';

const nameOf = (profile: string): string => `${profile}-engine`;
/** How long an asking tab waits for an answer, and how often it asks again. */
const ANSWER_MS = 500;
const ASK_AGAIN_MS = 2_000;

export const browserTurns = (profile: string): Turns =>
  'locks' in navigator ? new LockedTurns(nameOf(profile)) : new TalkedTurns(nameOf(profile));

class LockedTurns implements Turns {
  readonly #name: string;
  #stealNow: (() => void) | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  async take(onWait: () => void): Promise<Turn> {
    const free = await hold(this.#name, { ifAvailable: true });
    if (free !== undefined) return free;
    const cancelled = new AbortController();
    const stolen = new Promise<Turn | undefined>((resolve) => {
      this.#stealNow = () => {
        cancelled.abort();
        resolve(hold(this.#name, { steal: true }));
      };
    });
    onWait();
    const turn = await Promise.race([hold(this.#name, { signal: cancelled.signal }).catch(() => stolen), stolen]);
    this.#stealNow = undefined;
    return turn ?? this.take(onWait);
  }

  steal(): void {
    this.#stealNow?.();
  }
}

/** Undefined: another tab has the lock, and it was not to be waited for. */
function hold(name: string, options: LockOptions): Promise<Turn | undefined> {
  return new Promise((resolve, reject) => {
    let lose = (): void => {};
    const lost = new Promise<void>((taken) => {
      lose = taken;
    });
    navigator.locks
      .request(name, options, (lock) => {
        if (lock === null) return resolve(undefined);
        return new Promise<void>((release) => resolve({ giveUp: release, lost }));
      })
      // Before it was held: it could not be had. After: another tab stole it.
      .catch((reason: unknown) => {
        lose();
        reject(reason);
      });
  });
}

type Talk = { ask: number } | { runs: number } | { steal: number };

export class TalkedTurns implements Turns {
  readonly #name: string;
  #steals = false;
  #wake: () => void = () => {};

  constructor(name: string) {
    this.#name = name;
  }

  async take(onWait: () => void): Promise<Turn> {
    const channel = new BroadcastChannel(`${this.#name}-turn`);
    const mine = Math.random();
    const tell = (talk: Talk): void => channel.postMessage(talk);
    let runs = false;
    let taken = false;
    let lose = (): void => {};
    const lost = new Promise<void>((resolve) => {
      lose = resolve;
    });
    channel.onmessage = ({ data }: MessageEvent<Talk>) => {
      if ('runs' in data) taken = true;
      else if ('steal' in data) {
        if (runs) lose();
        runs = false;
        taken = true;
      } else if (runs || mine < data.ask) tell({ runs: mine });
    };
    this.#steals = false;
    for (;;) {
      taken = false;
      tell({ ask: mine });
      await this.#sleep(ANSWER_MS);
      if (!taken || this.#steals) break;
      onWait();
      await this.#sleep(ASK_AGAIN_MS);
    }
    if (this.#steals) tell({ steal: mine });
    runs = true;
    return { giveUp: () => channel.close(), lost };
  }

  steal(): void {
    this.#steals = true;
    this.#wake();
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** The other tabs. */
export function otherTabs(profile: string): NonNullable<EnginePorts['others']> {
  const channel = new BroadcastChannel(nameOf(profile));
  return {
    tell: (message) => channel.postMessage(message),
    listen(hear) {
      channel.onmessage = ({ data }: MessageEvent<TabMessage>) => hear(data);
    },
  };
}
