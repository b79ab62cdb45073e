/**
 * Brings a newer version of the page: the browser fetches the new service worker, which takes
 * over at once instead of when the last tab of the old version is closed, and the tabs reload under it. They go on from
 * their checkpoints. Without a service worker (plain HTTP) a reload is the person's to ask for.
 */
import { TAKE_OVER } from '../client/flush.ts';

const LOOK_MS = 3_600_000;

/** @param asked by the person: the page is then loaded anew even where nothing newer was found. */
export async function renew(asked: boolean): Promise<void> {
  const registration = await navigator.serviceWorker?.getRegistration();
  await registration?.update().catch((error: unknown) => console.warn('No newer version was found:', error));
  const fresh = registration?.installing ?? registration?.waiting;
  if (fresh !== undefined && fresh !== null) {
    await reached(fresh, ['installed', 'activated', 'redundant']);
    fresh.postMessage(TAKE_OVER);
    await reached(fresh, ['activated', 'redundant']);
  }
  // Where it took over, `reloadUnderNewVersion` has begun to reload.
  if (asked) location.reload();
}

/**
 * A page that stays open for months never loads itself, which is when browsers look.
 * @param onWaiting again, where one that was here before has not taken over.
 */
export function lookForUpdates(onWaiting: () => void): void {
  setInterval(() => {
    void navigator.serviceWorker.getRegistration().then(async (registration) => {
      await registration?.update().catch(() => undefined);
      if (registration?.waiting) onWaiting();
    });
  }, LOOK_MS);
}

/** Every tab of the old version reloads when a new one takes over: the files it might still fetch are gone. */
export function reloadUnderNewVersion(keep: () => Promise<void>): void {
  // The first service worker of a profile takes over a page of its own version.
  let firstVisit = navigator.serviceWorker.controller === null;
  navigator.serviceWorker.addEventListener('controllerchange', () => {
    if (!firstVisit) void keep().finally(() => location.reload());
    firstVisit = false;
  });
}

function reached(worker: ServiceWorker, states: readonly ServiceWorkerState[]): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (states.includes(worker.state)) resolve();
    };
    worker.addEventListener('statechange', look);
    look();
  });
}
