/**
 * Every contest with its own progress, in honest figures: 12 of 17.6 trillion units is drawn as the empty bar it
 * is. A closed contest says how it closed, and shows its answer.
 */
import type { EngineControl, EngineSnapshot } from '../client/snapshot.ts';
import type { Announcement, Contest } from '../domain/contest.ts';
import { formatPowers, formatShare } from './format.ts';
import { texts } from './texts.ts';

export function Contests({ snapshot, engine }: { snapshot: EngineSnapshot; engine: EngineControl }) {
  const { blocks, contests, gateway, totals } = snapshot;
  return (
    <section class="section" aria-labelledby="contests">
      <h2 class="margin" id="contests">
        {texts.contests}
      </h2>
      {contests.length === 0 ? (
        <div class="empty">
          <p>{texts.contestsNone}</p>
          {gateway.state === 'unreachable' && (
            <button type="button" class="quiet" onClick={() => engine.retry()}>
              {texts.tryAgain}
            </button>
          )}
        </div>
      ) : (
        <ul class="rows">
          {contests.map((contest) => (
            <ContestRow
              key={contest.manifest.name}
              contest={contest}
              here={blocks.some((block) => block.contest === contest.manifest.name)}
              mine={totals[contest.manifest.name]}
            />
          ))}
        </ul>
      )}
    </section>
  );
}

interface RowProps {
  contest: Contest;
  /** Whether a block of it is in hand. */
  here: boolean;
  mine: { blocks: number; units: number } | undefined;
}

function ContestRow({ contest: { manifest, state }, here, mine }: RowProps) {
  const open = state.state === 'open';
  const how = contestOf(state);
  const best = state.hits[0];
  return (
    <li class="row contest" data-contest={manifest.name} data-state={state.state} data-done={state.done}>
      <div class="contest-head">
        <h3>{manifest.title}</h3>
        <span class={`badge ${badgeOf(how, here)}`}>{stateText(how, here)}</span>
      </div>
      <p class="contest-about">{formatPowers(manifest.about)}</p>
      <progress max={state.units} value={state.done} aria-label={texts.contestProgress(manifest.title)} />
      <p class="contest-figures">
        <span>
          {state.closedBy === 'hit' ? texts.enough(state.done, state.units) : texts.done(state.done, state.units)}
        </span>
        {open && <span>{formatShare(state.done / state.units)}</span>}
        {open && state.leased > 0 && <span>{texts.leased(state.leased)}</span>}
        {mine !== undefined && mine.blocks > 0 && <span>{texts.mine(mine.blocks, mine.units)}</span>}
      </p>
      {best !== undefined && (
        <p class="contest-answer">
          <span class="muted">{texts.answer}</span> {answer(best)}
        </p>
      )}
    </li>
  );
}

type How = 'open' | NonNullable<Contest['state']['closedBy']>;

function contestOf(state: Contest['state']): How {
  return state.state === 'open' ? 'open' : (state.closedBy ?? 'exhausted');
}

function badgeOf(how: How, here: boolean): string {
  if (how === 'open') return here ? 'badge-here' : '';
  // An operator's word is no success.
  return how === 'operator' ? '' : 'badge-closed';
}

function stateText(how: How, here: boolean): string {
  if (how === 'open') return here ? texts.searchedHere : texts.open;
  if (how === 'operator') return texts.closedByOperator;
  return how === 'hit' ? texts.closedByHit : texts.closedExhausted;
}

function answer(hit: Announcement): string {
  if (hit.kind === 'found') return texts.keptAnswer(hit.at, hit.by);
  return hit.kind === 'rc5' ? hit.message : texts.rulerAnswer(hit.marks.length, hit.marks.at(-1) ?? 0);
}
