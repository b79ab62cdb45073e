/**
 * The widget's frame: asks, and after a visitor's click fetches the engine and shows how it goes. All of it is in the frame's
 * document; before that click it fetches nothing, starts no worker and stores nothing. Its limits are its own, and the page around it can
 * only lower them.
 */
import { render } from 'preact';
import { useState } from 'preact/hooks';
import { formatPoints, formatRate, rateParts } from '../app/format.ts';
import type { Engine } from '../client/engine.ts';
import type { EngineSnapshot } from '../client/snapshot.ts';
import { type EmbedFacts, FACTS_ID, SIZES, type WidgetSize } from '../protocol/embed.ts';
import { paint } from './colors.ts';
import { Consent, forgetAll, forgetLeftovers, LASTS, type Lasts } from './consent.ts';
import styles from './frame.css?inline';
import { Host } from './host.ts';
import type { WidgetOptions, WidgetState } from './messages.ts';
import { Sight } from './sight.ts';
import { texts } from './texts.ts';

type EngineModule = typeof import('./engine.ts');

/** A start that nobody confirms is none. */
const SURE_FROM_MS = 1000;
const SURE_UNTIL_MS = 10_000;
const TOTALS_EVERY_MS = 60_000;
const TAKE_OVER_EVERY_MS = 3000;

const sheet = new CSSStyleSheet();
sheet.replaceSync(styles);
document.adoptedStyleSheets = [sheet];

const facts = JSON.parse(document.getElementById(FACTS_ID)?.textContent ?? '{}') as EmbedFacts;
const root = document.createElement('main');
document.body.append(root);

let asked: WidgetSize = 'card';
lay();
addEventListener('resize', lay);

if ('refusal' in facts) {
  const host = new Host(undefined);
  host.onOptions = dress;
  host.tell({ type: 'state', state: { state: 'refused', reason: facts.refusal, rate: 0, step: 'keys', blocks: 0 } });
  render(<Refused text={facts.text} />, root);
} else {
  run(facts);
}

function dress({ size, theme, dir, colors }: WidgetOptions): void {
  const html = document.documentElement;
  asked = size;
  lay();
  html.dataset['theme'] = theme;
  html.dir = dir;
  paint(document.body, colors);
}

/** The size that was asked for, or the largest that there is room for. */
function lay(): void {
  const sizes: WidgetSize[] =
    asked === 'card' ? ['card', 'strip', 'badge'] : asked === 'strip' ? ['strip', 'badge'] : ['badge'];
  const fits = (size: WidgetSize): boolean => innerWidth >= 0.8 * SIZES[size][0] && innerHeight >= 0.9 * SIZES[size][1];
  document.documentElement.dataset['size'] = sizes.find(fits) ?? 'badge';
}

function run({ site, only, contest }: Extract<EmbedFacts, { site: unknown }>): void {
  const profile = `tabherd-site-${site.token}`;
  const most = Math.max(1, Math.floor((navigator.hardwareConcurrency || 2) / 2));
  const isPhone =
    (navigator as { userAgentData?: { mobile?: boolean } }).userAgentData?.mobile ?? /Mobi/.test(navigator.userAgent);
  const consent = new Consent(profile);
  const sight = new Sight(root);
  const host = new Host(site.origins);
  let limits: Pick<WidgetOptions, 'maxWorkers' | 'duty'> = {};
  let engine: Engine | undefined;
  let opening = false;
  let stopping = false;
  /** The page asked for a pause, and the visitor has not gone on since. */
  let pausedByPage = false;
  /** What stands in the way of the start, for the visitor. */
  let trouble: string | undefined;
  let pointsToday = site.pointsToday;
  let blocks = 0;
  let tookOverAt = 0;

  host.onOptions = (options) => {
    dress(options);
    limits = options;
    surroundingsChanged();
    draw();
  };
  host.onPause = () => {
    const reason = engine?.snapshot.pause?.reason;
    if (consent.given === undefined || reason === 'by-you') return;
    pausedByPage = true;
    engine?.pause();
    draw();
  };
  consent.onChange = () => {
    if (consent.given === undefined) location.reload();
    else void open();
  };
  const listeners: (() => void)[] = [];
  const surroundingsChanged = (): void => {
    for (const changed of listeners) changed();
  };
  const surroundings = {
    now: () => {
      const { maxWorkers = most, duty = 1 } = limits;
      return { unseen: !sight.isSeen(), most: { workers: Math.min(most, maxWorkers), throttle: duty } };
    },
    listen: (changed: () => void): void => void listeners.push(changed),
  };
  sight.listen(() => {
    surroundingsChanged();
    draw();
  });
  setInterval(() => {
    if (engine !== undefined && consent.given === undefined) void stop();
    else if (engine?.snapshot.pause === null) void readTotals();
  }, TOTALS_EVERY_MS);

  draw();
  if (consent.given !== undefined) void open();
  else void forgetLeftovers(profile);

  async function open(): Promise<void> {
    if (opening || stopping || engine !== undefined) return;
    opening = true;
    trouble = undefined;
    draw();
    try {
      // By its name and not by the build's: this file stands in the document and has no place to be relative to.
      const module = (await import(/* @vite-ignore */ `${location.origin}/widget-engine.js`)) as EngineModule;
      const only_ = only === undefined ? {} : { only: [only] };
      engine = await module.openWidgetEngine(
        { profile, site: site.token, team: site.team, maxWorkers: most, surroundings, ...only_ },
        () => sight.isSeen(),
        () => location.reload(),
      );
      for (const [name, done] of Object.entries(engine.snapshot.totals)) known.set(name, done.blocks);
      engine.subscribe(() => watch());
      // A pause outlives a page: only the first time is the consent itself the start.
      if (pausedByPage) engine.pause();
      else if (engine.snapshot.pause?.reason === 'not-started') engine.start();
    } catch (error) {
      console.warn('Tabherd:', error);
      trouble = texts.failed;
    } finally {
      opening = false;
    }
    draw();
  }

  function watch(): void {
    const { pause, totals } = engine?.snapshot ?? {};
    // Another frame of this site has the turn and cannot be seen, as this one can.
    if (pause?.reason === 'unseen' && sight.isSeen() && Date.now() - tookOverAt > TAKE_OVER_EVERY_MS) {
      tookOverAt = Date.now();
      engine?.takeOver();
    }
    for (const [name, done] of Object.entries(totals ?? {})) {
      const before = known.get(name) ?? 0;
      known.set(name, done.blocks);
      if (done.blocks > before) host.tell({ type: 'blockdone', contest: name, blocks: done.blocks - before });
    }
    blocks = Object.values(totals ?? {}).reduce((sum, done) => sum + done.blocks, 0);
    draw();
  }

  /** The click is the visitor's own, on something that could be seen. */
  function agree(event: Event, lasts: Lasts): void {
    if (!event.isTrusted || !sight.isSettled) {
      trouble = texts.notSeen;
      draw();
      return;
    }
    consent.give(lasts);
    host.tell({ type: 'consent', given: true, ...consent.given });
    pausedByPage = false;
    void open().then(() => root.querySelector<HTMLElement>('[data-testid=pause]')?.focus());
  }

  async function stop(): Promise<void> {
    if (stopping) return;
    stopping = true;
    consent.withdraw();
    host.tell({ type: 'consent', given: false });
    await engine?.erase(() => forgetAll(profile)).catch(() => undefined);
    await forgetAll(profile);
    location.reload();
  }

  function goOn(): void {
    pausedByPage = false;
    if (engine === undefined) void open();
    else engine.start();
    draw();
  }

  async function readTotals(): Promise<void> {
    const response = await fetch(`/api/v1/sites/${site.token}`).catch(() => undefined);
    if (response?.ok !== true) return;
    const { teamToday } = (await response.json()) as { teamToday: { points: number } };
    pointsToday = teamToday.points;
    draw();
  }

  function draw(): void {
    const snapshot = engine?.snapshot;
    const state = stateOf(snapshot);
    host.tell({ type: 'state', state });
    document.documentElement.dataset['state'] = state.state;
    render(
      <Frame
        {...{ state, snapshot, trouble, isPhone, most, isSure: sight.isSure, unseen: sight.unseen, pointsToday }}
        team={site.team}
        title={titleOf(snapshot)}
        about={contest.about}
        onAgree={agree}
        onPause={() => engine?.pause()}
        onGoOn={goOn}
        onStop={() => void stop()}
        onBattery={() => engine?.configure({ onBattery: 'same' })}
      />,
      root,
    );
  }

  function stateOf(snapshot: EngineSnapshot | undefined): WidgetState {
    const about = { rate: snapshot?.rate ?? 0, step: snapshot?.step ?? 'keys', blocks };
    if (consent.given === undefined) return { state: 'asking', ...about };
    if (snapshot === undefined && trouble !== undefined) return { state: 'paused', reason: 'unreachable', ...about };
    if (snapshot === undefined || opening) return { state: 'starting', ...about };
    const { pause } = snapshot;
    if (pause === null || pause.reason === 'another-tab') return { state: 'running', ...about };
    if (pause.reason === 'starting' || pause.reason === 'not-started') return { state: 'starting', ...about };
    if (pause.reason === 'unseen') return { state: 'paused', reason: sight.unseen ?? 'unseen', ...about };
    return { state: 'paused', reason: pausedByPage && pause.reason === 'by-you' ? 'by-page' : pause.reason, ...about };
  }

  function titleOf(snapshot: EngineSnapshot | undefined): string {
    const name = snapshot?.blocks[0]?.contest;
    return snapshot?.contests.find(({ manifest }) => manifest.name === name)?.manifest.title ?? contest.title;
  }
}

/** Blocks acknowledged, by contest, when last looked. */
const known = new Map<string, number>();

interface FrameProps {
  state: WidgetState;
  snapshot: EngineSnapshot | undefined;
  trouble: string | undefined;
  isPhone: boolean;
  most: number;
  isSure: boolean;
  unseen: Sight['unseen'];
  pointsToday: number;
  team: string;
  title: string;
  about: string;
  onAgree: (event: Event, lasts: Lasts) => void;
  onPause: () => void;
  onGoOn: () => void;
  onStop: () => void;
  onBattery: () => void;
}

function Frame(props: FrameProps) {
  return (
    <>
      <a class="mark" href="/" target="_blank" rel="noopener" aria-label={texts.open} title={texts.open}>
        <Mark />
      </a>
      {props.state.state === 'asking' ? <Asking {...props} /> : <Going {...props} />}
      <p class="said" role="status">
        {wordsOf(props)}
      </p>
    </>
  );
}

/** What a screen reader is told of a change. */
function wordsOf({ state, title, trouble, unseen }: FrameProps): string {
  if (state.state === 'asking') return '';
  if (trouble !== undefined) return trouble;
  if (state.state === 'running') return title;
  return state.state === 'paused' ? why(state.reason, unseen) : texts.starting;
}

function Asking({ team, title, most, isPhone, isSure, trouble, onAgree }: FrameProps) {
  const [lasts, setLasts] = useState<Lasts>('visit');
  const [askedAt, setAskedAt] = useState(Number.NEGATIVE_INFINITY);
  const isAsked = performance.now() - askedAt < SURE_UNTIL_MS;
  const onStart = (event: Event): void => {
    if (isSure) return onAgree(event, lasts);
    if (!event.isTrusted) return;
    // Where the browser does not tell whether this is covered, one click may have been meant for something else.
    setAskedAt(performance.now());
    setTimeout(() => setAskedAt(Number.NEGATIVE_INFINITY), SURE_UNTIL_MS);
  };
  const onYes = (event: Event): void => {
    const after = performance.now() - askedAt;
    if (after >= SURE_FROM_MS && after < SURE_UNTIL_MS) onAgree(event, lasts);
  };
  return (
    <>
      <div class="text">
        <h1 class="what">
          <span class="long">{texts.ask(title, team)}</span>
          <span class="short">{team}</span>
        </h1>
        <p id="terms" class="more" role={trouble === undefined ? undefined : 'alert'}>
          {trouble ?? (isPhone ? texts.onPhones : texts.terms(most))}
        </p>
        <label class="lasts">
          <span>{texts.lasts}</span>
          <select
            aria-label={texts.lasts}
            value={lasts}
            onChange={({ currentTarget }) => setLasts(currentTarget.value as Lasts)}
          >
            {LASTS.map((one) => (
              <option key={one} value={one}>
                {texts.lastsFor[one]}
              </option>
            ))}
          </select>
        </label>
      </div>
      <div class="acts" data-asked={isAsked}>
        {isAsked ? (
          <button type="button" class="main" data-testid="sure" aria-describedby="terms" onClick={onYes}>
            {texts.sure}
          </button>
        ) : (
          <button
            type="button"
            class="main"
            data-testid="start"
            aria-describedby="terms"
            title={isPhone ? texts.onPhones : texts.terms(most)}
            onClick={onStart}
          >
            <span class="long">{isPhone ? texts.turnOn : texts.start}</span>
            <span class="short">{isPhone ? texts.turnOn : texts.lend(most)}</span>
          </button>
        )}
      </div>
    </>
  );
}

function Going(props: FrameProps) {
  const { state, snapshot, trouble, unseen, pointsToday, team, title, about, onPause, onGoOn, onStop, onBattery } =
    props;
  const { value, unit } = rateParts(state.rate, state.step);
  const isGoing = state.state !== 'paused';
  const hasFailed = snapshot === undefined && trouble !== undefined;
  const canGoOn = hasFailed || state.reason === 'by-you' || state.reason === 'by-page' || state.reason === 'stopped';
  const isLost = snapshot !== undefined && snapshot.storage !== 'kept';
  return (
    <>
      <div class="text">
        <h1 class="title">{title}</h1>
        {state.state === 'running' ? (
          <p class="rate" data-testid="rate" data-rate={state.rate} aria-label={formatRate(state.rate, state.step)}>
            <b>{value}</b> {unit}
          </p>
        ) : (
          <p class="rate" data-testid="why" data-reason={state.reason}>
            {trouble ?? (isGoing ? texts.starting : why(state.reason, unseen))}
          </p>
        )}
        <p class="team" data-testid="team">
          <span class="long">{texts.forTeam(team)}</span>
          {texts.today(formatPoints(pointsToday))}
        </p>
        <p class="more" role={isLost ? 'note' : undefined}>
          {isLost ? texts.lost : about}
        </p>
      </div>
      <div class="acts">
        {state.reason === 'on-battery' && (
          <button type="button" data-testid="battery" aria-label={texts.onBattery} onClick={onBattery}>
            <span class="long">{texts.onBattery}</span>
            <span class="short">{texts.onBatteryShort}</span>
          </button>
        )}
        {isGoing || !canGoOn ? (
          <button
            type="button"
            class="sign"
            data-testid="pause"
            aria-label={texts.pause}
            title={texts.pause}
            onClick={onPause}
          >
            <Sign path="M4 3h4v14H4zM12 3h4v14h-4z" />
          </button>
        ) : (
          <button
            type="button"
            class="sign"
            data-testid="go-on"
            aria-label={texts.goOn}
            title={texts.goOn}
            onClick={onGoOn}
          >
            <Sign path="M5 2.5v15l12-7.5z" />
          </button>
        )}
        <button
          type="button"
          class="sign"
          data-testid="stop"
          aria-label={texts.stop}
          title={texts.stop}
          onClick={onStop}
        >
          <Sign path="M4.6 3.2 10 8.6l5.4-5.4 1.4 1.4-5.4 5.4 5.4 5.4-1.4 1.4-5.4-5.4-5.4 5.4-1.4-1.4 5.4-5.4-5.4-5.4z" />
        </button>
      </div>
    </>
  );
}

function why(reason: string | undefined, unseen: Sight['unseen']): string {
  if (reason !== undefined && Object.hasOwn(texts.unseen, reason))
    return texts.unseen[reason as keyof typeof texts.unseen];
  if (reason === 'unseen' && unseen !== undefined) return texts.unseen[unseen];
  return texts.paused[reason ?? ''] ?? texts.waiting;
}

function Refused({ text }: { text: string }) {
  return (
    <>
      <a class="mark" href="/" target="_blank" rel="noopener" aria-label={texts.open}>
        <Mark />
      </a>
      <p class="refused" data-testid="refused">
        {text}
      </p>
    </>
  );
}

const Sign = ({ path }: { path: string }) => (
  <svg viewBox="0 0 20 20" width="16" height="16" aria-hidden="true">
    <path d={path} />
  </svg>
);

/** As in public/icon.svg. */
const Mark = () => (
  <svg viewBox="0 0 512 512" aria-hidden="true">
    <rect width="512" height="512" rx="104" fill="#b4370f" />
    <path
      d="M344 320q24 0 24-24v-44q0-28 28-28h40q28 0 28 28v44q0 24 24 24v16H344zM384 320h28v96h-28zM436 320h28v96h-28z"
      fill="#f0b196"
    />
    <path
      d="M32 320q32 0 32-32V160q0-56 56-56h176q56 0 56 56v128q0 32 32 32v16H32zM96 320h32v96H96zM160 320h32v96h-32zM288 320h32v96h-32z"
      fill="#fff8f3"
    />
  </svg>
);
