/**
 * The visitor's consent, for this site only: browsers keep what a frame stores apart for each site that embeds it. Nothing is
 * stored before it is given, and nothing is left of it once it is withdrawn. Where nothing can be stored it holds until the page
 * is left.
 */

export const LASTS = ['visit', 'day', 'month'] as const;
/** For how long: until the tab is closed, or so many milliseconds. */
export type Lasts = (typeof LASTS)[number];

const MS: Readonly<Record<Exclude<Lasts, 'visit'>, number>> = { day: 86_400_000, month: 30 * 86_400_000 };

export interface Given {
  /** Milliseconds since 1970; absent: until the tab is closed. */
  until?: number;
}

export class Consent {
  readonly #key: string;
  #given: Given | undefined;
  readonly #channel: BroadcastChannel | undefined;
  /** Given or withdrawn here or in another frame of this site. */
  onChange: () => void = () => {};

  /** @param profile names what belongs to one site. */
  constructor(profile: string) {
    this.#key = `${profile}-consent`;
    this.#given = this.#read();
    try {
      this.#channel = new BroadcastChannel(this.#key);
      this.#channel.onmessage = ({ data }: MessageEvent<Given | null>) => {
        this.#given = data ?? undefined;
        // Each tab keeps its own of a visit's.
        if (data === null) this.#remove();
        this.onChange();
      };
    } catch {
      // Then other frames do not hear of it.
    }
  }

  get given(): Given | undefined {
    const { until = Number.POSITIVE_INFINITY } = this.#given ?? {};
    return until > Date.now() ? this.#given : undefined;
  }

  /** @returns whether it will be remembered. */
  give(lasts: Lasts): boolean {
    this.#given = lasts === 'visit' ? {} : { until: Date.now() + MS[lasts] };
    this.#channel?.postMessage(this.#given);
    try {
      (lasts === 'visit' ? sessionStorage : localStorage).setItem(this.#key, JSON.stringify(this.#given));
      return true;
    } catch {
      return false;
    }
  }

  withdraw(): void {
    this.#given = undefined;
    this.#remove();
    this.#channel?.postMessage(null);
  }

  #remove(): void {
    try {
      sessionStorage.removeItem(this.#key);
      localStorage.removeItem(this.#key);
    } catch {
      // Nothing was stored, either.
    }
  }

  #read(): Given | undefined {
    try {
      const text = localStorage.getItem(this.#key) ?? sessionStorage.getItem(this.#key);
      const kept = text === null ? undefined : (JSON.parse(text) as Given);
      return typeof kept === 'object' && kept !== null ? kept : undefined;
    } catch {
      return undefined;
    }
  }
}

/** Deletes what the widget has kept for this site. */
export function forgetAll(profile: string): Promise<void> {
  return new Promise((resolve) => {
    try {
      const deleting = indexedDB.deleteDatabase(profile);
      deleting.onsuccess = () => resolve();
      deleting.onerror = () => resolve();
      deleting.onblocked = () => resolve();
    } catch {
      resolve();
    }
  });
}

/** The same of a visit that is over, or of a time that ran out while nobody looked; not where another tab is at work with it. */
export async function forgetLeftovers(profile: string): Promise<void> {
  try {
    const { held = [] } = await navigator.locks.query();
    if (held.some(({ name }) => name === `${profile}-engine`)) return;
    const databases = await indexedDB.databases();
    if (databases.some(({ name }) => name === profile)) await forgetAll(profile);
  } catch {
    // Where nothing can be asked nothing was kept.
  }
}
