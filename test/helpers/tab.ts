/** What a test reads off the page, and how it waits for it: by the data attributes the page keeps for this. */
import type { BlockCheckpoint, Report } from '../../src/domain/work.ts';

/** A tab of any browser: Playwright's `Page`, or what `browsers.ts` makes of a WebDriver's. */
export interface Evaluates {
  /** Runs the function in the tab; what it returns, or promises, comes back as JSON would have it. */
  evaluate<T>(run: () => T | Promise<T>): Promise<T>;
}

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

export function look(page: Evaluates): Promise<Seen> {
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
export async function until(
  page: Evaluates,
  what: string,
  likes: (seen: Seen) => boolean,
  seconds = 120,
): Promise<Seen> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const seen = await look(page);
    if (likes(seen)) return seen;
    if (Date.now() > end) throw new Error(`waited ${seconds} s for: ${what}; saw ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** The checkpoints in this profile's IndexedDB, by lease. */
export async function checkpoints(page: Evaluates): Promise<Record<string, BlockCheckpoint | undefined>> {
  const { blocks } = await buffers(page);
  return Object.fromEntries(blocks.map(({ lease, checkpoint }) => [lease.id, checkpoint]));
}

/** The reports in this profile's IndexedDB that wait to be sent. */
export const reportsWaiting = async (page: Evaluates): Promise<Report[]> => (await buffers(page)).reports;

interface Kept {
  blocks: { lease: { id: string }; checkpoint?: BlockCheckpoint }[];
  reports: Report[];
}

function buffers(page: Evaluates): Promise<Kept> {
  return page.evaluate(
    () =>
      new Promise<Kept>((resolve, reject) => {
        const opening = indexedDB.open('tabherd');
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const reading = opening.result.transaction(['in-buffer', 'out-buffer']);
          const blocks = reading.objectStore('in-buffer').getAll();
          const reports = reading.objectStore('out-buffer').getAll();
          reading.oncomplete = () => {
            opening.result.close();
            resolve({ blocks: blocks.result, reports: reports.result });
          };
        };
      }),
  );
}
