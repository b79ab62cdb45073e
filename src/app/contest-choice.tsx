/**
 * The person's own order of contests, and their shares. A row is moved with its buttons, or by dragging; a contest that is
 * never to be worked on has the share 0.
 */
import { useState } from 'preact/hooks';
import type { Settings } from '../client/settings.ts';
import type { Contest } from '../domain/contest.ts';
import { settingsTexts } from './settings-texts.ts';

const t = settingsTexts;

interface Props {
  contests: readonly Contest[];
  settings: Settings;
  set: (change: Partial<Settings>) => void;
}

export function ContestChoice({ contests, settings, set }: Props) {
  const { choice, order, weights } = settings;
  const [dragged, drag] = useState<string | undefined>(undefined);
  const place = ({ manifest: { name } }: Contest): number =>
    order.includes(name) ? order.indexOf(name) : order.length;
  const rows = contests.filter(({ state }) => state.state === 'open').toSorted((a, b) => place(a) - place(b));
  const names = rows.map(({ manifest }) => manifest.name);
  const move = (name: string, to: number): void => {
    const others = names.filter((other) => other !== name);
    set({ order: others.toSpliced(to, 0, name) });
  };
  const weigh = (name: string, weight: number): void => set({ weights: { ...weights, [name]: weight } });
  if (rows.length === 0) return <p class="hint">{t.noContests}</p>;
  return (
    <ol class="order">
      {rows.map(({ manifest: { name, title } }, nth) => {
        const weight = weights[name] ?? 1;
        return (
          <li
            key={name}
            draggable={choice === 'order'}
            data-dragged={dragged === name}
            data-never={weight === 0}
            onDragStart={() => drag(name)}
            onDragEnd={() => drag(undefined)}
            onDragOver={(event) => {
              event.preventDefault();
              if (dragged !== undefined && dragged !== name) move(dragged, nth);
            }}
          >
            {choice === 'order' ? (
              <>
                <label class="tick">
                  <input
                    type="checkbox"
                    checked={weight > 0}
                    onChange={({ currentTarget }) => weigh(name, currentTarget.checked ? 1 : 0)}
                  />
                  <span>{title}</span>
                </label>
                <span class="moves">
                  <Move label={t.up(title)} path="M5 12l5-5 5 5" possible={nth > 0} go={() => move(name, nth - 1)} />
                  <Move
                    label={t.down(title)}
                    path="M5 8l5 5 5-5"
                    possible={nth < rows.length - 1}
                    go={() => move(name, nth + 1)}
                  />
                </span>
              </>
            ) : (
              <label class="share">
                <span>{title}</span>
                <input
                  type="number"
                  min={0}
                  max={100}
                  value={weight}
                  onChange={({ currentTarget }) => {
                    // A field that was emptied means what it meant before, not never.
                    if (currentTarget.value === '') currentTarget.value = String(weight);
                    weigh(name, Math.max(0, Math.min(100, Math.round(Number(currentTarget.value)))));
                  }}
                />
              </label>
            )}
          </li>
        );
      })}
    </ol>
  );
}

function Move({ label, path, possible, go }: { label: string; path: string; possible: boolean; go: () => void }) {
  return (
    <button type="button" class="step" aria-label={label} aria-disabled={!possible} onClick={() => possible && go()}>
      <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
        <path d={path} />
      </svg>
    </button>
  );
}
