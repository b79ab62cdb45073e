/**
 * The standing: people or teams, today, in a week or ever, in one contest or all, with yourself and those around you; below it how
 * fast each contest goes. What is looked at stands in the address, so that it can be sent to somebody. Loaded when it is asked for.
 */
import './standing.css';
import { useEffect } from 'preact/hooks';
import { useLocation } from 'preact-iso/router';
import type { EngineSnapshot } from '../client/snapshot.ts';
import { RefusedError } from '../protocol/errors.ts';
import { standingPath } from '../protocol/http-standings.ts';
import {
  DEFAULT_ENTRIES,
  type StandingEntry,
  type StandingQuery,
  type Standing as Told,
} from '../protocol/standing.ts';
import { ContestRows } from './contest-rates.tsx';
import { formatClock, formatCount, formatPoints, formatShare } from './format.ts';
import { Files, Trouble, teamHref } from './standing-parts.tsx';
import { standingTexts as t } from './standing-texts.ts';
import { standings } from './standings.ts';
import { useAnswer } from './use-answer.ts';

const whose = ['people', 'teams'] as const;
const spans = ['today', 'week', 'all'] as const;

export function Standing({ snapshot }: { snapshot: EngineSnapshot }) {
  const { route, query: asked } = useLocation();
  const { contests, gateway, settings } = snapshot;
  const query = queryOf(asked);
  const { of, span, contest } = query;
  const me = of === 'people' ? settings.name : settings.team;
  const wanted = { ...query, limit: DEFAULT_ENTRIES, ...(me === '' ? {} : { around: me }) };
  const answer = useAnswer<Told>(standingPath(wanted), () => standings.standing(wanted), gateway.state === 'reached');
  useEffect(() => {
    document.title = t.documentTitle;
  }, []);
  // What answers another question may stand there until the answer comes, but not where none does.
  const shown =
    answer.error instanceof RefusedError || (answer.isOther && answer.error !== undefined) ? undefined : answer.value;
  const titleOf = (name: string) => contests.find(({ manifest }) => manifest.name === name)?.manifest.title ?? name;
  const contestTitle = contest === undefined ? t.allContests : titleOf(contest);
  return (
    <main tabIndex={-1} data-testid="standing" data-loaded={shown !== undefined && !answer.isOther}>
      <section class="section standing-head">
        <div class="section-body">
          <h1>{t.title}</h1>
          <p class="lead">{t.lead}</p>
        </div>
      </section>
      <section class="section" aria-labelledby="whose">
        <h2 class="margin" id="whose">
          {t.of[of]}
        </h2>
        <div class="standing">
          <div class="choices">
            <Choices
              label={t.whose}
              options={whose}
              chosen={of}
              text={t.of}
              to={(one) => hrefOf({ ...query, of: one })}
            />
            <Choices
              label={t.when}
              options={spans}
              chosen={span}
              text={t.span}
              to={(one) => hrefOf({ ...query, span: one })}
            />
            <label class="contest-choice">
              <span>{t.contest}</span>
              <select
                value={contest ?? ''}
                onChange={({ currentTarget }) => route(hrefOf({ ...query, contest: currentTarget.value || undefined }))}
              >
                <option value="">{t.allContests}</option>
                {contest !== undefined && contests.every(({ manifest }) => manifest.name !== contest) && (
                  <option value={contest}>{contest}</option>
                )}
                {contests.map(({ manifest }) => (
                  <option key={manifest.name} value={manifest.name}>
                    {manifest.title}
                  </option>
                ))}
              </select>
            </label>
          </div>
          <Trouble answer={answer} at={shown?.at} refused={t.noContest} />
          {shown === undefined ? (
            answer.error === undefined && <p class="muted">{t.loading}</p>
          ) : (
            <List told={shown} query={query} me={me} busy={answer.isOther} contestTitle={contestTitle} />
          )}
        </div>
      </section>
      <ContestRows snapshot={snapshot} contest={contest} span={span === 'today' ? 'day' : span} />
    </main>
  );
}

/** What the address asks for; what cannot be read in it is as if it were not there. */
function queryOf(asked: Record<string, string>): StandingQuery & { from: number } {
  const { of, span, contest, from } = asked;
  return {
    of: whose.find((one) => one === of) ?? 'people',
    span: spans.find((one) => one === span) ?? 'all',
    contest: contest !== undefined && /^[a-z0-9][a-z0-9-]{0,31}$/.test(contest) ? contest : undefined,
    from: from !== undefined && /^[1-9]\d{0,8}$/.test(from) ? Number(from) : 1,
  };
}

/** Another choice begins at the first page. */
function hrefOf({ of, span, contest, from }: StandingQuery, keepPage = false): string {
  const parameters = new URLSearchParams({ of, span });
  if (contest !== undefined) parameters.set('contest', contest);
  if (keepPage && from !== undefined && from > 1) parameters.set('from', String(from));
  return `/standing?${parameters.toString()}`;
}

interface ChoicesProps<T extends string> {
  label: string;
  options: readonly T[];
  chosen: T;
  text: Readonly<Record<T, string>>;
  to: (option: T) => string;
}

/** Links, because each is an address of its own. */
function Choices<T extends string>({ label, options, chosen, text, to }: ChoicesProps<T>) {
  return (
    <nav class="choice" aria-label={label}>
      {options.map((option) => (
        <a key={option} href={to(option)} aria-current={option === chosen ? 'true' : undefined}>
          {text[option]}
        </a>
      ))}
    </nav>
  );
}

interface ListProps {
  told: Told;
  query: StandingQuery & { from: number };
  me: string;
  /** What is shown is of the question before. */
  busy: boolean;
  contestTitle: string;
}

function List({ told, query, me, busy, contestTitle }: ListProps) {
  const { route } = useLocation();
  /** Where the name is chosen, unfolded: the page stays, and so does the engine. */
  const toSettings = (event: Event): void => {
    event.preventDefault();
    route('/');
    setTimeout(() => {
      const settings = document.querySelector<HTMLDetailsElement>('details.settings');
      if (settings === null) return;
      settings.open = true;
      settings.scrollIntoView();
      settings.querySelector('summary')?.focus();
    }, 100);
  };
  const { of, entries, around, ranked, at, from } = told;
  const isListed = around !== undefined;
  const isHere = entries.some(({ name }) => name === me);
  const near =
    isListed && !isHere ? around.entries.filter(({ name }) => entries.every((one) => one.name !== name)) : [];
  const showUnits = told.contest !== undefined;
  const columns = 5 + (of === 'people' ? 1 : 0) + (showUnits ? 1 : 0);
  const row = (entry: StandingEntry) => (
    <EntryRow key={entry.name} entry={entry} of={of} isMe={entry.name === me && me !== ''} showUnits={showUnits} />
  );
  const { unnamed, total } = told;
  return (
    <div aria-busy={busy} class="list" data-testid="list">
      <p class="list-about">
        <span>{t.ranked[of](ranked)}</span>
        <span>{t.asOf(formatClock(at))}</span>
        {query.span !== 'all' && <span>{t.utc}</span>}
      </p>
      {ranked === 0 && <p class="empty-list">{t.empty[of]}</p>}
      {(ranked > 0 || total.blocks > 0) && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard.
        <div
          class="scrolls"
          tabIndex={0}
          role="region"
          aria-label={t.caption(t.of[of], t.span[query.span], contestTitle)}
        >
          <table class="ledger">
            <caption class="visually-hidden">{t.caption(t.of[of], t.span[query.span], contestTitle)}</caption>
            <thead>
              <tr>
                <th scope="col" class="number">
                  {t.rank}
                </th>
                <th scope="col">{t.name}</th>
                {of === 'people' && (
                  <th scope="col" class="wide">
                    {t.team}
                  </th>
                )}
                <th scope="col" class="number wide">
                  {t.blocks}
                </th>
                {showUnits && (
                  <th scope="col" class="number wide">
                    {t.units}
                  </th>
                )}
                <th scope="col" class="number">
                  {t.points}
                </th>
                <th scope="col" class="number wide">
                  {t.share}
                </th>
              </tr>
            </thead>
            <tbody>{entries.map(row)}</tbody>
            {near.length > 0 && (
              <tbody class="near">
                <tr>
                  <th scope="rowgroup" colSpan={columns}>
                    {of === 'people' ? t.aroundYou : t.aroundYourTeam}
                  </th>
                </tr>
                {near.map(row)}
              </tbody>
            )}
            <tfoot>
              <tr>
                <td />
                <th scope="row">{t.unnamed[of]}</th>
                {of === 'people' && <td class="wide" />}
                <td class="number wide">{formatCount(unnamed.blocks)}</td>
                {showUnits && <td class="number wide">{formatCount(unnamed.units ?? 0)}</td>}
                <td class="number">{formatPoints(unnamed.points)}</td>
                <td class="number wide">{formatShare(unnamed.share)}</td>
              </tr>
              <tr>
                <td />
                <th scope="row">{t.total}</th>
                {of === 'people' && <td class="wide" />}
                <td class="number wide">{formatCount(total.blocks)}</td>
                {showUnits && <td class="number wide">{formatCount(total.units ?? 0)}</td>}
                <td class="number">{formatPoints(total.points)}</td>
                <td class="number wide">{total.points > 0 ? formatShare(1) : formatShare(0)}</td>
              </tr>
            </tfoot>
          </table>
        </div>
      )}
      {!busy && me !== '' && !isListed && ranked > 0 && <p class="muted">{t.notListed[of](me)}</p>}
      {me === '' && (
        <p class="muted">
          {t.namelessHint[of]}{' '}
          <a href="/#settings" onClick={toSettings}>
            {t.chooseOne[of]}
          </a>
        </p>
      )}
      {(from > 1 || ranked > from - 1 + entries.length) && (
        <nav class="pager" aria-label={t.page}>
          {from > 1 && (
            <>
              <a href={hrefOf(query)}>{t.first}</a>
              <a href={hrefOf({ ...query, from: Math.max(1, from - DEFAULT_ENTRIES) }, true)}>{t.previous}</a>
            </>
          )}
          {entries.length > 0 && <span>{t.places(from, from - 1 + entries.length, ranked)}</span>}
          {ranked > from - 1 + entries.length && entries.length > 0 && (
            <a href={hrefOf({ ...query, from: from + DEFAULT_ENTRIES }, true)}>{t.next}</a>
          )}
        </nav>
      )}
      <Files
        what={t.caption(t.of[query.of], t.span[query.span], contestTitle)}
        csv={standingPath({ of: query.of, span: query.span, contest: query.contest }, '.csv')}
        json={standingPath({ of: query.of, span: query.span, contest: query.contest })}
      />
    </div>
  );
}

function EntryRow({
  entry,
  of,
  isMe,
  showUnits,
}: {
  entry: StandingEntry;
  of: Told['of'];
  isMe: boolean;
  showUnits: boolean;
}) {
  const { rank, name, team, blocks, units, points, share } = entry;
  return (
    <tr class={isMe ? 'me' : undefined} data-name={name} data-rank={rank} data-points={points}>
      <td class="number">{formatCount(rank)}</td>
      <th scope="row">
        <bdi>{of === 'teams' ? <a href={teamHref(name)}>{name}</a> : name}</bdi>
        {isMe && <span class="you">{of === 'people' ? t.you : t.yourTeam}</span>}
        {team !== undefined && (
          <a class="narrow" href={teamHref(team)}>
            {team}
          </a>
        )}
      </th>
      {of === 'people' && <td class="wide">{team !== undefined && <a href={teamHref(team)}>{team}</a>}</td>}
      <td class="number wide">{formatCount(blocks)}</td>
      {showUnits && <td class="number wide">{formatCount(units ?? 0)}</td>}
      <td class="number">{formatPoints(points)}</td>
      <td class="number wide">{formatShare(share)}</td>
    </tr>
  );
}
