/** A team's page: its ranks, its members, its contests, its days. Loaded when it is asked for. */
import './standing.css';
import { useEffect } from 'preact/hooks';
import type { EngineSnapshot } from '../client/snapshot.ts';
import { RefusedError } from '../protocol/errors.ts';
import { teamPath } from '../protocol/http-standings.ts';
import type { TeamStanding } from '../protocol/standing.ts';
import { Bars } from './contest-rates.tsx';
import { formatClock, formatCount, formatPoints, formatShare } from './format.ts';
import { Files, Trouble } from './standing-parts.tsx';
import { standingTexts as s, teamTexts as t } from './standing-texts.ts';
import { standings } from './standings.ts';
import { useAnswer } from './use-answer.ts';

export function Team({ snapshot, name }: { snapshot: EngineSnapshot; name?: string }) {
  const team = name ?? '';
  const { gateway, settings } = snapshot;
  const answer = useAnswer<TeamStanding>(`team ${team}`, () => standings.team(team), gateway.state === 'reached');
  const { error, isOther } = answer;
  const value = isOther || error instanceof RefusedError ? undefined : answer.value;
  useEffect(() => {
    document.title = t.documentTitle(team);
  }, [team]);
  return (
    <main tabIndex={-1} data-testid="team" data-loaded={value !== undefined}>
      <section class="section standing-head">
        <div class="section-body">
          <p class="kind">
            {t.kind}
            {team === settings.team && <span class="you">{t.yours}</span>}
          </p>
          <h1>{team}</h1>
          <p class="list-about">
            <a href="/standing?of=teams">{t.back}</a>
            {value !== undefined && <span>{s.asOf(formatClock(value.at))}</span>}
            <a href={`/teams/${encodeURIComponent(team)}/embed`}>{t.widget}</a>
          </p>
          <Trouble answer={answer} at={value?.at} refused={t.unknown(team)} />
          {value === undefined && error === undefined && <p class="muted">{s.loading}</p>}
        </div>
      </section>
      {value !== undefined && <Found team={value} snapshot={snapshot} />}
    </main>
  );
}

function Found({ team, snapshot }: { team: TeamStanding; snapshot: EngineSnapshot }) {
  const titleOf = (name: string) =>
    snapshot.contests.find(({ manifest }) => manifest.name === name)?.manifest.title ?? name;
  const { members, memberCount, unnamed, days, contests } = team;
  const best = Math.max(0, ...days.map(({ points }) => points));
  return (
    <>
      <section class="section" aria-labelledby="totals">
        <h2 class="margin" id="totals">
          {t.totals}
        </h2>
        <dl class="figures team-figures">
          {(['today', 'week', 'all'] as const).map((span) => (
            <div class="figure" key={span} data-span={span} data-rank={team[span].rank}>
              <dt class="figure-label">{s.span[span]}</dt>
              <dd class="figure-value">{formatPoints(team[span].points)}</dd>
              <dd class="figure-label">
                {s.points.toLowerCase()}, {t.rank(team[span].rank, team[span].ranked)}
              </dd>
            </div>
          ))}
        </dl>
      </section>
      <section class="section" aria-labelledby="members">
        <h2 class="margin" id="members">
          {t.members}
        </h2>
        <div class="standing">
          <p class="list-about">
            <span>{t.memberCount(memberCount)}</span>
            <span>{t.membersLead}</span>
          </p>
          <table class="ledger">
            <thead>
              <tr>
                <th scope="col" class="number">
                  {s.rank}
                </th>
                <th scope="col">{s.name}</th>
                <th scope="col" class="number wide">
                  {s.blocks}
                </th>
                <th scope="col" class="number">
                  {s.points}
                </th>
                <th scope="col" class="number">
                  {s.share}
                </th>
              </tr>
            </thead>
            <tbody>
              {members.map(({ rank, name, blocks, points, share }) => (
                <tr key={name} class={name === snapshot.settings.name ? 'me' : undefined} data-name={name}>
                  <td class="number">{formatCount(rank)}</td>
                  <th scope="row">
                    <bdi>{name}</bdi>
                    {name === snapshot.settings.name && <span class="you">{s.you}</span>}
                  </th>
                  <td class="number wide">{formatCount(blocks)}</td>
                  <td class="number">{formatPoints(points)}</td>
                  <td class="number">{formatShare(share)}</td>
                </tr>
              ))}
            </tbody>
            {unnamed.blocks > 0 && (
              <tfoot>
                <tr>
                  <td />
                  <th scope="row">{s.unnamed.people}</th>
                  <td class="number wide">{formatCount(unnamed.blocks)}</td>
                  <td class="number">{formatPoints(unnamed.points)}</td>
                  <td class="number">{formatShare(unnamed.share)}</td>
                </tr>
              </tfoot>
            )}
          </table>
          {memberCount > members.length && <p class="muted">{t.more(memberCount - members.length)}</p>}
          <Files what={t.members} csv={teamPath(team.team, '/members.csv')} json={teamPath(team.team)} />
        </div>
      </section>
      <section class="section" aria-labelledby="team-contests">
        <h2 class="margin" id="team-contests">
          {t.contests}
        </h2>
        <div class="standing">
          <table class="ledger">
            <thead>
              <tr>
                <th scope="col">{t.contest}</th>
                <th scope="col" class="number">
                  {s.blocks}
                </th>
                <th scope="col" class="number wide">
                  {s.units}
                </th>
                <th scope="col" class="number">
                  {s.points}
                </th>
              </tr>
            </thead>
            <tbody>
              {contests.map(({ contest, blocks, units, points }) => (
                <tr key={contest}>
                  <th scope="row">{titleOf(contest)}</th>
                  <td class="number">{formatCount(blocks)}</td>
                  <td class="number wide">{formatCount(units)}</td>
                  <td class="number">{formatPoints(points)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </section>
      <section class="section" aria-labelledby="days">
        <h2 class="margin" id="days">
          {t.days}
        </h2>
        <div class="standing">
          <figure class="rate-figure">
            <figcaption>{t.daysSummary(days.length, best)}</figcaption>
            <Bars bars={days.map(({ at, points }) => ({ at, seconds: 86_400, value: points }))} days />
            <Files what={t.days} csv={teamPath(team.team, '/days.csv')} json={teamPath(team.team)} />
          </figure>
        </div>
      </section>
    </>
  );
}
