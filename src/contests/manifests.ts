/** The contests that come with Tabherd, in the order in which work is handed out: the warm-ups first. */
import type { ContestManifest } from '../domain/contest.ts';
import rc5x56 from './manifests/rc5-56.json' with { type: 'json' };
import rc5x72 from './manifests/rc5-72.json' with { type: 'json' };

export const manifests = [rc5x56, rc5x72] as ContestManifest[];
