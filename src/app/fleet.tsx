/**
 * The operator's kiosks: who computes how fast, who is paused and why, and who has not been heard of for too long. Loaded when it
 * is asked for.
 */
import './cards.css';
import './fleet.css';
import { useEffect, useState } from 'preact/hooks';
import type { Pause } from '../client/snapshot.ts';
import { Fleet as FleetAnswer, type KnownKiosk } from '../protocol/administration.ts';
import { fleetTexts as t } from './fleet-texts.ts';
import { formatCount, formatRate } from './format.ts';
import { Operator } from './operator.tsx';
import { texts } from './texts.ts';

/** Three words missed. */
const SILENT_SECONDS = 15 * 60;

export function Fleet() {
  useEffect(() => {
    document.title = t.documentTitle;
  }, []);
  return (
    <Operator
      testid="fleet"
      head={
        <>
          <h1>{t.title}</h1>
          <p class="lead">{t.lead}</p>
        </>
      }
      show={t.show}
      path="fleet"
      schema={FleetAnswer}
    >
      {(fleet) => <List {...fleet} />}
    </Operator>
  );
}

const columns = ['name', 'rate', 'heard', 'state', 'blocks', 'up', 'version'] as const;
type Column = (typeof columns)[number];

const figures: readonly Column[] = ['rate', 'blocks', 'up'];

/** Figures begin with the most, words with A, and contact with who has been silent for longest. */
const downFirst: readonly Column[] = [...figures, 'heard'];

function List({ now, kiosks }: FleetAnswer) {
  const [by, setBy] = useState<Column>('name');
  const [down, setDown] = useState(false);
  if (kiosks.length === 0) {
    return (
      <div class="fleet-empty">
        <p>{t.none}</p>
        <p class="muted">{t.noneHow}</p>
      </div>
    );
  }
  const sort = (column: Column): void => {
    setDown(column === by ? !down : downFirst.includes(column));
    setBy(column);
  };
  const sorted = kiosks.toSorted(
    (a, b) => (down ? -1 : 1) * compare(by, a, b, now) || a.client.localeCompare(b.client),
  );
  const alive = kiosks.filter((kiosk) => !isSilent(kiosk, now));
  return (
    <>
      <p>{t.summary(alive.length, kiosks.length, ratesOf(alive))}</p>
      <label class="fleet-sort">
        <span>{t.sortBy}</span>
        <select value={by} onChange={({ currentTarget }) => sort(currentTarget.value as Column)}>
          {columns.map((column) => (
            <option key={column} value={column}>
              {t[column]}
            </option>
          ))}
        </select>
      </label>
      <table class="cards">
        <caption class="visually-hidden">{t.title}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th
                key={column}
                scope="col"
                class={figures.includes(column) ? 'number' : undefined}
                {...(column === by ? { 'aria-sort': down ? ('descending' as const) : ('ascending' as const) } : {})}
              >
                <button type="button" onClick={() => sort(column)}>
                  {t[column]}
                  <span aria-hidden="true">{column === by ? (down ? ' ↓' : ' ↑') : ''}</span>
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.map((kiosk) => (
            <Row key={kiosk.client} kiosk={kiosk} now={now} />
          ))}
        </tbody>
      </table>
    </>
  );
}

function Row({ kiosk, now }: { kiosk: KnownKiosk; now: number }) {
  const { client, label, rate, step, contest, pause, blocks, upSeconds, version, seenAt } = kiosk;
  const silent = isSilent(kiosk, now);
  return (
    <tr data-kiosk={client} data-silent={silent} data-label={label}>
      <th scope="row">
        {label ?? <span class="muted">{t.unnamed}</span>}
        <small class="fleet-id">{client}</small>
      </th>
      <td data-name={t.rate} class="number">
        {silent || rate === 0 ? '–' : formatRate(rate, step)}
      </td>
      <td data-name={t.heard}>
        {silent && <strong class="fleet-silent">{t.silent}</strong>}{' '}
        <time datetime={new Date(seenAt).toISOString()} title={new Date(seenAt).toLocaleString()}>
          {t.ago(secondsSince(kiosk, now))}
        </time>
      </td>
      <td data-name={t.state}>
        {silent && <span class="muted">{t.atLast}</span>} {pause === undefined ? t.atWork : stateText(pause)}{' '}
        {contest !== undefined && <small>{t.on(contest)}</small>}
      </td>
      <td data-name={t.blocks} class="number">
        {formatCount(blocks)}
      </td>
      <td data-name={t.up} class="number">
        {t.forDuration(upSeconds)}
      </td>
      <td data-name={t.version}>{version}</td>
    </tr>
  );
}

const secondsSince = ({ seenAt }: KnownKiosk, now: number): number => Math.max(0, (now - seenAt) / 1000);

const isSilent = (kiosk: KnownKiosk, now: number): boolean => secondsSince(kiosk, now) > SILENT_SECONDS;

/** The word that the first page has for it; a newer kiosk's, that is not known here, as it came. */
const stateText = (reason: string): string => texts.state({ reason } as Pause) ?? reason;

function ratesOf(kiosks: readonly KnownKiosk[]): string {
  const sums = (['keys', 'nodes'] as const).map((step) => ({
    step,
    rate: kiosks.filter((kiosk) => kiosk.step === step).reduce((sum, { rate }) => sum + rate, 0),
  }));
  return sums
    .filter(({ rate }) => rate > 0)
    .map(({ rate, step }) => formatRate(rate, step))
    .join(' + ');
}

function compare(by: Column, a: KnownKiosk, b: KnownKiosk, now: number): number {
  switch (by) {
    case 'name':
      // Those without one come last.
      return (a.label ?? '\uffff').localeCompare(b.label ?? '\uffff', undefined, { numeric: true });
    case 'rate':
      return (isSilent(a, now) ? -1 : a.rate) - (isSilent(b, now) ? -1 : b.rate);
    case 'heard':
      return b.seenAt - a.seenAt;
    case 'state':
      return (a.pause ?? '').localeCompare(b.pause ?? '');
    case 'blocks':
      return a.blocks - b.blocks;
    case 'up':
      return a.upSeconds - b.upSeconds;
    case 'version':
      return a.version.localeCompare(b.version, undefined, { numeric: true });
  }
}
