/**
 * What this browser's work is worth: points and share out of its own totals, so that they are there without a network; the ranks
 * of its name and its team once the keyserver has told them. These are asked for after the page stands.
 */
import { useEffect, useState } from 'preact/hooks';
import type { EngineSnapshot } from '../client/snapshot.ts';
import { pointsOf, pointsPerUnit } from '../domain/points.ts';
import type { Ranks } from './standings.ts';
import { texts } from './texts.ts';

const t = texts.standing.mine;
/** After a block is done, the keyserver counts it within a second or two; one that has much to do takes longer. */
const ASK_AFTER_MS = [2500, 15_000, 120_000];

export function Mine({ snapshot }: { snapshot: EngineSnapshot }) {
  const { contests, gateway, settings, totals } = snapshot;
  const { name, team } = settings;
  const points = pointsOf(
    totals,
    contests.map(({ manifest }) => manifest),
  );
  const all = contests.reduce((sum, { manifest, state }) => sum + state.done * pointsPerUnit(manifest), 0);
  const ranks = useRanks(name, team, gateway.state === 'reached', points);
  return (
    <p class="mine" data-testid="mine" data-points={points}>
      <span>{t.points(points)}</span>
      <span>{t.share(all > 0 ? Math.min(1, points / all) : 0)}</span>
      <span>
        {name === '' ? (
          t.nameless
        ) : (
          <>
            <b dir="auto">{name}</b> {ranks?.name === name ? rankOf(ranks.person) : ''}
          </>
        )}
      </span>
      {team !== '' && (
        <span>
          <a href={`/teams/${encodeURIComponent(team)}`} dir="auto">
            {team}
          </a>{' '}
          {ranks?.team === team ? rankOf(ranks.ofTeam) : ''}
        </span>
      )}
      <a href="/standing">{t.link}</a>
    </p>
  );
}

const rankOf = (place: Ranks['person']): string => (place === undefined ? t.noRank : t.rank(place.rank, place.of));

function useRanks(name: string, team: string, reached: boolean, points: number): Ranks | undefined {
  const [ranks, setRanks] = useState<Ranks>();
  useEffect(() => {
    if (!reached || (name === '' && team === '')) return;
    let gone = false;
    const ask = async (): Promise<void> => {
      const { ranksOf } = await import('./standings.ts');
      const told = await ranksOf(name, team);
      if (!gone) setRanks(told);
    };
    // Without an answer the ranks of before stay.
    const timers = ASK_AFTER_MS.map((ms) => setTimeout(() => void ask().catch(() => {}), ms));
    return () => {
      gone = true;
      timers.forEach(clearTimeout);
    };
  }, [name, team, reached, points]);
  return ranks;
}
