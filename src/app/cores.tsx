/**
 * What computes here: every core with how it did on this machine. The fastest right one does the work; one that was
 * wrong says what it got wrong.
 */
import type { EngineControl, EngineSnapshot } from '../client/snapshot.ts';
import { formatRate } from './format.ts';
import { texts } from './texts.ts';

export function Cores({ snapshot, engine }: { snapshot: EngineSnapshot; engine: EngineControl }) {
  const { cores, pause } = snapshot;
  if (cores.length === 0) return null;
  return (
    <section class="section" aria-labelledby="cores">
      <h2 class="margin" id="cores">
        {texts.cores}
      </h2>
      <div class="cores">
        <p class="muted">{texts.coresLead}</p>
        <ul class="rows">
          {cores.map(({ name, state, detail, stepsPerSecond, step }) => (
            <li key={name} class="row core" data-core={name} data-state={state}>
              <span class="core-name">{name}</span>
              <span class={`badge ${state === 'chosen' ? 'badge-here' : state === 'wrong' ? 'badge-wrong' : ''}`}>
                {texts.coreState(state)}
              </span>
              <span class="core-rate">{stepsPerSecond > 0 && formatRate(stepsPerSecond, step)}</span>
              {state !== 'chosen' && detail !== undefined && (
                <span class="core-detail">{texts.coreDetail(state, detail)}</span>
              )}
            </li>
          ))}
        </ul>
        {pause === null && (
          <button type="button" class="quiet" data-testid="measure-cores" onClick={() => engine.measureCores()}>
            {texts.measureAgain}
          </button>
        )}
      </div>
    </section>
  );
}
