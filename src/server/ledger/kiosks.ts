/**
 * The kiosks that spoke here or below, each as it was last heard of: until it is written (a keymaster) or passed up (a
 * proxy) it is kept in memory. A kill loses some minutes of it, and the kiosk says it again.
 *
 * Anyone may call itself a kiosk, so there is an end to how many are kept: those that were silent longest go first, and one
 * that is alive comes back with its next word.
 */
import type { ClientInfo } from '../../domain/client.ts';
import type { KioskWord, PassedWord } from '../../domain/kiosk.ts';
import type { KnownKiosk } from '../../protocol/administration.ts';
import { type ExchangeRequest, MAX_KIOSKS } from '../../protocol/keyserver.ts';
import type { LedgerQueries } from '../store/queries.ts';
import type { KioskRow } from '../store/schema.ts';

const KEPT = 5000;
const FORGOTTEN_AFTER_MS = 90 * 86_400_000;
/** A proxy whose upstream is away keeps the words of so many. */
const MAX_WAITING = 4 * MAX_KIOSKS;

interface Heard {
  client: string;
  version: string;
  word: KioskWord;
  /** When it said so, and since when it has waited here. */
  at: number;
  since: number;
}

export class Kiosks {
  #heard = new Map<string, Heard>();

  /** @param sender by whom; a proxy speaks for those below it, anyone else for itself only. */
  hear({ client, kiosk, kiosks = [] }: ExchangeRequest, { isProxy }: { isProxy: boolean }, now: number): void {
    if (kiosk !== undefined && !isProxy) this.#note(heardFrom(client, kiosk, now));
    if (!isProxy) return;
    for (const { client: id, version, ageSeconds, ...word } of kiosks) {
      this.#note({ client: id, version, word: wordOf(word), at: Math.max(0, now - ageSeconds * 1000), since: now });
    }
  }

  #note(heard: Heard): void {
    const before = this.#heard.get(heard.client);
    if (before !== undefined && before.at > heard.at) return;
    // The one that has waited longest is the first.
    this.#heard.delete(heard.client);
    this.#heard.set(heard.client, heard);
    const [first] = this.#heard.keys();
    if (this.#heard.size > MAX_WAITING && first !== undefined) this.#heard.delete(first);
  }

  /** Since when the first of those has waited, milliseconds since 1970. */
  get waitingSince(): number | undefined {
    const [first] = this.#heard.values();
    return first?.since;
  }

  /** Writes what was heard. @returns what forgets it, to be called once that is committed. */
  async write({ kiosks }: LedgerQueries, now: number): Promise<() => void> {
    const some = [...this.#heard.values()];
    for (const heard of some) await kiosks.see(rowOf(heard));
    await kiosks.forgetBefore(now - FORGOTTEN_AFTER_MS);
    if (some.length > 0) await kiosks.keepLatest(KEPT);
    return () => this.#forget(some);
  }

  /** What is to be passed up. @returns it, and what forgets it once it has arrived. */
  pass(now: number): { words: PassedWord[]; passed: () => void } {
    const some = [...this.#heard.values()].slice(0, MAX_KIOSKS);
    const words = some.map(({ client, version, word, at }) => {
      return { ...word, client, version, ageSeconds: Math.max(0, Math.round((now - at) / 1000)) };
    });
    return { words, passed: () => this.#forget(some) };
  }

  #forget(some: readonly Heard[]): void {
    for (const heard of some) if (this.#heard.get(heard.client) === heard) this.#heard.delete(heard.client);
  }
}

const heardFrom = ({ id, version }: ClientInfo, word: KioskWord, at: number): Heard => ({
  client: id,
  version,
  word: wordOf(word),
  at,
  since: at,
});

/** Without fields that a newer version may have said besides. */
function wordOf({ label, rate, step, contest, pause, blocks, upSeconds }: KioskWord): KioskWord {
  return {
    ...(label === undefined || label === '' ? {} : { label }),
    rate,
    step,
    ...(contest === undefined ? {} : { contest }),
    ...(pause === undefined ? {} : { pause }),
    blocks,
    upSeconds,
  };
}

function rowOf({ client, version, word, at }: Heard): KioskRow {
  const { label = null, rate, step, contest = null, pause = null, blocks, upSeconds } = word;
  const heard = { label, rate, step, contest, pause, blocks, up_seconds: upSeconds };
  return { client, version, ...heard, first_seen: at, last_seen: at };
}

export function knownKiosk(row: KioskRow): KnownKiosk {
  const { client, version, label, rate, step, contest, pause, blocks, up_seconds, first_seen, last_seen } = row;
  return {
    client,
    version,
    ...(label === null ? {} : { label }),
    rate,
    step,
    ...(contest === null ? {} : { contest }),
    ...(pause === null ? {} : { pause }),
    blocks,
    upSeconds: up_seconds,
    firstSeenAt: first_seen,
    seenAt: last_seen,
  };
}
