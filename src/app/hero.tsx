/**
 * The first screen, which answers four questions in five seconds: is it running, what for, how do I stop it, how
 * fast. The button follows what the person wants, not what happens to be computed: while the gateway is away it
 * still says Pause.
 */
import { useRef } from 'preact/hooks';
import type { EngineControl, EngineSnapshot, Pause } from '../client/snapshot.ts';
import type { ContestManifest } from '../domain/contest.ts';
import { formatPowers, rateParts } from './format.ts';
import { Herd } from './herd.tsx';
import { History } from './history.tsx';
import { Later } from './later.tsx';
import { renew } from './renew.ts';
import { texts } from './texts.ts';
import { useNow } from './use-snapshot.ts';

interface Props {
  snapshot: EngineSnapshot;
  engine: EngineControl;
  /** What is being searched, or would be next. */
  contest: ContestManifest | undefined;
}

export function Hero({ snapshot, engine, contest }: Props) {
  const { finishing, pause, wanted } = snapshot;
  const fresh = pause?.reason === 'not-started';
  const run = useRef<HTMLButtonElement>(null);
  const toRun = (): void => run.current?.focus();
  const isOn = wanted && pause?.reason !== 'snoozed';
  return (
    <section class="section hero" aria-labelledby="what" data-reason={pause?.reason ?? 'running'}>
      <p class="margin state">
        <span class="lamp" aria-hidden="true" />
        {texts.state(pause)}
      </p>
      <div class="hero-body">
        <div class="what">
          <h1 id="what">{fresh ? texts.welcome : (contest?.title ?? texts.nothingToSearch)}</h1>
          {pause === null ? (
            <p class="lead">{finishing ? texts.finishing : formatPowers(contest?.about ?? '')}</p>
          ) : (
            <PauseSentence snapshot={snapshot} pause={pause} />
          )}
          <button
            ref={run}
            type="button"
            class="run"
            data-testid="run"
            data-state={isOn ? 'running' : 'paused'}
            onClick={() => (isOn ? engine.pause() : engine.start())}
          >
            <RunSign running={isOn} />
            {isOn ? texts.pauseButton : pause?.reason === 'snoozed' ? texts.goOn : texts.start}
          </button>
          <div class="actions">
            {isOn && <Later snapshot={snapshot} engine={engine} onGone={toRun} />}
            {pause?.reason === 'another-tab' && (
              <button
                type="button"
                class="quiet"
                data-testid="take-over"
                onClick={() => {
                  engine.takeOver();
                  toRun();
                }}
              >
                {texts.takeOver}
              </button>
            )}
            {pause !== null && 'retryAt' in pause && (
              <button type="button" class="quiet" onClick={() => engine.retry()}>
                {texts.askNow}
              </button>
            )}
            {pause?.reason === 'too-old' && (
              <button type="button" class="quiet" onClick={() => void renew(true)}>
                {texts.updateNow}
              </button>
            )}
            {pause?.reason === 'no-core' && (
              <button type="button" class="quiet" onClick={() => location.reload()}>
                {texts.reload}
              </button>
            )}
          </div>
        </div>
        {fresh && engine.history.of('month').length === 0 ? (
          <Herd />
        ) : (
          <div class="meter">
            <Rate rate={snapshot.rate} step={snapshot.step} />
            <History history={engine.history} rate={snapshot.rate} step={snapshot.step} />
          </div>
        )}
      </div>
    </section>
  );
}

function Rate({ rate, step }: { rate: number; step: 'keys' | 'nodes' }) {
  const { value, unit } = rateParts(rate, step);
  return (
    <p class="rate" data-testid="rate" data-rate={rate}>
      <span class="rate-value">{value}</span> <span class="rate-unit">{unit}</span>
    </p>
  );
}

function PauseSentence({ snapshot, pause }: { snapshot: EngineSnapshot; pause: Pause }) {
  const { gateway, maxWorkers, workers } = snapshot;
  const until = 'retryAt' in pause ? pause.retryAt : 'until' in pause ? pause.until : undefined;
  const now = useNow(until !== undefined);
  const seconds = until === undefined ? 0 : Math.ceil((until - now) / 1000);
  const version = 'version' in pause ? pause.version : undefined;
  const detail = 'detail' in pause ? pause.detail : 'retryAt' in pause ? gateway.error : undefined;
  return (
    <>
      <p class="lead lead-why" data-testid="pause" data-reason={pause.reason}>
        {texts.pause(pause.reason, { workers, cores: maxWorkers, seconds, version })}
      </p>
      {detail !== undefined && (
        <p class="detail">
          {pause.reason === 'stopped' ? texts.reason : texts.detail}: {detail}
        </p>
      )}
    </>
  );
}

function RunSign({ running }: { running: boolean }) {
  return (
    <svg class="run-sign" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
      <path d={running ? 'M4 3h4v14H4zM12 3h4v14h-4z' : 'M5 2.5v15l12-7.5z'} />
    </svg>
  );
}
