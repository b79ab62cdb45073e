/**
 * What a person may choose, loaded when it is asked for. Every change takes effect at once and is kept; there is nothing to
 * save. The number of workers stands above, where its effect is seen.
 */
import './settings.css';
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { askToTellUse, canTellUse } from '../client/browser-conditions.ts';
import { type Settings as Chosen, DEFAULTS } from '../client/settings.ts';
import type { EngineControl, EngineSnapshot } from '../client/snapshot.ts';
import { ContestChoice } from './contest-choice.tsx';
import { Data } from './data.tsx';
import { Hours } from './hours.tsx';
import { settingsTexts } from './settings-texts.ts';

const t = settingsTexts;
const stocks = [1 / 6, 1, 4, 12, 24, 72, 168];

export function SettingsForm({ snapshot, engine }: { snapshot: EngineSnapshot; engine: EngineControl }) {
  const { contests, maxWorkers, settings } = snapshot;
  const set = (change: Partial<Chosen>): void => engine.configure(change);
  return (
    <>
      <Group title={t.howMuch}>
        <Range label={t.throttle} value={settings.throttle} set={(throttle) => set({ throttle })} />
        <Choice
          label={t.inUse}
          name="inUse"
          value={settings.inUse}
          options={{ same: t.inUseSame, less: t.inUseLess, pause: t.inUsePause }}
          set={(inUse) => {
            if (inUse !== 'same') void askToTellUse();
            set({ inUse });
          }}
        />
        {settings.inUse === 'less' && (
          <>
            <label class="field">
              <span>{t.workersInUse}</span>
              <input
                type="number"
                min={1}
                max={maxWorkers}
                value={settings.workersInUse}
                onChange={({ currentTarget }) => set({ workersInUse: Number(currentTarget.value) })}
              />
            </label>
            <Range
              label={t.throttleInUse}
              value={settings.throttleInUse}
              set={(throttleInUse) => set({ throttleInUse })}
            />
          </>
        )}
        {settings.inUse !== 'same' && <p class="hint">{canTellUse() ? t.canTellUse : t.cannotTellUse}</p>}
      </Group>
      <Group title={t.when}>
        <Tick
          label={t.onBattery}
          value={settings.onBattery === 'pause'}
          set={(on) => set({ onBattery: on ? 'pause' : 'same' })}
        />
        <Tick
          label={t.whenBusy}
          value={settings.whenBusy === 'pause'}
          set={(on) => set({ whenBusy: on ? 'pause' : 'same' })}
        />
        <Tick
          label={t.onMetered}
          value={settings.onMetered === 'wait'}
          set={(on) => set({ onMetered: on ? 'wait' : 'same' })}
        />
        <Hours schedule={settings.schedule} set={(schedule) => set({ schedule })} />
      </Group>
      <Group title={t.what}>
        <Choice
          label={t.choice}
          name="choice"
          value={settings.choice}
          options={{ keyserver: t.choiceKeyserver, order: t.choiceOrder, share: t.choiceShare }}
          set={(choice) => set({ choice })}
        />
        {settings.choice !== 'keyserver' && <ContestChoice contests={contests} settings={settings} set={set} />}
        <label class="field">
          <span>{t.stock}</span>
          <select
            value={String(nearest(settings.stockHours))}
            onChange={({ currentTarget }) => set({ stockHours: Number(currentTarget.value) })}
          >
            {stocks.map((hours) => (
              <option key={hours} value={String(hours)}>
                {t.stockHours(hours)}
              </option>
            ))}
          </select>
        </label>
        <p class="hint">{t.stockHint}</p>
      </Group>
      <Group title={t.you}>
        <Text label={t.name} value={settings.name} set={(name) => set({ name })} />
        <Text label={t.team} value={settings.team} set={(team) => set({ team })} />
        <p class="hint">{t.youHint}</p>
        <Choice
          label={t.theme}
          name="theme"
          value={settings.theme}
          options={{ auto: t.themeAuto, light: t.themeLight, dark: t.themeDark }}
          set={(theme) => set({ theme })}
        />
      </Group>
      <Group title={settingsTexts.data.title}>
        <Data snapshot={snapshot} engine={engine} />
      </Group>
      <p>
        <button type="button" class="quiet" onClick={() => set({ ...DEFAULTS, workers: Math.max(1, maxWorkers - 1) })}>
          {t.reset}
        </button>
      </p>
    </>
  );
}

const nearest = (hours: number): number =>
  stocks.toSorted((a, b) => Math.abs(a - hours) - Math.abs(b - hours))[0] ?? hours;

function Group({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <div class="setting-group" role="group" aria-label={title}>
      <h3>{title}</h3>
      {children}
    </div>
  );
}

interface FieldProps<T> {
  label: string;
  value: T;
  set: (value: T) => void;
}

/** A share of one, in percent; told to the engine when the finger lets go. */
function Range({ label, value, set }: FieldProps<number>) {
  const [drawn, draw] = useState<number | undefined>(undefined);
  const percent = drawn ?? Math.round(value * 100);
  return (
    <label class="field">
      <span>{label}</span>
      <span class="range">
        <input
          type="range"
          min={10}
          max={100}
          step={5}
          value={percent}
          onInput={({ currentTarget }) => draw(Number(currentTarget.value))}
          onChange={({ currentTarget }) => {
            draw(undefined);
            set(Number(currentTarget.value) / 100);
          }}
        />
        <output>{percent} %</output>
      </span>
    </label>
  );
}

function Tick({ label, value, set }: FieldProps<boolean>) {
  return (
    <label class="tick">
      <input type="checkbox" checked={value} onChange={({ currentTarget }) => set(currentTarget.checked)} />
      <span>{label}</span>
    </label>
  );
}

function Text({ label, value, set }: FieldProps<string>) {
  return (
    <label class="field">
      <span>{label}</span>
      <input
        type="text"
        maxLength={64}
        autoComplete="off"
        value={value}
        onChange={({ currentTarget }) => set(currentTarget.value.trim())}
      />
    </label>
  );
}

interface ChoiceProps<T extends string> extends FieldProps<T> {
  name: string;
  options: Record<T, string>;
}

function Choice<T extends string>({ label, name, value, options, set }: ChoiceProps<T>) {
  return (
    <fieldset class="choice">
      <legend>{label}</legend>
      {(Object.keys(options) as T[]).map((option) => (
        <label key={option} class="tick">
          <input type="radio" name={name} value={option} checked={option === value} onChange={() => set(option)} />
          <span>{options[option]}</span>
        </label>
      ))}
    </fieldset>
  );
}
