/**
 * The first page: every part of the engine's snapshot drawn once, in the order in which a visitor asks. It holds no
 * state of its own; what the person does goes to the engine and comes back as the next snapshot.
 */
import { useEffect } from 'preact/hooks';
import type { EngineControl, EngineSnapshot } from '../client/snapshot.ts';
import type { ContestManifest } from '../domain/contest.ts';
import { Blocks } from './blocks.tsx';
import { Contests } from './contests.tsx';
import { Cores } from './cores.tsx';
import { Facts } from './facts.tsx';
import { Hero } from './hero.tsx';
import { Conditions, Notices, worksOffline } from './notices.tsx';
import { isAsking, Picture } from './picture.tsx';
import { Settings } from './settings.tsx';
import { texts } from './texts.ts';
import { useLoaded } from './use-loaded.ts';

export function App({ snapshot, engine }: { snapshot: EngineSnapshot; engine: EngineControl }) {
  const contest = contestInHand(snapshot);
  const state = texts.state(snapshot.pause);
  const found = useLoaded(snapshot.found.length > 0, () => import('./found.tsx'));
  useEffect(() => {
    document.title = snapshot.pause?.reason === 'not-started' ? texts.brand : texts.documentTitle(state);
  }, [snapshot.pause?.reason, state]);
  return (
    <>
      <main tabIndex={-1}>
        <Hero snapshot={snapshot} engine={engine} contest={contest} />
        <Conditions snapshot={snapshot} engine={engine} />
        {typeof found === 'object' && <found.Found found={snapshot.found} contests={snapshot.contests} />}
        {snapshot.pause?.reason !== 'not-started' && <Blocks snapshot={snapshot} />}
        <Picture snapshot={snapshot} contest={contest?.name} />
        {!isAsking(snapshot) && (
          <>
            <Facts snapshot={snapshot} engine={engine} />
            <Contests snapshot={snapshot} engine={engine} />
            <Settings snapshot={snapshot} engine={engine} />
          </>
        )}
        <Cores snapshot={snapshot} engine={engine} />
        <Notices notices={snapshot.notices} />
      </main>
      {/* Speaks when the state changes, and only then: the figures above tick too often to be read out. */}
      <p class="visually-hidden" role="status">
        {texts.announce(snapshot.pause, contest?.title ?? '', {
          offline: worksOffline(snapshot),
          tooOld: snapshot.tooOld !== null,
        })}
      </p>
      <p class="visually-hidden" role="status">
        {snapshot.found.length > 0 && texts.found}
      </p>
    </>
  );
}

/** The contest of the first block in hand; without one, the first that is open: it would be next. */
function contestInHand({ blocks, contests }: EngineSnapshot): ContestManifest | undefined {
  const name = blocks[0]?.contest;
  const inHand = contests.find(({ manifest }) => manifest.name === name);
  return (inHand ?? contests.find(({ state }) => state.state === 'open'))?.manifest;
}
