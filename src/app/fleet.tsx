/**
 * The operator's kiosks: who computes how fast, who is paused and why, and who has not been heard of for too long. Behind the
 * administration token, which stays in this tab. Loaded when it is asked for.
 */
import './cards.css';
import './fleet.css';
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { Check } from 'typebox/value';
import type { Pause } from '../client/snapshot.ts';
import { AdminToken, Fleet as FleetAnswer, type KnownKiosk } from '../protocol/administration.ts';
import { fleetTexts as t } from './fleet-texts.ts';
import { formatClock, formatCount, formatRate } from './format.ts';
import { texts } from './texts.ts';

const AGAIN_MS = 30_000;
/** Three words missed. */
const SILENT_SECONDS = 15 * 60;
const KEPT_TOKEN = 'tabherd-admin-token';

interface Told {
  fleet: FleetAnswer;
  /** When it came, by this machine's clock. */
  at: number;
}

type Trouble = 'wrong-token' | 'no-administration' | 'away' | 'unreadable' | { status: number };

export function Fleet() {
  const [token, setToken] = useState(keptToken);
  const [told, setTold] = useState<Told | undefined>(undefined);
  const [trouble, setTrouble] = useState<Trouble | undefined>(undefined);
  const latest = useRef(token);
  latest.current = token;
  useEffect(() => {
    document.title = t.documentTitle;
  }, []);

  const ask = useCallback(async (): Promise<void> => {
    if (token === '') return;
    const answer = await askFleet(token);
    if (latest.current !== token) return;
    if ('fleet' in answer) {
      setTold(answer);
      setTrouble(undefined);
      return;
    }
    setTrouble(answer.trouble);
    if (answer.trouble !== 'wrong-token') return;
    keepToken('');
    setToken('');
    setTold(undefined);
  }, [token]);

  useEffect(() => {
    void ask();
    const timer = setInterval(() => {
      if (!document.hidden) void ask();
    }, AGAIN_MS);
    return () => clearInterval(timer);
  }, [ask]);

  return (
    <main tabIndex={-1} data-testid="fleet" data-loaded={told !== undefined}>
      <section class="section">
        <div class="section-body fleet-head">
          <h1>{t.title}</h1>
          <p class="lead">{t.lead}</p>
        </div>
      </section>
      <section class="section">
        <div class="section-body fleet">
          <div role="status" data-testid="fleet-trouble">
            {trouble !== undefined && (
              <div class="condition">
                <p>
                  {troubleText(trouble)} {told !== undefined && t.keptSince(formatClock(told.at))}
                </p>
                {token !== '' && (
                  <button type="button" class="quiet" onClick={() => void ask()}>
                    {texts.tryAgain}
                  </button>
                )}
              </div>
            )}
          </div>
          {token === '' ? (
            <TokenForm
              onToken={(given) => {
                keepToken(given);
                setTrouble(undefined);
                setToken(given);
              }}
            />
          ) : told === undefined ? (
            trouble === undefined && <p class="muted">{t.loading}</p>
          ) : (
            <List {...told.fleet} />
          )}
          {token !== '' && (
            <p>
              <button
                type="button"
                class="quiet"
                onClick={() => {
                  keepToken('');
                  setToken('');
                  setTold(undefined);
                  setTrouble(undefined);
                }}
              >
                {t.forget}
              </button>
            </p>
          )}
        </div>
      </section>
    </main>
  );
}

async function askFleet(token: string): Promise<Told | { trouble: Trouble }> {
  try {
    const response = await fetch('/admin/v1/fleet', {
      headers: { authorization: `Bearer ${token}` },
      cache: 'no-store',
    });
    if (response.status === 401) return { trouble: 'wrong-token' };
    if (response.status === 404) return { trouble: 'no-administration' };
    if (response.status === 503) return { trouble: 'away' };
    const json: unknown = await response.json();
    if (!response.ok) return { trouble: { status: response.status } };
    return Check(FleetAnswer, json) ? { fleet: json, at: Date.now() } : { trouble: 'unreadable' };
  } catch {
    return { trouble: 'away' };
  }
}

function troubleText(trouble: Trouble): string {
  if (trouble === 'wrong-token') return t.wrongToken;
  if (trouble === 'no-administration') return t.noAdministration;
  if (trouble === 'unreadable') return t.unreadable;
  return trouble === 'away' ? t.away : t.odd(trouble.status);
}

function TokenForm({ onToken }: { onToken: (token: string) => void }) {
  const [given, setGiven] = useState('');
  const [fault, setFault] = useState('');
  const field = useRef<HTMLInputElement>(null);
  return (
    <form
      class="fleet-token"
      onSubmit={(event) => {
        event.preventDefault();
        const token = given.trim();
        if (Check(AdminToken, token)) return onToken(token);
        setFault(t.tokenForm);
        field.current?.focus();
      }}
    >
      <label for="fleet-token">{t.token}</label>
      <input
        ref={field}
        id="fleet-token"
        type="password"
        autocomplete="off"
        spellcheck={false}
        value={given}
        aria-invalid={fault !== ''}
        aria-describedby="fleet-fault fleet-hint"
        onInput={({ currentTarget }) => {
          setGiven(currentTarget.value);
          setFault('');
        }}
      />
      <p id="fleet-fault" class="fleet-fault" role="status">
        {fault}
      </p>
      <p id="fleet-hint" class="muted">
        <small>{t.tokenHint}</small>
      </p>
      <button type="submit" class="run">
        {t.show}
      </button>
    </form>
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

function keptToken(): string {
  try {
    return sessionStorage.getItem(KEPT_TOKEN) ?? '';
  } catch {
    return '';
  }
}

function keepToken(token: string): void {
  try {
    if (token === '') sessionStorage.removeItem(KEPT_TOKEN);
    else sessionStorage.setItem(KEPT_TOKEN, token);
  } catch {
    // It is asked for again after a reload.
  }
}
