/** Parts of the page that are loaded when they are wanted, so that the first screen need not wait for them. */
import { useEffect, useState } from 'preact/hooks';

/** What was loaded; undefined until then, and why not where it could not be. */
export function useLoaded<T extends object>(isWanted: boolean, load: () => Promise<T>): T | string | undefined {
  const [loaded, setLoaded] = useState<T | string | undefined>(undefined);
  useEffect(() => {
    if (!isWanted) return;
    load().then(setLoaded, (error: unknown) => setLoaded(error instanceof Error ? error.message : String(error)));
  }, [isWanted]);
  return loaded;
}
