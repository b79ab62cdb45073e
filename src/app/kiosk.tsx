/**
 * The kiosk: one screen that computes unattended for months, to be read from three metres. It asks once, on the device
 * itself, whether it may; from then on it starts by itself. Loaded only where the address says `?kiosk`.
 */
import './kiosk.css';
import { render } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { EngineControl, EngineSnapshot, Pause } from '../client/snapshot.ts';
import { formatClock, formatCount, formatPowers, formatShare, rateParts } from './format.ts';
import { type Agreement, Device, Kept, tidyLabel } from './kiosk-device.ts';
import { Panel } from './kiosk-panel.tsx';
import { makePin, PIN_PATTERN } from './kiosk-pin.ts';
import { fillScreen, keepAwake, SHIFT_MS, shiftOf, watchIdle } from './kiosk-screen.ts';
import { kioskTexts as t } from './kiosk-texts.ts';
import { LOOK_MS, PageWatchdog } from './kiosk-watchdog.ts';
import { texts } from './texts.ts';
import { useNow, useSnapshot } from './use-snapshot.ts';

interface Place {
  engine: EngineControl & { checkpoint(): Promise<void> };
  version: string;
  /** What the kiosk is called from now on; undefined: it is none. */
  onLabel: (label: string | undefined) => void;
}

export function openKiosk(root: Element, place: Place): void {
  const device = new Device(
    () => localStorage,
    () => sessionStorage,
  );
  watchPage(place.engine);
  render(<Kiosk device={device} {...place} />, root);
}

/** Loads the page again where it is stuck; not where there is nobody to load it from. */
function watchPage(engine: Place['engine']): void {
  const watchdog = new PageWatchdog(new Kept(() => sessionStorage));
  setInterval(() => {
    if (!watchdog.look(engine.snapshot, Date.now())) return;
    void canLoad().then(async (can) => {
      if (!can) return;
      // It may be the storage that is stuck.
      await Promise.race([engine.checkpoint(), new Promise((resolve) => setTimeout(resolve, 5000))]);
      location.reload();
    });
  }, LOOK_MS);
}

async function canLoad(): Promise<boolean> {
  if (navigator.serviceWorker?.controller) return true;
  return fetch('/', { method: 'HEAD', cache: 'no-store' }).then(
    ({ ok }) => ok,
    () => false,
  );
}

function Kiosk({ device, engine, version, onLabel }: Place & { device: Device }) {
  const snapshot = useSnapshot(engine);
  const [agreement, setAgreement] = useState(device.agreement);
  const { theme } = snapshot.settings;
  useLayoutEffect(() => {
    // A screen that is on day and night is dark unless somebody chose otherwise.
    document.documentElement.dataset['theme'] = theme === 'light' ? 'light' : 'dark';
    document.documentElement.classList.add('kiosk-page');
  }, [theme]);
  useEffect(() => onLabel(agreement?.label), [agreement?.label]);
  useEffect(() => {
    document.title = t.documentTitle(agreement?.label ?? '');
  }, [agreement?.label]);
  const agree = (next: Agreement | undefined): void => {
    device.agreement = next;
    setAgreement(next);
    onLabel(next?.label);
    if (next !== undefined) return;
    device.tries = { wrong: 0, at: 0 };
    device.isPaused = false;
    engine.pause();
  };
  const begin = useRef(agreement !== undefined && !device.isPaused);
  const { reason } = snapshot.pause ?? {};
  useEffect(() => {
    if (!begin.current) return;
    begin.current = false;
    // What the keyserver stopped, a person lets go on.
    if (reason === 'not-started' || reason === 'by-you' || reason === 'snoozed') engine.start();
  }, []);
  if (agreement === undefined) {
    return (
      <Consent
        snapshot={snapshot}
        keeps={device.keeps}
        onAgree={(given) => {
          agree(given);
          device.isPaused = false;
          engine.start();
        }}
      />
    );
  }
  return (
    <Screen
      device={device}
      agreement={agreement}
      snapshot={snapshot}
      engine={engine}
      version={version}
      onAgreement={agree}
    />
  );
}

interface ConsentProps {
  snapshot: EngineSnapshot;
  keeps: boolean;
  onAgree: (agreement: Agreement) => void;
}

function Consent({ snapshot, keeps, onAgree }: ConsentProps) {
  // `?kiosk=Lobby` suggests a name.
  const [name, setName] = useState(() => new URLSearchParams(location.search).get('kiosk')?.slice(0, 64) ?? '');
  const [digits, setDigits] = useState('');
  const [fault, setFault] = useState('');
  const field = useRef<HTMLInputElement>(null);
  const agree = async (): Promise<void> => {
    if (digits !== '' && !PIN_PATTERN.test(digits)) {
      setFault(t.pinWrongForm);
      return field.current?.focus();
    }
    document.documentElement.requestFullscreen?.({ navigationUI: 'hide' }).catch(() => undefined);
    const pin = digits === '' ? {} : { pin: await makePin(digits) };
    onAgree({ agreedAt: Date.now(), label: tidyLabel(name), ...pin });
  };
  return (
    <main class="kiosk-consent" tabIndex={-1} data-testid="kiosk-consent">
      <h1>{t.welcome}</h1>
      <p class="lead">{t.about(snapshot.settings.workers, snapshot.maxWorkers)}</p>
      {!keeps && <p class="detail">{t.keepsNothing}</p>}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void agree();
        }}
      >
        <label class="kiosk-field">
          <span>{t.name}</span>
          <input
            value={name}
            maxLength={64}
            autocomplete="off"
            aria-describedby="kiosk-name-hint"
            onInput={({ currentTarget }) => setName(currentTarget.value)}
          />
          <small id="kiosk-name-hint">{t.nameHint}</small>
        </label>
        <label class="kiosk-field">
          <span>{t.pin}</span>
          <input
            ref={field}
            type="password"
            inputMode="numeric"
            autocomplete="new-password"
            value={digits}
            aria-invalid={fault !== ''}
            aria-describedby="kiosk-pin-fault kiosk-pin-hint"
            onInput={({ currentTarget }) => {
              setDigits(currentTarget.value);
              setFault('');
            }}
          />
          <span id="kiosk-pin-fault" class="kiosk-fault" role="status">
            {fault}
          </span>
          <small id="kiosk-pin-hint">{t.pinHint}</small>
        </label>
        <p class="kiosk-actions">
          <button type="submit" class="run" data-testid="kiosk-agree">
            {t.agree}
          </button>
          <a class="quiet" href="/">
            {t.decline}
          </a>
        </p>
      </form>
    </main>
  );
}

interface ScreenProps {
  device: Device;
  agreement: Agreement;
  snapshot: EngineSnapshot;
  engine: EngineControl;
  version: string;
  onAgreement: (agreement: Agreement | undefined) => void;
}

function Screen({ device, agreement, snapshot, engine, version, onAgreement }: ScreenProps) {
  const [panel, setPanel] = useState(false);
  const [idle, setIdle] = useState(false);
  const [full, setFull] = useState(true);
  const [awake, setAwake] = useState(true);
  const [nth, setNth] = useState(0);
  useEffect(() => keepAwake(setAwake), []);
  useEffect(() => fillScreen(setFull), []);
  useEffect(() => watchIdle(setIdle), []);
  useEffect(() => {
    const timer = setInterval(() => setNth((n) => n + 1), SHIFT_MS);
    return () => clearInterval(timer);
  }, []);
  useEffect(() => {
    const onKey = ({ key }: KeyboardEvent): void => {
      if (key === 'Escape') setPanel(true);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  const shift = useMemo(() => shiftOf(nth), [nth]);
  const { pause, rate, step, gateway } = snapshot;
  const now = useNow(true);
  const contest = contestInHand(snapshot);
  const { value, unit } = rateParts(rate, step);
  return (
    <main
      class="kiosk"
      tabIndex={-1}
      data-testid="kiosk"
      data-idle={idle && !panel}
      data-reason={pause?.reason ?? 'running'}
      onContextMenu={(event) => event.preventDefault()}
    >
      <div class="kiosk-picture" style={{ transform: `translate(${shift.x}px, ${shift.y}px)` }} data-shift={nth}>
        <header class="kiosk-head">
          <p class="kiosk-name">{agreement.label === '' ? t.unnamed : agreement.label}</p>
          <p class="kiosk-clock">
            <time>{formatClock(now)}</time>
          </p>
        </header>
        <section class="kiosk-middle">
          <p class="kiosk-state">
            <span class="lamp" aria-hidden="true" />
            {pause?.reason === 'by-you' ? t.paused : texts.state(pause)}
          </p>
          <p class="kiosk-rate" data-testid="rate" data-rate={rate}>
            <span class="kiosk-value">{value}</span> <span class="kiosk-unit">{unit}</span>
          </p>
          <h1>{contest?.manifest.title ?? texts.nothingToSearch}</h1>
          {pause === null ? (
            <Progress snapshot={snapshot} about={contest?.manifest.about ?? ''} />
          ) : (
            <Why pause={pause} snapshot={snapshot} now={now} />
          )}
        </section>
        <footer class="kiosk-foot">
          <dl>
            <Figure name={t.done} testId="blocks-done" count={blocksDone(snapshot)} />
            <Figure name={t.stock} testId="in-buffer" count={snapshot.inBuffer} />
            {snapshot.outBuffer > 0 && <Figure name={t.waiting} testId="out-buffer" count={snapshot.outBuffer} />}
          </dl>
          <p class="gateway" data-testid="gateway" data-state={gateway.state}>
            <span class="lamp" aria-hidden="true" />
            <span>
              {texts.gateway[gateway.state]}
              {gateway.state === 'unreachable' && gateway.reachedAt !== undefined && (
                <> {t.lastReached(Math.max(0, now - gateway.reachedAt) / 1000)}</>
              )}
              {gateway.state === 'reached' && gateway.through !== undefined && (
                <> {texts.gateway.through(gateway.through, gateway.because)}</>
              )}
            </span>
          </p>
          <p class="kiosk-hints">
            {!full && <span>{t.touchToFill}</span>}
            {!awake && <span>{t.mayDarken}</span>}
          </p>
        </footer>
      </div>
      <p class="visually-hidden" role="status">
        {texts.announce(pause, contest?.manifest.title ?? '', {
          offline: gateway.state === 'unreachable',
          tooOld: false,
        })}
      </p>
      <button
        type="button"
        class="kiosk-corner"
        aria-label={t.open}
        title={t.open}
        data-testid="kiosk-open"
        onClick={() => setPanel(true)}
      >
        <svg viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
          <path d="M7 11V8a5 5 0 0 1 10 0v3M5 11h14v9H5z" />
        </svg>
      </button>
      {panel && (
        <Panel
          device={device}
          agreement={agreement}
          snapshot={snapshot}
          engine={engine}
          version={version}
          onAgreement={onAgreement}
          onClose={() => setPanel(false)}
        />
      )}
    </main>
  );
}

function Progress({ snapshot, about }: { snapshot: EngineSnapshot; about: string }) {
  const { blocks, contests, found } = snapshot;
  const [block] = blocks;
  const state = contests.find(({ manifest }) => manifest.name === block?.contest)?.state;
  const last = found.findLast(({ mine }) => mine);
  const title = contests.find(({ manifest }) => manifest.name === last?.contest)?.manifest.title;
  return (
    <>
      {block !== undefined && (
        <div
          class="kiosk-block"
          role="progressbar"
          aria-label={t.inBlock}
          aria-valuenow={Math.floor(block.fraction * 100)}
          data-block={block.lease}
          data-contest={block.contest}
          data-steps={block.steps}
        >
          <span style={{ width: `${block.fraction * 100}%` }} />
        </div>
      )}
      <p class="kiosk-about">
        {last !== undefined && title !== undefined
          ? t.found(title)
          : state !== undefined && state.done > 0
            ? t.ofContest(formatShare(state.done / state.units))
            : formatPowers(about)}
      </p>
    </>
  );
}

function Why({ pause, snapshot, now }: { pause: Pause; snapshot: EngineSnapshot; now: number }) {
  const { workers, maxWorkers } = snapshot;
  const until = 'retryAt' in pause ? pause.retryAt : 'until' in pause ? pause.until : undefined;
  const seconds = until === undefined ? 0 : Math.ceil((until - now) / 1000);
  const version = 'version' in pause ? pause.version : undefined;
  return (
    <p class="kiosk-why" data-testid="pause" data-reason={pause.reason}>
      {t.pause(pause.reason) ?? texts.pause(pause.reason, { workers, cores: maxWorkers, seconds, version })}
    </p>
  );
}

function Figure({ name, testId, count }: { name: string; testId: string; count: number }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd data-testid={testId} data-count={count}>
        {formatCount(count)}
      </dd>
    </div>
  );
}

const blocksDone = ({ totals }: EngineSnapshot): number =>
  Object.values(totals).reduce((sum, { blocks }) => sum + blocks, 0);

function contestInHand({ blocks, contests }: EngineSnapshot) {
  const name = blocks[0]?.contest;
  return (
    contests.find(({ manifest }) => manifest.name === name) ?? contests.find(({ state }) => state.state === 'open')
  );
}
