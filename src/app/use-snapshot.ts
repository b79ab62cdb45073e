/**
 * The two clocks of the page: the engine's snapshot, and the time of day for the few sentences that count down.
 * The engine makes a new snapshot at most once a second besides changes of state, so each one is simply drawn.
 */
import { useEffect, useState } from 'preact/hooks';
import type { EngineControl, EngineSnapshot } from '../client/snapshot.ts';

export function useSnapshot(engine: EngineControl): EngineSnapshot {
  const [snapshot, setSnapshot] = useState(engine.snapshot);
  useEffect(() => {
    const stop = engine.subscribe(setSnapshot);
    // What changed between the first drawing and the subscription.
    setSnapshot(engine.snapshot);
    return stop;
  }, [engine]);
  return snapshot;
}

/** Milliseconds since 1970; renewed every second while `ticking`. */
export function useNow(ticking: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!ticking) return undefined;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [ticking]);
  return now;
}
