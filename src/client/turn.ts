/**
 * One engine over all tabs of a browser profile. The Web Lock of this name is held by the tab that runs; start and
 * pause are told to all tabs over the BroadcastChannel of the same name.
 *
 * A page over plain HTTP from another machine has no Web Locks. There the tabs talk: one that wants its turn asks
 * whether another runs, and takes it when nobody says so; of two that ask at once, the smaller number goes first.
 */
import type { EnginePorts } from './ports.ts';

const NAME = 'tabherd-engine';
/** How long an asking tab waits for an answer, and how often it asks again. */
const ANSWER_MS = 500;
const ASK_AGAIN_MS = 2_000;

/** Resolves when no other tab runs the engine, with the way to let another have its turn. */
export async function takeTurn(onWait: () => void): Promise<() => void> {
  if (!('locks' in navigator)) return takeTurnByTalking(onWait);
  const free = await hold({ ifAvailable: true });
  if (free !== undefined) return free;
  onWait();
  return (await hold({})) ?? (() => {});
}

function hold(options: LockOptions): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    navigator.locks
      .request(NAME, options, (lock) => {
        if (lock === null) return resolve(undefined);
        return new Promise<void>((release) => resolve(release));
      })
      .catch(reject);
  });
}

type Talk = { ask: number } | { runs: number };

export async function takeTurnByTalking(onWait: () => void): Promise<() => void> {
  const channel = new BroadcastChannel(`${NAME}-turn`);
  const mine = Math.random();
  let runs = false;
  let taken = false;
  channel.onmessage = ({ data }: MessageEvent<Talk>) => {
    if ('runs' in data) taken = true;
    else if (runs || mine < data.ask) channel.postMessage({ runs: mine } satisfies Talk);
  };
  for (;;) {
    taken = false;
    channel.postMessage({ ask: mine } satisfies Talk);
    await new Promise((resolve) => setTimeout(resolve, ANSWER_MS));
    if (!taken) break;
    onWait();
    await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
  }
  runs = true;
  return () => channel.close();
}

/** The other tabs. */
export function otherTabs(): NonNullable<EnginePorts['others']> {
  const channel = new BroadcastChannel(NAME);
  return {
    tell: (wanted, stopped) => channel.postMessage({ wanted, stopped }),
    listen(hear) {
      channel.onmessage = ({ data }: MessageEvent<{ wanted: boolean; stopped?: string }>) =>
        hear(data.wanted, data.stopped);
    },
  };
}
