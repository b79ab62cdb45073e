/**
 * An answer of the keyserver's that a page shows: asked for when the page is, and again every half minute while it is looked at.
 * While the next is awaited, and where it does not come, what was last shown stays.
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

export function useAnswer<T>(key: string, ask: () => Promise<T>, reached: boolean): Answer<T> {
  const [told, setTold] = useState<{ key: string; error: unknown }>({ key: '', error: undefined });
  const last = useRef<T | undefined>(undefined);
  const asking = useRef(ask);
  asking.current = ask;
  const latest = useRef(key);
  latest.current = key;

  const again = useCallback(() => {
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
        if (latest.current === key) setTold({ key, error });
      })
      .catch(() => {});
  }, [key]);

  useEffect(() => {
    again();
    const timer = setInterval(() => {
      if (!document.hidden) again();
    }, AGAIN_MS);
    return () => clearInterval(timer);
    // When the gateway is back, too.
  }, [again, reached]);

  const own = kept.get(key) as T | undefined;
  if (own !== undefined) last.current = own;
  const error = told.key === key ? told.error : undefined;
  return { value: own ?? last.current, isOther: own === undefined, error, again };
}
