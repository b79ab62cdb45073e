/** The standing out of a ledger in both homes: ranks, spans, teams, rates; then over HTTP, as CSV, and through a proxy. */
import type { FastifyInstance } from 'fastify';
import { Kysely, SqliteDialect, sql } from 'kysely';
import Database from 'libsql';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test } from 'vitest';
import { pointsOf, pointsPerUnit } from '../../src/domain/points.ts';
import { RefusedError, UnreachableError } from '../../src/protocol/errors.ts';
import { HttpStandings, standingPath, teamPath } from '../../src/protocol/http-standings.ts';
import type { Standings } from '../../src/protocol/standing.ts';
import { csv } from '../../src/server/http/csv.ts';
import { createGateway } from '../../src/server/http/gateway.ts';
import { Sums } from '../../src/server/standing/board.ts';
import { Kept } from '../../src/server/standing/kept.ts';
import { LedgerStandings } from '../../src/server/standing/ledger-standings.ts';
import { PassedStandings } from '../../src/server/standing/passed-standings.ts';
import { spanned } from '../../src/server/standing/spans.ts';
import { createTables } from '../../src/server/store/migrate.ts';
import type { LedgerTables } from '../../src/server/store/schema.ts';
import { ledgerPath } from '../../src/server/store/sqlite.ts';
import {
  asking,
  client,
  type Home,
  openKeymaster,
  START,
  type TestKeymaster,
  temporaryFolder,
} from '../helpers/keyservers.ts';
import { freshSchema, sharedPostgres } from '../helpers/postgres.ts';
import { testManifest, trueReport } from '../helpers/test-contest.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const MANIFESTS = [
  testManifest({ units: 1000 }),
  { ...testManifest({ name: 'other', units: 10_000, maxUnits: 100 }), points: 2.5 },
];

let url: string;
beforeAll(async () => {
  url = await sharedPostgres();
});

describe.each(['SQLite', 'PostgreSQL'])('the standing over %s', (name) => {
  let top: TestKeymaster;
  let standings: Standings;
  let remove = (): void => {};
  let n = 0;

  beforeEach(async () => {
    let home: Home = { url, schema: freshSchema() };
    if (name === 'SQLite') {
      const folder = temporaryFolder();
      home = folder.path;
      remove = folder.remove;
    }
    top = await openKeymaster(home, MANIFESTS);
    standings = new LedgerStandings({
      store: top.store,
      counting: top.keymaster.desk.counting,
      clock: () => top.clock.now,
    });
  });
  afterEach(async () => {
    await top.close();
    remove();
  });

  /** One block, from the lease to the verified report. */
  async function works(who: string, units: number, { team = '', contest = 'test' } = {}): Promise<void> {
    const by = { ...client(++n), name: who, team };
    const ask = asking({ client: by, blocks: 1, units, contests: [contest] });
    const { leases } = await top.keymaster.exchange(ask);
    expect(leases.map(({ count }) => count)).toEqual([units]);
    const { results } = await top.keymaster.exchange(
      asking({ client: by, reports: leases.map((one) => trueReport(one)) }),
    );
    expect(results.map(({ credited }) => credited)).toEqual([units]);
  }
  const ranks = async (...[query]: Parameters<Standings['standing']>) =>
    (await standings.standing(query)).entries.map(({ rank, name: who }) => `${rank} ${who}`);

  it('of nobody is empty, and whole', async () => {
    for (const of of ['people', 'teams'] as const) {
      expect(await standings.standing({ of, span: 'today', around: 'ada' })).toEqual({
        of,
        span: 'today',
        since: START,
        at: START,
        ranked: 0,
        total: { blocks: 0, points: 0 },
        unnamed: { blocks: 0, points: 0, share: 0 },
        from: 1,
        entries: [],
      });
    }
  });

  it('ranks by points of all contests, by units in one; equal work has one rank; the unnamed have none', async () => {
    await works('ada', 4, { team: 'Owls' });
    await works('bob', 8, { team: 'Owls' });
    await works('cyd', 8);
    await works('', 8, { team: 'Owls' });
    await works('ada', 2, { contest: 'other' });
    await works('dan', 1);
    const { entries, total, unnamed, ranked } = await standings.standing({ of: 'people', span: 'all' });
    expect(entries).toEqual([
      { rank: 1, name: 'ada', team: 'Owls', blocks: 2, points: 9, share: 9 / 34 },
      { rank: 2, name: 'bob', team: 'Owls', blocks: 1, points: 8, share: 8 / 34 },
      { rank: 2, name: 'cyd', blocks: 1, points: 8, share: 8 / 34 },
      { rank: 4, name: 'dan', blocks: 1, points: 1, share: 1 / 34 },
    ]);
    expect({ total, unnamed, ranked }).toEqual({
      total: { blocks: 6, points: 34 },
      unnamed: { blocks: 1, points: 8, share: 8 / 34 },
      ranked: 4,
    });
    expect(await ranks({ of: 'people', span: 'all', contest: 'test' })).toEqual(['1 bob', '1 cyd', '3 ada', '4 dan']);
    const other = await standings.standing({ of: 'people', span: 'all', contest: 'other' });
    expect(other.entries).toEqual([{ rank: 1, name: 'ada', team: 'Owls', blocks: 1, units: 2, points: 5, share: 1 }]);
    expect(await ranks({ of: 'teams', span: 'all' })).toEqual(['1 Owls']);
    // A page, and those around.
    expect(await ranks({ of: 'people', span: 'all', from: 3, limit: 1 })).toEqual(['2 cyd']);
    const { around } = await standings.standing({ of: 'people', span: 'all', limit: 1, around: 'cyd' });
    expect(around?.from).toBe(1);
    expect(around?.entries.map((one) => one.name)).toEqual(['ada', 'bob', 'cyd', 'dan']);
  });

  it('begins a new day at midnight UTC, and a week is seven of them', async () => {
    top.clock.now = START + DAY - 1;
    await works('ada', 3);
    expect(await ranks({ of: 'people', span: 'today' })).toEqual(['1 ada']);
    top.clock.now = START + DAY;
    expect(await ranks({ of: 'people', span: 'today' })).toEqual([]);
    await works('bob', 1);
    top.clock.now += HOUR;
    expect(await ranks({ of: 'people', span: 'today' })).toEqual(['1 bob']);
    top.clock.now = START + 7 * DAY - 1;
    expect(await ranks({ of: 'people', span: 'week' })).toEqual(['1 ada', '2 bob']);
    top.clock.now = START + 7 * DAY;
    expect(await ranks({ of: 'people', span: 'week' })).toEqual(['1 bob']);
    expect(await ranks({ of: 'people', span: 'all' })).toEqual(['1 ada', '2 bob']);
  });

  it('tells a team what each did for it, though they left', async () => {
    await works('ada', 8, { team: 'Owls' });
    await works('bob', 5, { team: 'Owls' });
    await works('', 1, { team: 'Owls' });
    await works('cyd', 7, { team: 'Bats' });
    top.clock.now += DAY;
    await works('ada', 6, { team: 'Bats' });
    await works('bob', 2, { team: 'Owls', contest: 'other' });
    const owls = await standings.team('Owls');
    expect(owls).toEqual({
      team: 'Owls',
      at: START + DAY,
      today: { rank: 2, ranked: 2, blocks: 1, points: 5, share: 5 / 11 },
      week: { rank: 1, ranked: 2, blocks: 4, points: 19, share: 19 / 32 },
      all: { rank: 1, ranked: 2, blocks: 4, points: 19, share: 19 / 32 },
      contests: [
        { contest: 'test', blocks: 3, units: 14, points: 14 },
        { contest: 'other', blocks: 1, units: 2, points: 5 },
      ],
      members: [
        { rank: 1, name: 'bob', blocks: 2, points: 10, share: 10 / 19 },
        { rank: 2, name: 'ada', blocks: 1, points: 8, share: 8 / 19 },
      ],
      memberCount: 2,
      unnamed: { blocks: 1, points: 1, share: 1 / 19 },
      days: [
        { at: START, blocks: 3, points: 14 },
        { at: START + DAY, blocks: 1, points: 5 },
      ],
    });
    const people = await standings.standing({ of: 'people', span: 'all' });
    expect(people.entries.map(({ name: who, team }) => [who, team])).toEqual([
      ['ada', 'Bats'],
      ['bob', 'Owls'],
      ['cyd', 'Bats'],
    ]);
    await expect(standings.team('Cats')).rejects.toMatchObject({ code: 'not_found', status: 404 });
  });

  it('tells how fast a contest goes, and until when', async () => {
    expect(await standings.rates('test', 'day')).toMatchObject({ unitsPerSecond: 0, spans: [], done: 0 });
    await works('ada', 8);
    top.clock.now += 2 * HOUR;
    await works('ada', 4);
    top.clock.now += HOUR / 2;
    const rates = await standings.rates('test', 'day');
    expect(rates).toMatchObject({ state: 'open', units: 1000, done: 12, pointsPerUnit: 1 });
    expect(rates.unitsPerSecond).toBeCloseTo(12 / (2.5 * 3600), 10);
    expect(rates.secondsLeft).toBeCloseTo(988 * 750, 6);
    expect(rates.spans.map(({ at, units, done, seconds }) => [(at - START) / HOUR, units, done, seconds])).toEqual([
      [0, 8, 8, 3600],
      [1, 0, 8, 3600],
      [2, 4, 12, 1800],
    ]);
    top.clock.now += DAY;
    await works('ada', 1);
    const { spans } = await standings.rates('test', 'all');
    expect(spans.map(({ units, done }) => [units, done])).toEqual([
      [12, 12],
      [1, 13],
    ]);
    await expect(standings.rates('none', 'day')).rejects.toMatchObject({ code: 'contest_unknown' });
    await expect(standings.standing({ of: 'people', span: 'all', contest: 'none' })).rejects.toMatchObject({
      code: 'contest_unknown',
      status: 404,
      field: '/contest',
    });
  });
});

describe('over HTTP', () => {
  const folder = temporaryFolder();
  let top: TestKeymaster;
  let gateway: FastifyInstance;
  let address: string;
  const strange = '=HYPERLINK("http://x","y")';

  beforeAll(async () => {
    top = await openKeymaster(folder.path, MANIFESTS);
    const clock = () => top.clock.now;
    const standings = new LedgerStandings({ store: top.store, counting: top.keymaster.desk.counting, clock });
    gateway = await createGateway({ keyserver: top.keymaster, standings, version: '0.0.0' });
    address = await gateway.listen({ port: 0, host: '127.0.0.1' });
    const people = [
      ['ada', 'Owls, & Co/Söhne', 8],
      [strange, 'Owls, & Co/Söhne', 5],
      ['Ann "the ant"', '', 3],
    ] as const;
    for (const [i, [name, team, units]] of people.entries()) {
      const by = { ...client(i + 1), name, team };
      const { leases } = await top.keymaster.exchange(asking({ client: by, blocks: 1, units }));
      await top.keymaster.exchange(asking({ client: by, reports: leases.map((one) => trueReport(one)) }));
    }
  });
  afterAll(async () => {
    await gateway.close();
    await top.close();
    folder.remove();
  });

  it('is the same, and never tells an id', async () => {
    const http = new HttpStandings(address, { fetch });
    const all = await http.standing({ of: 'people', span: 'today', limit: 2, around: strange });
    expect(all.entries.map(({ name }) => name)).toEqual(['ada', strange]);
    expect(all.around?.entries).toHaveLength(3);
    const team = await http.team('Owls, & Co/Söhne');
    expect(team.members.map(({ name }) => name)).toEqual(['ada', strange]);
    expect((await http.rates('test', 'day')).done).toBe(16);
    expect(JSON.stringify([all, team])).not.toContain(client(1).id);
  });

  it('has each table as CSV, whose cells no spreadsheet runs', async () => {
    const people = await gateway.inject(standingPath({ of: 'people', span: 'all', contest: 'test' }, '.csv'));
    expect(people.headers).toMatchObject({
      'content-type': 'text/csv; charset=utf-8; header=present',
      'content-disposition': 'attachment; filename="tabherd-people-test-all.csv"',
      'cache-control': 'public, max-age=2',
    });
    expect(people.body.split('\r\n')).toEqual([
      'rank,name,team,blocks,units,points,share',
      '1,ada,"Owls, & Co/Söhne",1,8,8,0.5',
      `2,"'=HYPERLINK(""http://x"",""y"")","Owls, & Co/Söhne",1,5,5,0.3125`,
      '3,"Ann ""the ant""",,1,3,3,0.1875',
      '',
    ]);
    const teams = await gateway.inject('/api/v1/standing/teams.csv?limit=1');
    expect(teams.body).toBe('rank,name,blocks,units,points,share\r\n1,"Owls, & Co/Söhne",2,,13,0.8125\r\n');
    const members = await gateway.inject(teamPath('Owls, & Co/Söhne', '/members.csv'));
    expect(members.body).toMatch(/^rank,name,blocks,points,share\r\n1,ada,1,8,0\.6/);
    const days = await gateway.inject(teamPath('Owls, & Co/Söhne', '/days.csv'));
    expect(days.body).toBe('day,blocks,points\r\n2026-01-01,2,13\r\n');
    const rates = await gateway.inject('/api/v1/contests/test/rates.csv?span=day');
    expect(rates.body).toMatch(
      /^begins,seconds,blocks,units,done,units_per_second\r\n2026-01-01T00:00:00\.000Z,0,3,16,16,/,
    );
  });

  it.each([
    ['/api/v1/standing/people?span=month', 400, '/span'],
    ['/api/v1/standing/people?limit=10001', 400, '/limit'],
    ['/api/v1/standing/people?from=0', 400, '/from'],
    ['/api/v1/standing/people?contest=NO', 400, '/contest'],
    ['/api/v1/standing/people?page=2', 400, '/page'],
    ['/api/v1/standing/people.csv?around=ada', 400, '/around'],
    ['/api/v1/standing/teams?contest=none', 404, '/contest'],
    ['/api/v1/contests/none/rates', 404, '/contest'],
    ['/api/v1/teams/none', 404, undefined],
    [`/api/v1/teams/${'x'.repeat(65)}`, 400, '/team'],
    ['/api/v1/standing/dogs', 404, undefined],
  ])('%s is a problem', async (path, status, field) => {
    const response = await gateway.inject(path);
    expect(response.headers['content-type']).toContain('application/problem+json');
    expect(response.json()).toMatchObject({ status, ...(field === undefined ? {} : { field }) });
  });

  it('knows only GET, the longest names, and is described', async () => {
    for (const path of ['/api/v1/standing/people', '/api/v1/teams/x', '/api/v1/contests/test/rates.csv']) {
      const { statusCode, headers } = await gateway.inject({ method: 'POST', url: path });
      expect([statusCode, headers['allow']]).toEqual([405, 'GET']);
    }
    expect((await gateway.inject(teamPath('語'.repeat(64)))).json()).toMatchObject({ code: 'not_found', status: 404 });
    const { paths } = (await gateway.inject('/api/v1/openapi.json')).json<{ paths: Record<string, unknown> }>();
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining([
        '/api/v1/standing/people.csv',
        '/api/v1/teams/{team}',
        '/api/v1/contests/{contest}/rates',
      ]),
    );
  });

  it('is passed on by a proxy, also for a while after its upstream fell silent, and not while it may not talk', async () => {
    const clock = { now: 0 };
    let cut = false;
    let asked = 0;
    let mayTalk = true;
    const link = new HttpStandings(address, {
      fetch: (...args) => {
        asked += 1;
        return cut ? Promise.reject(new TypeError('cut')) : fetch(...args);
      },
    });
    const dead = new HttpStandings('http://127.0.0.1:9', { fetch });
    const passed = new PassedStandings({ upstreams: [dead, link], mayTalk: () => mayTalk, clock: () => clock.now });
    const query = { of: 'teams', span: 'all' } as const;
    const first = await passed.standing(query);
    expect(first).toEqual(await link.standing(query));
    asked = 0;
    await passed.standing(query);
    expect(asked).toBe(0);
    cut = true;
    clock.now += HOUR;
    expect(await passed.standing(query)).toEqual(first);
    expect(asked).toBe(1);
    await expect(passed.team('Bats')).rejects.toThrow(UnreachableError);
    cut = false;
    await expect(passed.team('Bats')).rejects.toMatchObject({ code: 'not_found' });
    mayTalk = false;
    await expect(passed.rates('test', 'day')).rejects.toThrow('may not ask now');
  });
});

test('a ledger from before there was a standing: what was done is the present name and team', async () => {
  const folder = temporaryFolder();
  const { path } = folder;
  const database = new Database(ledgerPath(path));
  const db = new Kysely<LedgerTables>({ dialect: new SqliteDialect({ database }) });
  await db.transaction().execute((transaction) => createTables(transaction as unknown as Kysely<unknown>, 2));
  const seen = { version: '0', class: null, first_seen: START, last_seen: START };
  const clients = [
    { id: client(1).id, number: 1, name: 'ada', team: 'Owls', ...seen },
    { id: client(2).id, number: 2, name: 'ada', team: 'Owls', ...seen },
    { id: client(3).id, number: 3, name: null, team: null, ...seen },
  ];
  await db.insertInto('client').values(clients).execute();
  const credit = { contest: 'test', blocks: 1, duplicates: 0 };
  const credits = clients.map(({ id }, i) => ({ client: id, units: i + 1, ...credit }));
  for (const { client, contest, units, blocks, duplicates } of credits) {
    await sql`insert into credit values (${client}, ${contest}, ${units}, ${blocks}, ${duplicates})`.execute(db);
  }
  const row = { contest: 'test', span: 'ever', at: 0 } as const;
  await db
    .insertInto('rollup')
    .values([
      { scope: 'team', who: 'Owls', units: 3, blocks: 2, ...row },
      { scope: 'person', who: 'ada', units: 3, blocks: 2, ...row },
    ])
    .execute();
  await db.destroy();
  const { store, keymaster, close } = await openKeymaster(path, MANIFESTS);
  const standings = new LedgerStandings({ store, counting: keymaster.desk.counting, clock: () => START });
  expect(await standings.team('Owls')).toMatchObject({
    members: [{ rank: 1, name: 'ada', blocks: 2, points: 3, share: 1 }],
  });
  const { entries } = await standings.standing({ of: 'people', span: 'all' });
  expect(entries).toMatchObject([{ name: 'ada', team: 'Owls', points: 3 }]);
  await close();
  folder.remove();
});

test('cells: quotes, formulas in any disguise, and numbers as they are', () => {
  const cells = ['a', 'a,b', 'a"b', 'a\r\nb', ' a', '', '+1', '-1', '@a', '\t=1', '  =1', '＝1', 'a=1', "'a"];
  const [, ...lines] = csv(
    ['x'],
    cells.map((one) => [one]),
  )
    .replace('a\r\nb', 'a⏎b')
    .split('\r\n');
  expect(lines).toEqual([
    'a',
    '"a,b"',
    '"a""b"',
    '"a⏎b"',
    '" a"',
    '',
    "'+1",
    "'-1",
    "'@a",
    "'\t=1",
    "'  =1",
    "'＝1",
    'a=1',
    "'a",
    '',
  ]);
  expect(csv(['x', 'y'], [[-1.5, undefined]])).toBe('x,y\r\n-1.5,\r\n');
});

test('points: a second of the reference core, so that 2^28 keys are as many seconds as they take', () => {
  const [plain, other] = MANIFESTS as [(typeof MANIFESTS)[0], (typeof MANIFESTS)[0]];
  expect(pointsPerUnit(plain)).toBe(1);
  const rc5 = { keyBytes: 9, iv: '', ciphertext: '', knownPlaintext: '', firstUnit: 0 } as const;
  expect(pointsPerUnit({ search: { kind: 'rc5', ...rc5 } })).toBeCloseTo(2 ** 28 / 30.6e6, 10);
  expect(pointsOf({ test: { units: 3 }, other: { units: 2 }, gone: { units: 9 } }, [plain, other])).toBe(8);
});

test('equal points from different contests are equal, whatever floating point makes of them', () => {
  const sums = new Sums();
  for (const units of [1, 2]) sums.add({ who: 'ada', units, blocks: 1 }, 0.1);
  sums.add({ who: 'bob', units: 3, blocks: 1 }, 0.1);
  const board = sums.board(0);
  expect(board.entries(1, 9).map(({ rank, points }) => [rank, points])).toEqual([
    [1, 0.3],
    [1, 0.3],
  ]);
  expect(board.entries(3, 5)).toEqual([]);
});

test('spans: a week is the day and the six before it', () => {
  const now = Date.UTC(2026, 2, 3, 23, 59, 59, 999);
  const days = spanned('week', now).at.map((at) => new Date(at).toISOString().slice(0, 10));
  expect(days).toHaveLength(7);
  expect([days[0], days.at(-1)]).toEqual(['2026-02-25', '2026-03-03']);
  expect(spanned('today', now)).toEqual({ span: 'day', at: [Date.UTC(2026, 2, 3)], since: Date.UTC(2026, 2, 3) });
});

describe('what is kept', () => {
  const clock = { now: 0 };
  let made = 0;
  const make = async (): Promise<number> => ++made;
  const fails = (): Promise<number> => Promise.reject(new UnreachableError('no'));
  const keeping = { clock: () => clock.now, freshMs: 10, patienceMs: 0, staleMs: 100, most: 2 };
  beforeEach(() => {
    clock.now = 0;
    made = 0;
  });

  it('is made once for all who ask, and given out stale while it is made anew', async () => {
    const kept = new Kept<number>(keeping);
    expect(await Promise.all([kept.get('a', make), kept.get('a', make)])).toEqual([1, 1]);
    clock.now = 10;
    expect(await kept.get('a', make)).toBe(1);
    clock.now = 50;
    expect(await kept.get('a', make)).toBe(1);
    expect(await kept.get('a', make)).toBe(2);
    clock.now = 151;
    expect(await kept.get('a', make)).toBe(3);
    // It is stale, and to make it anew fails behind it: whoever asks does not hear of it.
    clock.now = 200;
    expect(await kept.get('a', fails)).toBe(3);
    clock.now = 1000;
    await expect(kept.get('a', fails)).rejects.toThrow('no');
    expect(await new Kept<number>({ ...keeping, outlives: true }).get('b', make)).toBe(4);
  });

  it('is given out no more once it is not there any more', async () => {
    const kept = new Kept<number>(keeping);
    await kept.get('a', make);
    clock.now = 50;
    const gone = (): Promise<number> => Promise.reject(new RefusedError('not_found', 'ended', { status: 404 }));
    expect(await kept.get('a', gone)).toBe(1);
    await expect(kept.get('a', gone)).rejects.toThrow('ended');
    await expect(kept.get('a', gone)).rejects.toThrow('ended');
  });

  it('is not given out stale where it takes no time to make', async () => {
    const kept = new Kept<number>({ ...keeping, patienceMs: 60_000 });
    await kept.get('a', make);
    clock.now = 11;
    expect(await kept.get('a', make)).toBe(2);
  });

  it('is forgotten in its turn, the one asked for longest ago first', async () => {
    const kept = new Kept<number>(keeping);
    for (const key of ['a', 'b', 'a', 'c']) await kept.get(key, make);
    expect([await kept.get('a', make), await kept.get('c', make), await kept.get('b', make)]).toEqual([1, 3, 4]);
  });
});
