/**
 * The screen that a kiosk hangs on: full, awake, without a cursor, and never showing the same picture on the same pixels.
 * Everything here may be missing in a browser, and is asked for again when it was lost.
 */

/** Each picture stands for so long. */
export const SHIFT_MS = 60_000;
const REACH_PX = 9;
const IDLE_MS = 3_000;

/** Where the picture stands the n-th time, in pixels: a curve that returns only after an hour. */
export function shiftOf(nth: number): { x: number; y: number } {
  return {
    x: Math.round(REACH_PX * Math.sin((2 * Math.PI * 7 * nth) / 60)),
    y: Math.round(REACH_PX * Math.sin((2 * Math.PI * 11 * nth) / 60)),
  };
}

/** Keeps the screen on while the page is to be seen. @returns the way to stop it. */
export function keepAwake(told: (awake: boolean) => void): () => void {
  const { wakeLock } = navigator as { wakeLock?: WakeLock };
  let lock: WakeLockSentinel | undefined;
  let over = false;
  let asking = false;
  const ask = async (): Promise<void> => {
    if (over || asking || document.hidden || (lock !== undefined && !lock.released)) return;
    asking = true;
    try {
      lock = await wakeLock?.request('screen');
      // The browser takes it away when the page is hidden, or the battery low.
      lock?.addEventListener('release', () => told(false));
      if (over) await lock?.release();
    } catch {
      lock = undefined;
    }
    asking = false;
    told(lock !== undefined && !lock.released);
  };
  const timer = setInterval(() => void ask(), SHIFT_MS);
  const onVisible = (): void => void ask();
  document.addEventListener('visibilitychange', onVisible);
  void ask();
  return () => {
    over = true;
    clearInterval(timer);
    document.removeEventListener('visibilitychange', onVisible);
    void lock?.release().catch(() => undefined);
  };
}

export function isFull(): boolean {
  return document.fullscreenElement !== null || matchMedia('(display-mode: fullscreen)').matches;
}

/** Browsers fill the screen only when a person has just touched it, so every touch asks until it is. */
export function fillScreen(told: (full: boolean) => void): () => void {
  const ask = (): void => {
    if (isFull() || !document.fullscreenEnabled) return;
    document.documentElement.requestFullscreen({ navigationUI: 'hide' }).catch(() => undefined);
  };
  const changed = (): void => told(isFull());
  document.addEventListener('pointerup', ask);
  document.addEventListener('fullscreenchange', changed);
  changed();
  return () => {
    document.removeEventListener('pointerup', ask);
    document.removeEventListener('fullscreenchange', changed);
  };
}

/** Tells when nobody has moved anything for some seconds. */
export function watchIdle(told: (idle: boolean) => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stir = (): void => {
    clearTimeout(timer);
    told(false);
    timer = setTimeout(() => told(true), IDLE_MS);
  };
  const signs = ['pointermove', 'pointerdown', 'keydown', 'focusin'];
  for (const sign of signs) addEventListener(sign, stir, { passive: true });
  stir();
  return () => {
    clearTimeout(timer);
    for (const sign of signs) removeEventListener(sign, stir);
  };
}
