/** What a test reads off the page, and how it waits for it: by the data attributes the page keeps for this. */
import type { Page } from 'playwright-core';

export interface Seen {
  running: boolean;
  pause: string | undefined;
  gateway: string | undefined;
  rate: number;
  inBuffer: number;
  outBuffer: number;
  blocksDone: number;
  workers: number;
  found: string;
  blocks: { lease: string; contest: string; steps: number }[];
  contests: Record<string, { state: string; done: number }>;
}

export function look(page: Page): Promise<Seen> {
  return page.evaluate(() => {
    const one = (id: string): HTMLElement | null => document.querySelector(`[data-testid=${id}]`);
    const count = (id: string): number => Number(one(id)?.dataset['count'] ?? Number.NaN);
    const all = (selector: string): HTMLElement[] => [...document.querySelectorAll<HTMLElement>(selector)];
    return {
      running: one('run')?.dataset['state'] === 'running',
      pause: one('pause')?.dataset['reason'],
      gateway: one('gateway')?.dataset['state'],
      rate: Number(one('rate')?.dataset['rate'] ?? 0),
      inBuffer: count('in-buffer'),
      outBuffer: count('out-buffer'),
      blocksDone: count('blocks-done'),
      workers: count('workers'),
      found: all('[data-testid=found-message]')
        .map((element) => element.innerText)
        .join('\n'),
      blocks: all('[data-block]').map(({ dataset }) => ({
        lease: dataset['block'] ?? '',
        contest: dataset['contest'] ?? '',
        steps: Number(dataset['steps']),
      })),
      contests: Object.fromEntries(
        all('[data-contest][data-state]').map(({ dataset }) => [
          dataset['contest'] ?? '',
          { state: dataset['state'] ?? '', done: Number(dataset['done']) },
        ]),
      ),
    };
  });
}

/** Looks until it likes what it sees; fails with the last sight after `seconds`. */
export async function until(page: Page, what: string, likes: (seen: Seen) => boolean, seconds = 120): Promise<Seen> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const seen = await look(page);
    if (likes(seen)) return seen;
    if (Date.now() > end) throw new Error(`waited ${seconds} s for: ${what}; saw ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The checkpoints in this profile's IndexedDB, by lease. */
export function checkpoints(page: Page): Promise<Record<string, { steps: number } | undefined>> {
  return page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open('tabherd');
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const reading = opening.result.transaction('in-buffer').objectStore('in-buffer').getAll();
          reading.onsuccess = () => {
            opening.result.close();
            const rows = reading.result as { lease: { id: string }; checkpoint?: { steps: number } }[];
            resolve(Object.fromEntries(rows.map(({ lease, checkpoint }) => [lease.id, checkpoint])));
          };
        };
      }),
  );
}
