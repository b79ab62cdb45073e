/** The place of the picture of the search, filled when the first screen stands. */
import type { EngineSnapshot } from '../client/snapshot.ts';
import { texts } from './texts.ts';
import { useLoaded } from './use-loaded.ts';

export function Picture({ snapshot, contest: name }: { snapshot: EngineSnapshot; contest: string | undefined }) {
  const contest = snapshot.contests.find(({ manifest }) => manifest.name === name);
  const picture = useLoaded(contest !== undefined, () => import('./picture/search-picture.tsx'));
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
