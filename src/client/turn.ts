/** One engine over all tabs of a browser profile: the Web Lock of this name is held by the one that runs. */
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
