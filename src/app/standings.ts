/** The standing as the page asks for it, at its own gateway. */
import { HttpStandings } from '../protocol/http-standings.ts';
import type { StandingOf } from '../protocol/standing.ts';

export const standings = new HttpStandings('', { fetch: (...args) => fetch(...args) });

interface Place {
  rank: number;
  of: number;
}

export interface Ranks {
  name: string;
  team: string;
  person: Place | undefined;
  ofTeam: Place | undefined;
}

/** Ever, of all contests. */
export async function ranksOf(name: string, team: string): Promise<Ranks> {
  const [person, ofTeam] = await Promise.all([placeOf('people', name), placeOf('teams', team)]);
  return { name, team, person, ofTeam };
}

async function placeOf(of: StandingOf, name: string): Promise<Place | undefined> {
  if (name === '') return undefined;
  const { around, ranked } = await standings.standing({ of, span: 'all', limit: 1, around: name });
  const entry = around?.entries.find((one) => one.name === name);
  return entry === undefined ? undefined : { rank: entry.rank, of: ranked };
}
