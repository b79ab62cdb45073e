/** The number on the installed app's icon: blocks finished since the person last looked. Gone as soon as they look. */
import type { EngineControl, EngineSnapshot } from '../client/snapshot.ts';

type Badges = Required<Pick<Navigator, 'setAppBadge' | 'clearAppBadge'>>;

export function badge(engine: EngineControl, { setAppBadge, clearAppBadge }: Badges): void {
  let seen = finished(engine.snapshot);
  let shown = 0;
  const show = (count: number): void => {
    if (count === shown) return;
    shown = count;
    const done = count > 0 ? setAppBadge.call(navigator, count) : clearAppBadge.call(navigator);
    done.catch(() => undefined);
  };
  const look = (snapshot: EngineSnapshot): void => {
    if (!document.hidden) seen = finished(snapshot);
    // Fewer than were seen: everything was deleted.
    show(Math.max(0, finished(snapshot) - seen));
  };
  void clearAppBadge.call(navigator).catch(() => undefined);
  engine.subscribe(look);
  document.addEventListener('visibilitychange', () => look(engine.snapshot));
}

const finished = ({ totals, outBuffer }: EngineSnapshot): number =>
  Object.values(totals).reduce((sum, { blocks }) => sum + blocks, 0) + outBuffer;
