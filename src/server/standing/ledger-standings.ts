/**
 * The standing out of a keymaster's ledger. It reads sums only, in parts between which exchanges go on, and keeps what it made
 * for a moment: a ledger of a hundred thousand names answers out of memory nearly always.
 */
import { pointsPerUnit, roundPoints } from '../../domain/points.ts';
import { RefusedError } from '../../protocol/errors.ts';
import {
  type ContestRates,
  DEFAULT_ENTRIES,
  NEIGHBOURS,
  type RateSpan,
  type SiteStanding,
  type Standing,
  type StandingEntry,
  type StandingQuery,
  type StandingSpan,
  type Standings,
  type TeamStanding,
} from '../../protocol/standing.ts';
import { manifestOf } from '../ledger/books.ts';
import type { Counting } from '../ledger/counting.ts';
import type { LedgerQueries } from '../store/queries.ts';
import type { ContestRow } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import { type Board, type Row, Sums } from './board.ts';
import { Kept } from './kept.ts';
import { ratesOf } from './rates.ts';
import { DAY_MS, HOUR_MS, spanned } from './spans.ts';

/** Rows that are read at once: some ten milliseconds. */
const ROWS_AT_ONCE = 2000;
const FRESH_MS = 2000;
/** What was made is fresh for so many times what it took: two hundredths of the time go into it at most. */
const TIMES_TAKEN = 50;
/** Nobody waits longer than this, unless what is there is older than that. */
const PATIENCE_MS = 50;
const STALE_MS = 600_000;
/** A board of a hundred thousand names takes some 20 MB. */
const BOARDS_KEPT = 8;
const TEAMS_KEPT = 64;
const SITES_KEPT = 64;
const RATES_KEPT = 64;
const DEFAULT_MEMBERS = 100;

const SCOPES = { people: 'person', teams: 'team' } as const;

export interface StandingsPorts {
  store: Store;
  counting: Pick<Counting, 'count'>;
  /** Milliseconds since 1970. */
  clock: () => number;
}

/** At a site, and by its team. */
type Done = Omit<SiteStanding, 'token' | 'team' | 'origins'>;

/** A contest and what its units are worth. */
interface Worth {
  name: string;
  pointsPerUnit: number;
}

export class LedgerStandings implements Standings {
  readonly #ports: StandingsPorts;
  readonly #boards: Kept<Board>;
  readonly #teams: Kept<{ standing: Omit<TeamStanding, 'members' | 'unnamed' | 'memberCount'>; members: Board }>;
  readonly #sites: Kept<Done>;
  readonly #rates: Kept<ContestRates>;

  constructor(ports: StandingsPorts) {
    this.#ports = ports;
    const keeping = {
      clock: ports.clock,
      freshMs: FRESH_MS,
      timesTaken: TIMES_TAKEN,
      patienceMs: PATIENCE_MS,
      staleMs: STALE_MS,
    };
    this.#boards = new Kept({ ...keeping, most: BOARDS_KEPT });
    this.#teams = new Kept({ ...keeping, most: TEAMS_KEPT });
    this.#sites = new Kept({ ...keeping, most: SITES_KEPT });
    this.#rates = new Kept({ ...keeping, most: RATES_KEPT });
  }

  async standing(query: StandingQuery): Promise<Standing> {
    const { of, span, contest, from = 1, limit = DEFAULT_ENTRIES, around } = query;
    const { since } = spanned(span, this.#ports.clock());
    const board = await this.#board(of, span, contest);
    const { at, size: ranked, total, unnamed } = board;
    const shown = units(contest);
    const near = around === undefined ? undefined : board.around(around, NEIGHBOURS);
    const entries = board.entries(from, limit);
    const teams = of === 'people' ? await this.#teamsOf([...entries, ...(near?.entries ?? [])]) : undefined;
    const entry = (one: StandingEntry): StandingEntry => {
      const team = teams?.get(one.name);
      return { ...shown(one), ...(team === undefined ? {} : { team }) };
    };
    return {
      of,
      span,
      ...(contest === undefined ? {} : { contest }),
      ...(since === undefined ? {} : { since }),
      at,
      ranked,
      total: shown(total),
      unnamed: shown({ ...unnamed, share: board.share(unnamed) }),
      from,
      entries: entries.map(entry),
      ...(near === undefined ? {} : { around: { from: near.from, entries: near.entries.map(entry) } }),
    };
  }

  async team(team: string, limit = DEFAULT_MEMBERS): Promise<TeamStanding> {
    const { standing, members } = await this.#teams.get(team, () => this.#makeTeam(team));
    const shown = units(undefined);
    const { unnamed } = members;
    return {
      ...standing,
      members: members.entries(1, limit).map(shown),
      memberCount: members.size,
      unnamed: shown({ ...unnamed, share: members.share(unnamed) }),
    };
  }

  /** What the operator says of a site holds at once: what was done there alone is kept for a moment. */
  async site(token: string): Promise<SiteStanding> {
    const row = await this.#ports.store.read((ledger) => ledger.site(token));
    if (row === undefined) throw new RefusedError('not_found', `there is no site ${token}`, { status: 404 });
    if (row.revoked_at !== null) {
      throw new RefusedError('not_found', `the operator has ended the widget of site ${token}`, { status: 404 });
    }
    const { team } = row;
    const done = await this.#sites.get(token, () => this.#makeSite(token, team));
    return { token, team, origins: JSON.parse(row.origins) as string[], ...done };
  }

  rates(contest: string, span: RateSpan): Promise<ContestRates> {
    return this.#rates.get(`${contest} ${span}`, async () => {
      const { store, clock } = this.#ports;
      await this.#ports.counting.count();
      return store.read(async (ledger) => {
        const row = one(await ledger.contests(), contest);
        const now = clock();
        const { counting } = ledger;
        const every = span === 'all' ? DAY_MS : HOUR_MS;
        const length = { day: DAY_MS, week: 7 * DAY_MS, all: 731 * DAY_MS }[span];
        const about = { contest, scope: 'all', who: '' } as const;
        const [spans, hours] = await Promise.all([
          counting.rollupsOfOne({ ...about, span: span === 'all' ? 'day' : 'hour' }, now - length),
          counting.rollupsOfOne({ ...about, span: 'hour' }, now - DAY_MS - HOUR_MS),
        ]);
        return ratesOf({ row, span, every, since: now - length, now, spans, hours });
      });
    });
  }

  #board(of: StandingQuery['of'], span: StandingSpan, contest: string | undefined): Promise<Board> {
    const { clock, counting } = this.#ports;
    const now = clock();
    const { span: rollup, at } = spanned(span, now);
    // The day is part of the key: at midnight today's board is another one.
    return this.#boards.get(`${of} ${rollup} ${at.join()} ${contest ?? ''}`, async () => {
      await counting.count();
      const worths = await this.#worths(contest);
      const sums = new Sums();
      for (const { name, pointsPerUnit } of worths) {
        for (const begin of at) {
          const about = { contest: name, scope: SCOPES[of], span: rollup, at: begin };
          await this.#each(
            (ledger, after) => ledger.counting.rollupsOfAll(about, after, ROWS_AT_ONCE),
            (row) => sums.add(row, pointsPerUnit),
          );
        }
      }
      return sums.board(now);
    });
  }

  async #makeTeam(team: string) {
    const now = this.#ports.clock();
    const spans = ['today', 'week', 'all'] as const;
    const boards = await Promise.all(spans.map((span) => this.#board('teams', span, undefined)));
    const [today, week, all] = boards.map((board) => placed(board, team)) as [Place, Place, Place];
    if (all.rank === undefined)
      throw new RefusedError('not_found', `nothing was done for a team ${team}`, { status: 404 });
    const worths = await this.#worths(undefined);
    const members = new Sums();
    const contests: TeamStanding['contests'] = [];
    const days = new Map<number, Sum>();
    for (const { name: contest, pointsPerUnit } of worths) {
      await this.#each(
        (ledger, after) => ledger.counting.members({ team, contest }, after, ROWS_AT_ONCE),
        (row) => members.add(row, pointsPerUnit),
      );
      await this.#ports.store.read(async ({ counting }) => {
        const about = { contest, scope: 'team', who: team } as const;
        for (const { units: done, blocks } of await counting.rollupsOfOne({ ...about, span: 'ever' }, 0)) {
          contests.push({ contest, blocks, units: done, points: roundPoints(done * pointsPerUnit) });
        }
        for (const { at, units: done, blocks } of await counting.rollupsOfOne({ ...about, span: 'day' }, 0)) {
          const day = days.get(at) ?? { blocks: 0, points: 0 };
          days.set(at, { blocks: day.blocks + blocks, points: roundPoints(day.points + done * pointsPerUnit) });
        }
      });
    }
    return {
      standing: { team, at: now, today, week, all, contests, days: ordered(days) },
      members: members.board(now),
    };
  }

  async #makeSite(token: string, ofTeam: string): Promise<Done> {
    const { store, clock, counting } = this.#ports;
    await counting.count();
    const now = clock();
    const {
      at: [today = 0],
    } = spanned('today', now);
    const sums = { today: NOTHING, all: NOTHING, teamToday: NOTHING };
    const days = new Map<number, Sum>();
    for (const { name: contest, pointsPerUnit } of await this.#worths(undefined)) {
      const plus = ({ blocks, points }: Sum, row: Row): Sum => ({
        blocks: blocks + row.blocks,
        points: roundPoints(points + row.units * pointsPerUnit),
      });
      await store.read(async ({ counting }) => {
        const site = { contest, scope: 'site', who: token } as const;
        const team = { contest, scope: 'team', who: ofTeam, span: 'day' } as const;
        for (const one of await counting.rollupsOfOne({ ...site, span: 'ever' }, 0)) sums.all = plus(sums.all, one);
        for (const one of await counting.rollupsOfOne(team, today)) sums.teamToday = plus(sums.teamToday, one);
        for (const one of await counting.rollupsOfOne({ ...site, span: 'day' }, 0)) {
          days.set(one.at, plus(days.get(one.at) ?? NOTHING, one));
        }
      });
    }
    return {
      at: now,
      ...sums,
      today: days.get(today) ?? NOTHING,
      days: ordered(days),
    };
  }

  /** The contest named, or all there are: what was withdrawn still counts. */
  async #worths(contest: string | undefined): Promise<Worth[]> {
    const rows = await this.#ports.store.read((ledger) => ledger.contests());
    const some = contest === undefined ? rows : [one(rows, contest)];
    return some.map(({ name, manifest }) => ({ name, pointsPerUnit: pointsPerUnit(manifestOf(manifest)) }));
  }

  /** Reads all rows of a kind in parts; each part tells those after the last name of the one before. */
  async #each(
    read: (ledger: LedgerQueries, after: string | undefined) => Promise<readonly Row[]>,
    take: (row: Row) => void,
  ): Promise<void> {
    for (let after: string | undefined; ; ) {
      const rows = await this.#ports.store.read((ledger) => read(ledger, after));
      for (const row of rows) take(row);
      if (rows.length < ROWS_AT_ONCE) return;
      after = rows.at(-1)?.who;
      await new Promise(setImmediate);
    }
  }

  /** For which team each of these people worked last. */
  async #teamsOf(people: readonly { name: string }[]): Promise<Map<string, string>> {
    const names = [...new Set(people.map(({ name }) => name))];
    if (names.length === 0) return new Map();
    const rows = await this.#ports.store.read((ledger) => ledger.counting.teamsOf(names));
    rows.sort((a, b) => a.last_at - b.last_at);
    const teams = new Map(rows.map(({ name, team }) => [name, team]));
    for (const [name, team] of teams) if (team === '') teams.delete(name);
    return teams;
  }
}

interface Sum {
  blocks: number;
  points: number;
}

const NOTHING: Sum = { blocks: 0, points: 0 };

const ordered = (days: ReadonlyMap<number, Sum>) =>
  [...days].toSorted(([a], [b]) => a - b).map(([at, day]) => ({ at, ...day }));

type Place = TeamStanding['all'];

function placed(board: Board, team: string): Place {
  const { rank, blocks = 0, points = 0, share = 0 } = board.entry(team) ?? {};
  return { ...(rank === undefined ? {} : { rank }), ranked: board.size, blocks, points, share };
}

/** Units of several contests cannot be added up, and are left out. */
const units =
  (contest: string | undefined) =>
  <T extends { units?: number }>({ units: sum, ...rest }: T): Omit<T, 'units'> & { units?: number } =>
    contest === undefined || sum === undefined ? rest : { ...rest, units: sum };

function one(rows: readonly ContestRow[], contest: string): ContestRow {
  const row = rows.find(({ name }) => name === contest);
  if (row !== undefined) return row;
  throw new RefusedError('contest_unknown', `there is no contest ${contest} in the ledger`, {
    status: 404,
    field: '/contest',
  });
}
