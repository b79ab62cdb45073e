/** What was found, in a line for a terminal. */
import type { Announcement } from '../domain/contest.ts';

export function answerText(hit: Announcement): string {
  switch (hit.kind) {
    case 'rc5':
      return `key ${hit.key}: ${hit.message}`;
    case 'ogr':
      return `ruler of ${hit.marks.length} marks, length ${hit.marks.at(-1)}: ${hit.marks.join(' ')}`;
    case 'found':
      return `found on ${new Date(hit.at).toISOString().slice(0, 10)}${hit.by === undefined ? '' : ` by ${hit.by}`}; the keymaster keeps it`;
  }
}
