/** The hours in which work may be done: a row for each window of the week, in the words of `domain/schedule.ts`. */
import { parseWindow } from '../domain/schedule.ts';
import { settingsTexts } from './settings-texts.ts';

const t = settingsTexts;
/** As the schedule names them, and as a week is read; 0 is Sunday. */
const names = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const week = [1, 2, 3, 4, 5, 6, 0];
const night = 'mon,tue,wed,thu,fri 18:00-08:00';

interface Props {
  schedule: string[];
  set: (schedule: string[]) => void;
}

export function Hours({ schedule, set }: Props) {
  return (
    <div class="hours" role="group" aria-label={t.schedule}>
      <p>{schedule.length === 0 ? t.scheduleAlways : t.schedule}</p>
      {schedule.length > 0 && (
        <ul>
          {schedule.map((text, nth) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: two windows may be the same
            <li key={nth}>
              <WindowRow
                text={text}
                nth={nth + 1}
                set={(changed) => set(schedule.map((other, i) => (i === nth ? changed : other)))}
                remove={() => set(schedule.filter((_, i) => i !== nth))}
              />
            </li>
          ))}
        </ul>
      )}
      {schedule.length < 21 && (
        <button type="button" class="quiet" onClick={() => set([...schedule, night])}>
          {t.addHours}
        </button>
      )}
    </div>
  );
}

interface RowProps {
  text: string;
  nth: number;
  set: (text: string) => void;
  remove: () => void;
}

function WindowRow({ text, nth, set, remove }: RowProps) {
  const { days, from, to } = parseWindow(text);
  const change = (some: { days?: ReadonlySet<number>; from?: number; to?: number }): void =>
    set(windowText({ days, from, to, ...some }));
  const toggled = (day: number): ReadonlySet<number> => {
    const other = new Set(days);
    if (!other.delete(day)) other.add(day);
    return other.size === 0 ? days : other;
  };
  return (
    <div class="window" role="group" aria-label={t.window(nth)}>
      <span class="days">
        {week.map((day) => (
          <button
            key={day}
            type="button"
            class="day"
            aria-pressed={days.has(day)}
            title={t.dayNames[day]}
            onClick={() => change({ days: toggled(day) })}
          >
            {t.dayNames[day]?.slice(0, 3)}
          </button>
        ))}
      </span>
      <label>
        <span>{t.from}</span>
        <input
          type="time"
          required
          value={clock(from)}
          onChange={({ currentTarget }) => change({ from: minutes(currentTarget.value, from) })}
        />
      </label>
      <label>
        <span>{t.to}</span>
        <input
          type="time"
          required
          value={clock(to % 1440)}
          onChange={({ currentTarget }) => change({ to: minutes(currentTarget.value, to) || 1440 })}
        />
      </label>
      <button type="button" class="dismiss" aria-label={t.removeHours(nth)} title={t.remove} onClick={remove}>
        <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
          <path d="M5 5l10 10M15 5L5 15" />
        </svg>
      </button>
    </div>
  );
}

function windowText({ days, from, to }: { days: ReadonlySet<number>; from: number; to: number }): string {
  const named = week.filter((day) => days.has(day)).map((day) => names[day]);
  return `${named.join(',')} ${clock(from)}-${clock(to)}`;
}

const clock = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;

/** What the field had before, where it is empty. */
function minutes(text: string, before: number): number {
  const [hour, minute] = text.split(':').map(Number);
  return hour === undefined || minute === undefined ? before : hour * 60 + minute;
}
