/** What the pages of the standing have in common. */
import { RefusedError } from '../protocol/errors.ts';
import { formatClock } from './format.ts';
import { standingTexts as t } from './standing-texts.ts';
import { texts } from './texts.ts';
import type { Answer } from './use-answer.ts';

/** Why what is shown is old, or not there; spoken when it comes up, and not again. */
export function Trouble<T>({ answer, at, refused }: { answer: Answer<T>; at: number | undefined; refused: string }) {
  const { error } = answer;
  const isRefused = error instanceof RefusedError;
  return (
    <div role="status">
      {error !== undefined && (
        <div class="condition">
          <p>
            {isRefused ? refused : t.away} {!isRefused && at !== undefined && t.awayKept(formatClock(at))}
          </p>
          {!isRefused && (
            <button type="button" class="quiet" onClick={answer.again}>
              {texts.tryAgain}
            </button>
          )}
        </div>
      )}
    </div>
  );
}

export const teamHref = (team: string): string => `/teams/${encodeURIComponent(team)}`;

/** The same figures to take away. */
export function Files({ what, csv, json }: { what: string; csv: string; json: string }) {
  return (
    <p class="files">
      {t.takeAway}{' '}
      <a href={csv} download aria-label={t.csvOf(what)}>
        {t.csv}
      </a>{' '}
      <a href={json} target="_blank" rel="noreferrer" aria-label={t.jsonOf(what)}>
        {t.json}
      </a>
    </p>
  );
}
