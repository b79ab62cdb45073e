/** The contests that come with Tabherd, in the order in which work is handed out: the warm-ups first. */
import type { ContestManifest } from '../domain/contest.ts';
import ogr14 from './manifests/ogr-14.json' with { type: 'json' };
import ogr29 from './manifests/ogr-29.json' with { type: 'json' };
import rc5x56 from './manifests/rc5-56.json' with { type: 'json' };
import rc5x72 from './manifests/rc5-72.json' with { type: 'json' };

export const manifests = [rc5x56, ogr14, rc5x72, ogr29] as ContestManifest[];
