/** Two gentler ways to stop: for some hours, and when the blocks in hand are done. */
import { useRef } from 'preact/hooks';
import type { EngineControl, EngineSnapshot } from '../client/snapshot.ts';
import { formatClock } from './format.ts';
import { texts } from './texts.ts';

const HOUR_MS = 3_600_000;
const hours = [1, 3, 6, 12];
/** When a person's tomorrow begins. */
const MORNING = 6;

interface Props {
  snapshot: EngineSnapshot;
  engine: EngineControl;
  /** These buttons are about to go: gives the keyboard another place. */
  onGone: () => void;
}

export function Later({ snapshot, engine, onGone }: Props) {
  const { finishing } = snapshot;
  const menu = useRef<HTMLDetailsElement>(null);
  const snooze = (until: number): void => {
    if (menu.current !== null) menu.current.open = false;
    engine.snooze(until);
    onGone();
  };
  return (
    <>
      <details
        class="menu"
        ref={menu}
        onKeyDown={({ key, currentTarget }) => {
          if (key === 'Escape') currentTarget.open = false;
        }}
      >
        <summary class="quiet" data-testid="snooze">
          {texts.snooze}
        </summary>
        <ul>
          {hours.map((count) => (
            <li key={count}>
              <button type="button" onClick={() => snooze(Date.now() + count * HOUR_MS)}>
                {texts.snoozeHours(count)}
              </button>
            </li>
          ))}
          <li>
            <button type="button" onClick={() => snooze(tomorrow())}>
              {texts.snoozeTomorrow(formatClock(tomorrow()))}
            </button>
          </li>
        </ul>
      </details>
      <button
        type="button"
        class="quiet"
        data-testid="finish"
        onClick={() => (finishing ? engine.start() : engine.finish())}
      >
        {finishing ? texts.keepGoing : texts.finish}
      </button>
    </>
  );
}

function tomorrow(): number {
  const now = new Date();
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1, MORNING).getTime();
}
