/**
 * The standing: who did how much, of the people and of the teams, today, this week or ever, and how fast a contest goes. Public.
 * A client's id is in none of it: people are known by the name that they chose, and those who chose none are one sum that has
 * no rank. Names prove nothing; whoever gives yours works for you.
 *
 * Days are UTC's. `today` is the present one, `week` that and the six before it. Times are milliseconds since 1970. Points are
 * those of `domain/points.ts`. Those who did equally much have one rank, and the next one is as far below as they are many.
 */
import { type Static, Type } from 'typebox';
import { label } from '../domain/client.ts';
import { ContestName, ContestState } from '../domain/contest.ts';
import { SiteOrigin, SiteToken } from '../domain/site.ts';

export const StandingOf = Type.Union([Type.Literal('people'), Type.Literal('teams')]);
export type StandingOf = Static<typeof StandingOf>;

export const StandingSpan = Type.Union([Type.Literal('today'), Type.Literal('week'), Type.Literal('all')]);
export type StandingSpan = Static<typeof StandingSpan>;

/** `day`: 24 hours, hour by hour. `week`: 7 days of them. `all`: day by day, two years at most. */
export const RateSpan = Type.Union([Type.Literal('day'), Type.Literal('week'), Type.Literal('all')]);
export type RateSpan = Static<typeof RateSpan>;

/** What one answer lists. */
export const MAX_ENTRIES = 10_000;
export const DEFAULT_ENTRIES = 50;
/** Neighbours to either side of the one who is looked for. */
export const NEIGHBOURS = 5;

const Count = Type.Integer({ minimum: 0 });
const Points = Type.Number({ minimum: 0 });
/** In [0, 1], of the points of all, unnamed ones too. */
const Share = Type.Number({ minimum: 0, maximum: 1 });

const Sum = Type.Object({
  blocks: Count,
  /** Only where one contest is asked for: units of several cannot be added up. */
  units: Type.Optional(Count),
  points: Points,
});

const SharedSum = Type.Object({ ...Sum.properties, share: Share });

export const StandingEntry = Type.Object({
  rank: Type.Integer({ minimum: 1 }),
  name: Type.String(),
  /** Of people: the team they worked for last. Absent: none. */
  team: Type.Optional(Type.String()),
  ...SharedSum.properties,
});
export type StandingEntry = Static<typeof StandingEntry>;

export const Standing = Type.Object({
  of: StandingOf,
  span: StandingSpan,
  /** Absent: all contests together. */
  contest: Type.Optional(ContestName),
  /** When the span began; absent: ever. */
  since: Type.Optional(Type.Integer()),
  /** When these sums were made. */
  at: Type.Integer(),
  /** How many are ranked. */
  ranked: Count,
  total: Sum,
  /** Of people: those without a name. Of teams: those without a team. */
  unnamed: SharedSum,
  /** The place in the list, from 1, of the first of `entries`. */
  from: Type.Integer({ minimum: 1 }),
  entries: Type.Array(StandingEntry, { maxItems: MAX_ENTRIES }),
  /** The one who was looked for, with neighbours; absent: nobody was, or is not in the list. */
  around: Type.Optional(
    Type.Object({ from: Type.Integer({ minimum: 1 }), entries: Type.Array(StandingEntry, { minItems: 1 }) }),
  ),
});
export type Standing = Static<typeof Standing>;

export interface StandingQuery {
  of: StandingOf;
  span: StandingSpan;
  contest?: string | undefined;
  from?: number | undefined;
  limit?: number | undefined;
  /** A name. */
  around?: string | undefined;
}

const Placed = Type.Object({
  /** Absent: nothing was done in this span. */
  rank: Type.Optional(Type.Integer({ minimum: 1 })),
  /** How many teams are ranked. */
  ranked: Count,
  ...SharedSum.properties,
});

export const TeamStanding = Type.Object({
  team: Type.String(),
  at: Type.Integer(),
  today: Placed,
  week: Placed,
  all: Placed,
  contests: Type.Array(Type.Object({ contest: ContestName, blocks: Count, units: Count, points: Points })),
  /** Those who did something in the team's name, and how much of it; best first. */
  members: Type.Array(Type.Object({ ...StandingEntry.properties }), { maxItems: MAX_ENTRIES }),
  /** How many have a name. */
  memberCount: Count,
  unnamed: SharedSum,
  /** Days on which something was done, oldest first; two years at most. */
  days: Type.Array(Type.Object({ at: Type.Integer(), blocks: Count, points: Points })),
});
export type TeamStanding = Static<typeof TeamStanding>;

export const ContestRates = Type.Object({
  contest: ContestName,
  span: RateSpan,
  at: Type.Integer(),
  state: ContestState.properties.state,
  units: Count,
  done: Count,
  pointsPerUnit: Points,
  /** Over the last 24 hours, or since its first work where that is less. */
  unitsPerSecond: Type.Number({ minimum: 0 }),
  /** Until all units are done at this rate; absent: it is closed, or stands still. */
  secondsLeft: Type.Optional(Type.Number({ minimum: 0 })),
  /** Oldest first, from the first one with work in it on, without a gap. */
  spans: Type.Array(
    Type.Object({
      /** When it began. */
      at: Type.Integer(),
      /** How long it lasted: of the present one, until now. */
      seconds: Type.Number({ minimum: 0 }),
      blocks: Count,
      units: Count,
      /** Units done by its end. */
      done: Count,
      unitsPerSecond: Type.Number({ minimum: 0 }),
    }),
  ),
});
export type ContestRates = Static<typeof ContestRates>;

/** What was done through the widget of one site. */
export const SiteStanding = Type.Object({
  token: SiteToken,
  team: Type.String(),
  /** Of the pages that may embed it. */
  origins: Type.Array(SiteOrigin),
  at: Type.Integer(),
  today: Type.Object({ blocks: Count, points: Points }),
  all: Type.Object({ blocks: Count, points: Points }),
  /** By all of the team, here and elsewhere. */
  teamToday: Type.Object({ blocks: Count, points: Points }),
  /** Days on which something was done, oldest first; two years at most. */
  days: Type.Array(Type.Object({ at: Type.Integer(), blocks: Count, points: Points })),
});
export type SiteStanding = Static<typeof SiteStanding>;

/** In an address everything is text; the number is at most MAX_ENTRIES. */
const Limit = Type.String({ pattern: '^([1-9][0-9]{0,3}|10000)$' });
const From = Type.String({ pattern: '^[1-9][0-9]{0,8}$' });
const Name = label(64, 1);
const exact = { additionalProperties: false };

/** `?contest=rc5-72&span=week&from=51&limit=50&around=ada`. */
export const StandingParameters = Type.Object(
  {
    contest: Type.Optional(ContestName),
    span: Type.Optional(StandingSpan),
    from: Type.Optional(From),
    limit: Type.Optional(Limit),
    around: Type.Optional(Name),
  },
  exact,
);
export const StandingExport = Type.Omit(StandingParameters, ['around'], exact);
export const TeamParameters = Type.Object({ limit: Type.Optional(Limit) }, exact);
export const RateParameters = Type.Object({ span: Type.Optional(RateSpan) }, exact);
export const OfTeam = Type.Object({ team: Name }, exact);
export const OfSite = Type.Object({ token: SiteToken }, exact);
export const OfContest = Type.Object({ contest: ContestName }, exact);

/** A keymaster answers out of its ledger, `HttpStandings` over `fetch`, a proxy as those above it do. */
export interface Standings {
  /** @throws RefusedError `contest_unknown`. */
  standing(query: StandingQuery): Promise<Standing>;
  /**
   * @param limit of members; 100 unless told.
   * @throws RefusedError `not_found`: nothing was ever done for such a team.
   */
  team(team: string, limit?: number): Promise<TeamStanding>;
  /** @throws RefusedError `not_found`: there is no such site, or it was revoked. */
  site(token: string): Promise<SiteStanding>;
  /** @throws RefusedError `contest_unknown`. */
  rates(contest: string, span: RateSpan): Promise<ContestRates>;
}
