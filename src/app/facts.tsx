/**
 * What this browser has done and holds, in four figures; the number of workers is the one that can be changed.
 * At its ends a worker button is aria-disabled rather than disabled, so that the keyboard focus stays on it.
 */
import type { EngineControl, EngineSnapshot } from '../client/snapshot.ts';
import { formatCount } from './format.ts';
import { Mine } from './mine.tsx';
import { texts } from './texts.ts';

export function Facts({ snapshot, engine }: { snapshot: EngineSnapshot; engine: EngineControl }) {
  const { inBuffer, maxWorkers, outBuffer, totals } = snapshot;
  const { workers } = snapshot.settings;
  const done = Object.values(totals).reduce((sum, { blocks }) => sum + blocks, 0);
  return (
    <section class="section" aria-labelledby="this-browser">
      <h2 class="margin" id="this-browser">
        {texts.thisBrowser}
      </h2>
      <div class="facts">
        <dl class="figures">
          <Figure label={texts.blocksDone} value={done} testid="blocks-done" />
          <Figure label={texts.reportsWaiting} value={outBuffer} testid="out-buffer" />
          <Figure label={texts.inStock} value={inBuffer} testid="in-buffer" />
        </dl>
        <div class="figure workers" role="group" aria-labelledby="workers" data-testid="workers" data-count={workers}>
          <span class="figure-label" id="workers">
            {texts.workers}
          </span>
          <span class="stepper">
            <Step
              label={texts.fewer}
              testid="fewer"
              sign="M4 10h12"
              to={workers - 1}
              possible={workers > 1}
              engine={engine}
            />
            <output class="figure-value">{texts.workersOf(workers, maxWorkers)}</output>
            <Step
              label={texts.more}
              testid="more"
              sign="M4 10h12M10 4v12"
              to={workers + 1}
              possible={workers < maxWorkers}
              engine={engine}
            />
          </span>
        </div>
        <Mine snapshot={snapshot} />
      </div>
    </section>
  );
}

function Figure({ label, value, testid }: { label: string; value: number; testid: string }) {
  return (
    <div class="figure">
      <dt class="figure-label">{label}</dt>
      <dd class="figure-value" data-testid={testid} data-count={value}>
        {formatCount(value)}
      </dd>
    </div>
  );
}

interface StepProps {
  label: string;
  testid: string;
  /** The path of its sign in a square of 20. */
  sign: string;
  to: number;
  possible: boolean;
  engine: EngineControl;
}

function Step({ label, testid, sign, to, possible, engine }: StepProps) {
  return (
    <button
      type="button"
      class="step"
      data-testid={testid}
      aria-label={label}
      aria-disabled={!possible}
      onClick={() => possible && engine.configure({ workers: to })}
    >
      <svg viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
        <path d={sign} />
      </svg>
    </button>
  );
}
