/**
 * An answer of the keyserver's that a page shows: asked for when the page is, and again every half minute, or as often as it is told,
 * while it is looked at. While the next is awaited, and where it does not come, what was last shown stays.
 */
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

const AGAIN_MS = 30_000;
const KEPT = 32;

/** By key, for whoever comes back to a page. */
const kept = new Map<string, unknown>();

export interface Answer<T> {
  /** The one to this key; where there is none yet, the last one to another. */
  value: T | undefined;
  /** Whether `value` answers another key. */
  isOther: boolean;
  error: unknown;
  again: () => void;
}

/** @param everyMs how often it is asked for; 0: not at all, what is shown stays. */
export function useAnswer<T>(key: string, ask: () => Promise<T>, reached: boolean, everyMs = AGAIN_MS): Answer<T> {
  const [told, setTold] = useState<{ key: string; error: unknown }>({ key: '', error: undefined });
  const last = useRef<T | undefined>(undefined);
  const asking = useRef(ask);
  asking.current = ask;
  const latest = useRef(key);
  latest.current = key;
  /** The key whose answer is awaited. */
  const awaited = useRef<string | undefined>(undefined);

  const again = useCallback(() => {
    awaited.current = key;
    asking
      .current()
      .then(
        (value) => {
          kept.delete(key);
          kept.set(key, value);
          if (kept.size > KEPT) kept.delete(kept.keys().next().value ?? '');
          return undefined;
        },
        (error: unknown) => error,
      )
      .then((error) => {
        if (awaited.current === key) awaited.current = undefined;
        if (latest.current === key) setTold({ key, error });
      })
      .catch(() => {});
  }, [key]);

  useEffect(() => {
    if (everyMs === 0) return undefined;
    again();
    const timer = setInterval(() => {
      if (!document.hidden && awaited.current !== key) again();
    }, everyMs);
    return () => clearInterval(timer);
    // When the gateway is back, too.
  }, [again, reached, everyMs]);

  const own = kept.get(key) as T | undefined;
  if (own !== undefined) last.current = own;
  const error = told.key === key ? told.error : undefined;
  return { value: own ?? last.current, isOther: own === undefined, error, again };
}
