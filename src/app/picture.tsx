/** The place of the picture of the search, filled when the first screen stands. */
import type { EngineSnapshot } from '../client/snapshot.ts';
import { texts } from './texts.ts';
import { useLoaded } from './use-loaded.ts';

/** Neither an answer of the gateway nor a refusal yet, and nothing known from earlier visits. */
export function isAsking({ contests, gateway }: EngineSnapshot): boolean {
  return contests.length === 0 && gateway.state === 'unknown';
}

export function Picture({ snapshot, contest: name }: { snapshot: EngineSnapshot; contest: string | undefined }) {
  const contest = snapshot.contests.find(({ manifest }) => manifest.name === name);
  const picture = useLoaded(contest !== undefined, () => import('./picture/search-picture.tsx'));
  // At the first visit there is nothing to show before the gateway's first answer: its room is kept, below the window's edge.
  if (isAsking(snapshot)) return <div class="picture-room unknown" />;
  if (contest === undefined) return null;
  return (
    <section class="section" aria-labelledby="picture">
      <h2 class="margin" id="picture">
        {texts.picture.title}
      </h2>
      {typeof picture === 'object' && <picture.SearchPicture snapshot={snapshot} contest={contest} />}
      {picture === undefined && <div class={`picture-room ${contest.manifest.search.kind}`} />}
      {typeof picture === 'string' && <p role="alert">{texts.notLoaded(picture)}</p>}
    </section>
  );
}
