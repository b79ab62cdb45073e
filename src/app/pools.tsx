/**
 * The pools, for anyone to look at: which gateways are in which, how busy each is and who its home is, the registrars, and what
 * happened lately. Asked for every two seconds while it is looked at; `pools-view.ts` sees to it that nothing moves meanwhile.
 * Loaded when it is asked for.
 */
import './cards.css';
import './pools.css';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { EngineSnapshot } from '../client/snapshot.ts';
import { RefusedError } from '../protocol/errors.ts';
import { fetchJson } from '../protocol/http-keyserver.ts';
import { POLICY_NUMBERS, type PolicyName, PoolsOverview } from '../protocol/pools.ts';
import { formatCount } from './format.ts';
import { poolsTexts as t } from './pools-texts.ts';
import {
  type Element,
  eventKey,
  hostOf,
  nextView,
  type PoolsView,
  type PoolView,
  type Row,
  registrarName,
  sentence,
} from './pools-view.ts';
import { texts } from './texts.ts';
import { useAnswer } from './use-answer.ts';
import { useNow } from './use-snapshot.ts';

const AGAIN_MS = 2000;
/** Where there are no pools: they come with a restart. */
const RARELY_MS = 30_000;
const TIMEOUT_MS = 8000;
/** Older ones are folded away. */
const EVENTS_SHOWN = 10;

interface Told {
  overview: PoolsOverview;
  /** When it came, by this machine's clock. */
  at: number;
}

const ask = async (): Promise<Told> => {
  const options = { fetch: (...args: Parameters<typeof fetch>) => fetch(...args), timeoutMs: TIMEOUT_MS };
  return { overview: await fetchJson('/api/v1/pools', PoolsOverview, options), at: Date.now() };
};

export function Pools({ snapshot }: { snapshot: EngineSnapshot }) {
  const [isHeld, setHeld] = useState(false);
  const [isRare, setRare] = useState(false);
  const everyMs = isHeld ? 0 : isRare ? RARELY_MS : AGAIN_MS;
  const { value: told, error, again } = useAnswer('pools', ask, snapshot.gateway.state === 'reached', everyMs);
  const last = useRef<PoolsView | undefined>(undefined);
  useEffect(() => {
    document.title = t.documentTitle;
  }, []);
  const isNone = error instanceof RefusedError;
  useEffect(() => setRare(isNone), [isNone]);
  if (told !== undefined && last.current?.overview !== told.overview)
    last.current = nextView(told.overview, last.current);
  const view = isNone ? undefined : last.current;
  return (
    <main tabIndex={-1} data-testid="pools" data-loaded={view !== undefined}>
      <section class="section">
        <div class="section-body pools-head">
          <h1>{t.title}</h1>
          <p class="lead">{t.lead}</p>
          {view !== undefined && told !== undefined && (
            <Head view={view} at={told.at} isHeld={isHeld} onHold={() => setHeld(!isHeld)} />
          )}
          <Trouble error={isNone ? undefined : error} at={told?.at} again={again} />
          {isNone ? <None /> : view === undefined && error === undefined && <p class="muted">{t.loading}</p>}
        </div>
      </section>
      {view !== undefined && (
        <>
          {view.pools.map((pool) => (
            <Pool key={pool.handle} pool={pool} view={view} />
          ))}
          {view.pools.length > 0 && (
            <section class="section">
              <p class="section-body muted pools-notes">{t.notes}</p>
            </section>
          )}
          <Registrars view={view} />
          <Events view={view} />
        </>
      )}
      {/* What happens, and only that: the figures change too often to be read out. */}
      <p class="visually-hidden" role="status" data-testid="pools-news">
        {view?.news.join(' ')}
      </p>
    </main>
  );
}

interface HeadProps {
  view: PoolsView;
  at: number;
  isHeld: boolean;
  onHold: () => void;
}

function Head({ view: { overview }, at, isHeld, onHold }: HeadProps) {
  const { pools, registrars } = overview;
  const all = pools.reduce((sum, { count }) => sum + count, 0);
  return (
    <>
      <p>{pools.length === 0 ? t.empty : t.summary(pools.length, all, registrars.length)}</p>
      <p class="pools-live">
        <button type="button" class="quiet" data-testid="hold" onClick={onHold}>
          {isHeld ? t.goOn : t.hold}
        </button>
        <span class="muted">{isHeld ? t.held(t.clock(at)) : t.live(t.clock(at))}</span>
      </p>
    </>
  );
}

/** Spoken when it comes up, but not the age, which grows every second. */
function Trouble({ error, at, again }: { error: unknown; at: number | undefined; again: () => void }) {
  const is = error !== undefined;
  return (
    <div class={is ? 'condition' : undefined} data-testid="pools-trouble">
      <div>
        <p role="status">{is && t.away}</p>
        {is && at !== undefined && <Age at={at} />}
      </div>
      {is && (
        <button type="button" class="quiet" onClick={again}>
          {texts.tryAgain}
        </button>
      )}
    </div>
  );
}

function Age({ at }: { at: number }) {
  const now = useNow(true);
  return (
    <p>
      {t.keptSince(t.clock(at))} {t.ago(Math.max(0, now - at) / 1000)}.
    </p>
  );
}

function None() {
  return (
    <div class="pools-none" data-testid="pools-none">
      <p>{t.noPools}</p>
      <p>{t.noPoolsWhat}</p>
      <p>{t.noPoolsHow}</p>
      <pre>{t.command}</pre>
    </div>
  );
}

function Pool({ pool, view }: { pool: PoolView; view: PoolsView }) {
  const { handle, policy, count, rows } = pool;
  const { name, means } = t.policy(policy);
  const number = POLICY_NUMBERS[policy];
  const shown = rows.filter(({ gone }) => gone === undefined).length;
  const id = `pool-${handle}`;
  return (
    <section class="section" aria-labelledby={id} data-pool={handle}>
      <h2 class="margin pool-name" id={id}>
        <Host name={handle} />
      </h2>
      <div class="pool">
        <div>
          <p class="pool-policy">
            <strong>{name}</strong>{' '}
            <small class="muted">{policy === 'nearest' ? t.ownPolicy(number) : t.rfc(number)}</small>
          </p>
          <p class="muted">
            {means} {t.shown(shown, count)}
          </p>
        </div>
        <table class="cards">
          <caption class="visually-hidden">{t.caption(handle)}</caption>
          <thead>
            <tr>
              <th scope="col">{t.gateway}</th>
              <th scope="col">{t.load}</th>
              <th scope="col">{t.home}</th>
              <th scope="col" class="number">
                {t.since}
              </th>
              <th scope="col" class="number">
                {t.seen}
              </th>
              <th scope="col" class="number">
                {t.selected}
              </th>
              <th scope="col" class="number">
                {t.missed}
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <GatewayRow key={row.element.id} row={row} policy={policy} view={view} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function GatewayRow({ row, policy, view }: { row: Row; policy: PolicyName; view: PoolsView }) {
  const { element, isNew, gone } = row;
  const { now } = view.overview;
  const { id, addresses, load, home, since, seenAt, selected, unreachable } = element;
  const [first = '', ...others] = addresses.map(hostOf);
  const head = (
    <th scope="row">
      <Host name={first} />
      {others.map((other) => (
        <small key={other}>
          <Host name={other} />
        </small>
      ))}
      <small>{[t.number(id), ...parametersOf(element, policy)].join(' · ')}</small>
    </th>
  );
  if (gone !== undefined) {
    return (
      <tr class="gone" data-element={id} data-gone={gone.why}>
        {head}
        <td colSpan={6} class="gone-why">
          {t.gone(gone.why, t.ago((now - gone.at) / 1000))}
        </td>
      </tr>
    );
  }
  return (
    <tr class={isNew ? 'changed' : undefined} data-element={id} data-address={addresses[0]}>
      {head}
      <td data-name={t.load}>
        <span class="load" data-load={load}>
          <span class="load-figure">{t.percent(load)}</span>
          <span class="load-bar" aria-hidden="true" data-high={load >= 0.9}>
            <span style={{ width: `${100 * load}%` }} />
          </span>
        </span>
      </td>
      <td data-name={t.home} class="home">
        <Changing value={home}>
          <Mark of={view.marks.get(home)} />
          <Host name={registrarName(home, view.registrars)} />
        </Changing>
      </td>
      <td data-name={t.since} class="number">
        {t.for((now - since) / 1000)}
      </td>
      <td data-name={t.seen} class="number">
        {t.ago((now - seenAt) / 1000)}
      </td>
      <td data-name={t.selected} class="number">
        <Changing value={selected}>{formatCount(selected)}</Changing>
      </td>
      <td data-name={t.missed} class="number">
        <Changing value={unreachable}>
          {unreachable > 0 ? <strong class="missed">{formatCount(unreachable)}</strong> : 0}
        </Changing>
      </td>
    </tr>
  );
}

/** What of its policy differs from gateway to gateway. */
function parametersOf({ policy: { weight, priority } }: Element, kind: PolicyName): string[] {
  if (kind.startsWith('weighted')) return [t.weight(weight)];
  return kind === 'priority' ? [t.priority(priority)] : [];
}

/** Marked for a moment when its value changes. */
function Changing({ value, children }: { value: number; children: ComponentChildren }) {
  const seen = useRef({ value, times: 0 });
  if (seen.current.value !== value) seen.current = { value, times: seen.current.times + 1 };
  const { times } = seen.current;
  // Made anew, so that the mark begins anew.
  return (
    <span key={times} class={times > 0 ? 'changed' : undefined}>
      {children}
    </span>
  );
}

/** A name that may be broken after each of its dots. */
function Host({ name }: { name: string }) {
  const [first, ...others] = name.split('.');
  return (
    <span>
      {first}
      {others.map((part) => (
        <>
          .<wbr />
          {part}
        </>
      ))}
    </span>
  );
}

/** By form and by colour, in this order. */
const forms = [
  'M8 2a6 6 0 1 0 0 12A6 6 0 1 0 8 2z',
  'M3 3h10v10H3z',
  'M8 2l6.5 11.5h-13z',
  'M8 1l7 7-7 7-7-7z',
  'M6 2h4v4h4v4h-4v4H6v-4H2V6h4z',
  'M1.5 2.5h13L8 14z',
  'M2 4h12v2.5H2zM2 9.5h12V12H2z',
  'M4 2h2.5v12H4zM9.5 2H12v12H9.5z',
];

/** Beside the name, which says it. */
function Mark({ of = 0 }: { of?: number | undefined }) {
  return (
    <svg class="mark" data-mark={of} viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
      <path d={forms[of] ?? ''} />
    </svg>
  );
}

function Registrars({ view: { overview, marks } }: { view: PoolsView }) {
  const { registrars, registrar, mode, now } = overview;
  return (
    <section class="section" aria-labelledby="registrars">
      <h2 class="margin" id="registrars">
        {t.registrars}
      </h2>
      <div class="pool">
        <p class="muted">{t.mode(mode, registrars.length)}</p>
        <ul class="rows">
          {registrars.map(({ id, address, heardAt, elements }) => (
            <li key={id} class="row registrar" data-registrar={id} data-elements={elements}>
              <span class="registrar-name">
                <Mark of={marks.get(id)} />
                <Host name={hostOf(address)} />
                <small class="muted">{t.number(id)}</small>
              </span>
              <span>
                <Changing value={elements}>{t.homeOf(elements)}</Changing>
              </span>
              <span class={id === registrar ? 'registrar-here' : 'muted'}>
                {id === registrar ? t.answers : heardAt !== undefined && t.heard(t.ago((now - heardAt) / 1000))}
              </span>
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}

function Events({ view }: { view: PoolsView }) {
  const { events } = view.overview;
  return (
    <section class="section" aria-labelledby="events">
      <h2 class="margin" id="events">
        {t.events}
      </h2>
      <div class="notices pools-events" data-testid="pools-events">
        <p class="muted">{events.length === 0 ? t.eventsNone : t.eventsLead}</p>
        <EventList view={view} events={events.slice(0, EVENTS_SHOWN)} />
        {events.length > EVENTS_SHOWN && (
          <details>
            <summary>{t.older(events.length - EVENTS_SHOWN)}</summary>
            <EventList view={view} events={events.slice(EVENTS_SHOWN)} />
          </details>
        )}
      </div>
    </section>
  );
}

function EventList({ view, events }: { view: PoolsView; events: PoolsOverview['events'] }) {
  const { registrars, overview } = view;
  return (
    <ol>
      {events.map((event) => (
        <li key={eventKey(event)} data-event={event.what}>
          <time datetime={new Date(event.at).toISOString()}>{t.moment(event.at, overview.now)}</time>
          <span>{sentence(event, registrars)}</span>
        </li>
      ))}
    </ol>
  );
}
