/**
 * One engine over all tabs of a browser profile. The Web Lock of this name is held by the tab that runs; start and
 * pause are told to all tabs over the BroadcastChannel of the same name.
 */
import type { EnginePorts } from './engine.ts';

const NAME = 'tabherd-engine';

/** Resolves when no other tab runs the engine, with the way to let another have its turn. */
export async function takeTurn(onWait: () => void): Promise<() => void> {
  // Without Web Locks (a browser of before 2022) every tab is on its own: leases keep them apart.
  if (!('locks' in navigator)) return () => {};
  return (await hold({ ifAvailable: true })) ?? (onWait(), (await hold({})) as () => void);
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

/** The other tabs. */
export function otherTabs(): NonNullable<EnginePorts['others']> {
  const channel = new BroadcastChannel(NAME);
  return {
    tell: (wanted) => channel.postMessage({ wanted }),
    listen(hear) {
      channel.onmessage = ({ data }: MessageEvent<{ wanted: boolean }>) => hear(data.wanted);
    },
  };
}
