/**
 * The way out of the kiosk, and what can be changed there: behind the PIN, where one was set. The digits can be typed, or
 * touched where there is no keyboard.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { EngineControl, EngineSnapshot } from '../client/snapshot.ts';
import { type Agreement, type Device, tidyLabel } from './kiosk-device.ts';
import { isPin, makePin, PIN_PATTERN, waitOf } from './kiosk-pin.ts';
import { kioskTexts as t } from './kiosk-texts.ts';
import { texts } from './texts.ts';
import { useNow } from './use-snapshot.ts';

interface Props {
  device: Device;
  agreement: Agreement;
  snapshot: EngineSnapshot;
  engine: EngineControl;
  version: string;
  onAgreement: (agreement: Agreement | undefined) => void;
  onClose: () => void;
}

export function Panel(props: Props) {
  const { device, agreement, onClose } = props;
  const [open, setOpen] = useState(agreement.pin === undefined);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  useEffect(() => {
    // The field of the PIN is gone, and with it the keyboard's place.
    if (open) dialog.current?.querySelector<HTMLButtonElement>('.kiosk-back')?.focus();
  }, [open]);
  const { pin } = agreement;
  return (
    <dialog
      class="kiosk-dialog"
      ref={dialog}
      aria-labelledby="kiosk-dialog"
      onClose={onClose}
      data-testid="kiosk-panel"
    >
      {open || pin === undefined ? (
        <Controls {...props} />
      ) : (
        <Lock device={device} isRight={(digits) => isPin(digits, pin)} onOpen={() => setOpen(true)} />
      )}
      <button type="button" class="quiet kiosk-back" onClick={() => dialog.current?.close()}>
        {t.close}
      </button>
    </dialog>
  );
}

const keys = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '0'];

interface LockProps {
  device: Device;
  isRight: (digits: string) => Promise<boolean>;
  onOpen: () => void;
}

function Lock({ device, isRight, onOpen }: LockProps) {
  const [digits, setDigits] = useState('');
  const [isWrong, setWrong] = useState(false);
  const [busy, setBusy] = useState(false);
  const now = useNow(true);
  const wait = Math.ceil(waitOf(device.tries, now) / 1000);
  const field = useRef<HTMLInputElement>(null);
  const mayTry = wait <= 0;
  useEffect(() => {
    // A field that was disabled has lost the keyboard.
    if (mayTry) field.current?.focus();
  }, [mayTry]);
  const enter = async (): Promise<void> => {
    if (busy || digits === '' || waitOf(device.tries, Date.now()) > 0) return;
    setBusy(true);
    // Counted before it is looked at: a page that is closed meanwhile has used up its try.
    device.tries = { wrong: device.tries.wrong + 1, at: Date.now() };
    const right = await isRight(digits).catch(() => false);
    setBusy(false);
    setDigits('');
    setWrong(!right);
    if (!right) return field.current?.focus();
    device.tries = { wrong: 0, at: 0 };
    onOpen();
  };
  return (
    <form
      class="kiosk-lock"
      onSubmit={(event) => {
        event.preventDefault();
        void enter();
      }}
    >
      <h2 id="kiosk-dialog">{t.enterPin}</h2>
      <input
        ref={field}
        type="password"
        inputMode="numeric"
        autocomplete="off"
        aria-label={t.pin}
        aria-describedby="kiosk-verdict"
        data-testid="kiosk-pin"
        value={digits}
        disabled={wait > 0}
        onInput={({ currentTarget }) => {
          currentTarget.value = currentTarget.value.replace(/\D/g, '').slice(0, 12);
          setDigits(currentTarget.value);
        }}
      />
      <p id="kiosk-verdict" class="kiosk-verdict" role="status" data-testid="kiosk-verdict">
        {wait > 0 ? t.tooSoon(wait) : isWrong && digits === '' ? t.wrong : ''}
      </p>
      <div class="kiosk-keys" role="group" aria-label={t.digits}>
        {keys.map((key) => (
          <button
            type="button"
            key={key}
            class="quiet"
            disabled={wait > 0}
            onClick={() => setDigits(`${digits}${key}`.slice(0, 12))}
          >
            {key}
          </button>
        ))}
        <button
          type="button"
          class="quiet"
          aria-label={t.erase}
          disabled={wait > 0}
          onClick={() => setDigits(digits.slice(0, -1))}
        >
          ⌫
        </button>
      </div>
      <button type="submit" class="run" disabled={busy || wait > 0}>
        {t.unlock}
      </button>
    </form>
  );
}

function Controls({ device, agreement, snapshot, engine, version, onAgreement }: Props) {
  const { settings, maxWorkers, wanted } = snapshot;
  const [name, setName] = useState(agreement.label);
  const [digits, setDigits] = useState('');
  const [said, setSaid] = useState('');
  const pause = (paused: boolean): void => {
    device.isPaused = paused;
    if (paused) engine.pause();
    else engine.start();
  };
  const save = async (): Promise<void> => {
    if (digits !== '' && !PIN_PATTERN.test(digits)) return setSaid(t.pinWrongForm);
    onAgreement({ ...agreement, label: tidyLabel(name), ...(digits === '' ? {} : { pin: await makePin(digits) }) });
    setDigits('');
    setSaid(t.saved);
  };
  const withoutPin = (): void => {
    const { pin: _gone, ...rest } = agreement;
    onAgreement(rest);
    setSaid(t.saved);
  };
  return (
    <div class="kiosk-controls">
      <h2 id="kiosk-dialog">{t.panel}</h2>
      <button type="button" class="run" data-state={wanted ? 'running' : 'paused'} onClick={() => pause(wanted)}>
        {wanted ? t.pauseHere : t.resume}
      </button>
      <div class="kiosk-row">
        <span id="kiosk-workers">{texts.workers}</span>
        <span class="kiosk-steps" role="group" aria-labelledby="kiosk-workers">
          <button
            type="button"
            class="quiet"
            aria-label={texts.fewer}
            disabled={settings.workers <= 1}
            onClick={() => engine.configure({ workers: settings.workers - 1 })}
          >
            −
          </button>
          <output>{texts.workersOf(settings.workers, maxWorkers)}</output>
          <button
            type="button"
            class="quiet"
            aria-label={texts.more}
            disabled={settings.workers >= maxWorkers}
            onClick={() => engine.configure({ workers: settings.workers + 1 })}
          >
            +
          </button>
        </span>
      </div>
      <label class="kiosk-row">
        <span>{t.throttle}</span>
        <span class="kiosk-steps">
          <input
            type="range"
            min="10"
            max="100"
            step="10"
            value={Math.round(settings.throttle * 100)}
            onInput={({ currentTarget }) => engine.configure({ throttle: Number(currentTarget.value) / 100 })}
          />
          <output>{t.share(Math.round(settings.throttle * 100))}</output>
        </span>
      </label>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <label class="kiosk-row">
          <span>{t.name}</span>
          <input value={name} maxLength={64} onInput={({ currentTarget }) => setName(currentTarget.value)} />
        </label>
        <label class="kiosk-row">
          <span>{t.newPin}</span>
          <input
            type="password"
            inputMode="numeric"
            autocomplete="new-password"
            value={digits}
            onInput={({ currentTarget }) => setDigits(currentTarget.value)}
          />
        </label>
        <p class="kiosk-actions">
          <button type="submit" class="quiet">
            {t.save}
          </button>
          {agreement.pin !== undefined && (
            <button type="button" class="quiet" onClick={withoutPin}>
              {t.removePin}
            </button>
          )}
          <span role="status">{said}</span>
        </p>
      </form>
      <p class="kiosk-row">
        <button type="button" class="quiet" data-testid="kiosk-leave" onClick={() => location.assign('/')}>
          {t.leave}
        </button>
        <small>{t.leaveHint}</small>
      </p>
      <p class="kiosk-row">
        <button type="button" class="quiet" data-testid="kiosk-withdraw" onClick={() => onAgreement(undefined)}>
          {t.withdraw}
        </button>
        <small>{t.withdrawHint}</small>
      </p>
      <p class="muted">
        <small>{t.version(version)}</small>
      </p>
    </div>
  );
}
