/**
 * What the engine wanted the person to know, newest first, the older ones folded away; and the conditions
 * that last: no gateway while work goes on, a page that is too old for new work or about to be newer, and a browser that keeps nothing.
 */
import type { EngineControl, EngineSnapshot, Notice } from '../client/snapshot.ts';
import { formatClock } from './format.ts';
import { renew } from './renew.ts';
import { texts } from './texts.ts';

const shown = 3;

export function Notices({ notices }: { notices: Notice[] }) {
  if (notices.length === 0) return null;
  const newestFirst = notices.toReversed();
  const older = newestFirst.slice(shown);
  return (
    <section class="section" aria-labelledby="notices">
      <h2 class="margin" id="notices">
        {texts.notices}
      </h2>
      <div class="notices">
        <NoticeList notices={newestFirst.slice(0, shown)} />
        {older.length > 0 && (
          <details>
            <summary>{texts.olderNotices(older.length)}</summary>
            <NoticeList notices={older} />
          </details>
        )}
      </div>
    </section>
  );
}

function NoticeList({ notices }: { notices: Notice[] }) {
  return (
    <ul>
      {notices.map((notice) => (
        <li key={`${notice.at} ${notice.text}`}>
          <time datetime={new Date(notice.at).toISOString()}>{formatClock(notice.at)}</time>
          <span>{notice.text}</span>
        </li>
      ))}
    </ul>
  );
}

/** True while work goes on without a gateway. */
export function worksOffline({ gateway, pause }: EngineSnapshot): boolean {
  return gateway.state === 'unreachable' && pause === null;
}

export function Conditions({ snapshot, engine }: { snapshot: EngineSnapshot; engine: EngineControl }) {
  const offline = worksOffline(snapshot);
  const { storage } = snapshot;
  // Once the stock is used up, it is the reason why nothing runs, and said above.
  const tooOld = snapshot.pause?.reason === 'too-old' ? null : snapshot.tooOld;
  const updateWaits = snapshot.updateWaits && snapshot.pause?.reason !== 'updating';
  const isRescued = storage === 'full' || storage === 'gone';
  if (!offline && storage === 'kept' && !updateWaits && tooOld === null) return null;
  return (
    <div class="section">
      <div class="conditions">
        {offline && (
          <div class="condition" data-condition="offline">
            <p>{texts.offline(snapshot.inBuffer, snapshot.outBuffer)}</p>
            <button type="button" class="quiet" onClick={() => engine.retry()}>
              {texts.tryAgain}
            </button>
          </div>
        )}
        {tooOld !== null && (
          <div class="condition" data-condition="too-old">
            <p>{texts.tooOld(tooOld.version)}</p>
            <button type="button" class="quiet" onClick={() => void renew(true)}>
              {texts.updateNow}
            </button>
          </div>
        )}
        {updateWaits && (
          <div class="condition" data-condition="update">
            <p>{texts.updateWaits}</p>
            <button type="button" class="quiet" onClick={() => void renew(true)}>
              {texts.updateNow}
            </button>
          </div>
        )}
        {storage !== 'kept' && (
          <div class="condition" data-condition="storage" data-loss={storage}>
            <p>{texts.storage[storage]}</p>
            <button type="button" class="quiet" onClick={() => (isRescued ? engine.retry() : location.reload())}>
              {isRescued ? texts.tryAgain : texts.loadAgain}
            </button>
          </div>
        )}
      </div>
    </div>
  );
}
