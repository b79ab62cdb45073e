/** Sites that show the widget: whose the work is that is done there, in both homes and through a proxy; and their frame. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import type { ClientInfo } from '../../src/domain/client.ts';
import type { Site } from '../../src/protocol/administration.ts';
import { type EmbedFacts, FACTS_ID } from '../../src/protocol/embed.ts';
import { UnreachableError } from '../../src/protocol/errors.ts';
import { createGateway } from '../../src/server/http/gateway.ts';
import { Administration } from '../../src/server/keymaster/administration.ts';
import { Sites } from '../../src/server/ledger/sites.ts';
import { LedgerStandings } from '../../src/server/standing/ledger-standings.ts';
import {
  asking,
  client,
  type Home,
  openKeymaster,
  type TestKeymaster,
  temporaryFolder,
} from '../helpers/keyservers.ts';
import { freshSchema, sharedPostgres } from '../helpers/postgres.ts';
import { Pyramid } from '../helpers/pyramid.ts';
import { testKinds, testManifest, trueReport } from '../helpers/test-contest.ts';

const TEAM = 'Chess Club';
const ORIGIN = 'https://chess.example';
const folder = temporaryFolder();
afterAll(() => folder.remove());

/** In the widget of a site, whatever it says of its team. */
const visitor = (site: string, n = 1): ClientInfo => ({ ...client(n), team: 'Cheats', site, class: 'widget' });

describe.each([
  ['SQLite', async (): Promise<Home> => join(folder.path, freshSchema())],
  ['PostgreSQL', async (): Promise<Home> => ({ url: await sharedPostgres(), schema: freshSchema() })],
])('sites over %s', (_name, homeIn) => {
  const clock = { now: Date.UTC(2026, 0, 1, 12) };
  let server: TestKeymaster;
  let administration: Administration;
  let standings: LedgerStandings;
  let site: Site;

  beforeEach(async () => {
    server = await openKeymaster(await homeIn(), [testManifest({ units: 1000 })], { clock });
    const { keymaster, store } = server;
    administration = new Administration({ keymaster, store, kinds: testKinds, clock: () => clock.now });
    standings = new LedgerStandings({ store, counting: keymaster.desk.counting, clock: () => clock.now });
    site = await administration.addSite({ team: TEAM, origins: [ORIGIN] });
  });
  afterEach(() => server.close());

  const work = async (who: ClientInfo): Promise<void> => {
    const { leases } = await server.keymaster.exchange(asking({ client: who, blocks: 1 }));
    await server.keymaster.exchange(asking({ client: who, reports: leases.map((lease) => trueReport(lease)) }));
  };
  const teams = async () => (await standings.standing({ of: 'teams', span: 'all' })).entries.map(({ name }) => name);

  it('gives their teams the credit, whatever a client says, and sums up by site', async () => {
    const other = await administration.addSite({ team: TEAM, origins: ['https://blog.example'] });
    await work(visitor(site.token));
    await work(visitor(other.token, 2));
    await work({ ...client(3), team: TEAM });
    expect(await teams()).toEqual([TEAM]);
    expect(await standings.site(site.token)).toMatchObject({
      team: TEAM,
      origins: [ORIGIN],
      today: { blocks: 1 },
      all: { blocks: 1 },
      teamToday: { blocks: 3 },
      days: [{ at: Date.UTC(2026, 0, 1), blocks: 1 }],
    });
  });

  it('tells at once what its operator has changed, though sums are kept for a moment', async () => {
    await standings.site(site.token);
    await administration.changeSite(site.token, { origins: ['https://club.example'] });
    expect(await standings.site(site.token)).toMatchObject({ origins: ['https://club.example'] });
    await administration.changeSite(site.token, { revoked: true });
    await expect(standings.site(site.token)).rejects.toMatchObject({ code: 'not_found' });
    await administration.changeSite(site.token, { revoked: false });
    expect(await standings.site(site.token)).toMatchObject({ team: TEAM });
  });

  it('gives nobody the credit of a site that was never made, or was revoked, until it is restored', async () => {
    await work(visitor('0'.repeat(16)));
    await administration.changeSite(site.token, { revoked: true });
    await work(visitor(site.token, 2));
    await expect(standings.site(site.token)).rejects.toMatchObject({ code: 'not_found' });
    expect(await teams()).toEqual([]);
    const restored = await administration.changeSite(site.token, { revoked: false });
    expect(restored).toEqual(site);
    await work(visitor(site.token, 3));
    // Past what the standing is kept for.
    clock.now += 5000;
    expect(await teams()).toEqual([TEAM]);
  });

  it('leaves the team what a visitor did who ends it, under whatever name and team that is said', async () => {
    await work(visitor(site.token));
    await work({ ...visitor(site.token, 2), name: '' });
    const { points } = (await standings.site(site.token)).all;
    for (const n of [1, 2])
      await server.keymaster.release({ client: visitor(site.token, n), leases: [], forget: true });
    clock.now += 5000;
    const { all, teamToday } = await standings.site(site.token);
    expect([all.points, teamToday.points]).toEqual([points, points]);
    expect(await teams()).toEqual([TEAM]);
    expect((await standings.standing({ of: 'people', span: 'all' })).entries).toEqual([]);
  });

  it('shows other origins once they are changed; a site that is not there is named', async () => {
    await administration.changeSite(site.token, { origins: ['https://a.example', 'https://b.example'] });
    expect((await administration.sites()).map(({ origins }) => origins)).toEqual([
      ['https://a.example', 'https://b.example'],
    ]);
    await expect(administration.changeSite('0'.repeat(16), { revoked: true })).rejects.toMatchObject({ status: 404 });
  });
});

test('through proxies the keymaster says whose it is', async () => {
  const pyramid = new Pyramid([testManifest({ units: 1000, leaseSeconds: 3600 })]);
  try {
    const { keymaster, store } = await pyramid.top();
    const [upper, lower] = [await pyramid.upper.start(), await pyramid.lower.start()];
    const administration = new Administration({ keymaster, store, kinds: testKinds, clock: Date.now });
    const { token } = await administration.addSite({ team: TEAM, origins: [ORIGIN] });
    const { leases } = await lower.exchange(asking({ client: visitor(token), blocks: 1 }));
    await lower.exchange(asking({ client: visitor(token), reports: leases.map((lease) => trueReport(lease)) }));
    for (const proxy of [lower, upper]) await proxy.talk();
    await keymaster.desk.counting.count();
    const [row] = await store.read((ledger) => ledger.clients([visitor(token).id]));
    expect(row).toMatchObject({ team: TEAM, site: token });
  } finally {
    await pyramid.close();
  }
});

test('a client that works at no site is as it says', () => {
  expect(new Sites().bound({ ...client(), team: 'Cheats' })).toEqual({ ...client(), team: 'Cheats' });
});

describe('the frame', () => {
  const appDir = join(folder.path, 'app');
  let gateway: FastifyInstance;
  let away = false;
  const token = 'a'.repeat(16);
  const nothing = { blocks: 0, points: 0 };
  beforeEach(async () => {
    away = false;
    mkdirSync(appDir, { recursive: true });
    writeFileSync(join(appDir, 'index.html'), '<!doctype html><title>Tabherd</title>');
    writeFileSync(join(appDir, 'widget.js'), '// the loader');
    writeFileSync(join(appDir, 'widget-frame.js'), 'console.log("</script>")');
    const manifest = testManifest({ name: 'test' });
    const state = { name: 'test', state: 'open' as const, units: 100, done: 0, leased: 0, hits: [] };
    gateway = await createGateway({
      keyserver: { contests: async () => [{ manifest, state }] } as never,
      standings: {
        site: async () => {
          if (away) throw new UnreachableError('away');
          const origins = [ORIGIN, 'http://localhost:8080'];
          return {
            token,
            team: '</script>',
            origins,
            at: 0,
            today: nothing,
            all: nothing,
            teamToday: nothing,
            days: [],
          };
        },
      } as never,
      appDir,
      version: '1.2.3',
    });
  });
  afterEach(() => gateway.close());

  const get = async (query: string, headers: Record<string, string> = {}) => {
    const answer = await gateway.inject({ url: `/embed${query}`, headers: { host: 'keys.example', ...headers } });
    const json = new RegExp(`id="${FACTS_ID}">(.*)</script>\n`).exec(answer.body)?.[1] ?? '';
    const policy = String(answer.headers['content-security-policy']);
    return { status: answer.statusCode, body: answer.body, facts: JSON.parse(json) as EmbedFacts, policy };
  };

  it('may be shown by the pages of the site, and by nobody else', async () => {
    const { status, policy, facts, body } = await get(`?team=${token}`, { referer: `${ORIGIN}/a/page` });
    expect(status).toBe(200);
    expect(policy).toContain(`frame-ancestors 'self' ${ORIGIN} http://localhost:8080`);
    expect(policy).toMatch(/script-src 'self' 'wasm-unsafe-eval' 'sha256-[^']+'/);
    expect(facts).toMatchObject({
      site: { team: '</script>', pointsToday: 0 },
      contest: { title: 'The contest test' },
    });
    // Whatever a team is called, and whatever stands in the script: it ends no element.
    expect(body.match(/<\/script>/g)).toHaveLength(2);
  });

  it('is shown to its own gateway, and to a browser that does not tell where from', async () => {
    expect((await get(`?team=${token}`, { referer: 'https://keys.example/teams/x/embed' })).status).toBe(200);
    expect((await get(`?team=${token}`)).status).toBe(200);
  });

  it.each([
    ['another page', `?team=${'a'.repeat(16)}`, { referer: 'https://else.example/' }, 403, 'origin'],
    ['no token', '', {}, 404, 'unknown'],
    ['a token that is none', '?team=<b>', {}, 404, 'unknown'],
    ['a contest that is not there', `?team=${'a'.repeat(16)}&contest=nope`, {}, 404, 'contest'],
    ['a contest that cannot be', `?team=${'a'.repeat(16)}&contest=../x`, {}, 404, 'contest'],
  ])('says to %s what is wrong, where it can be read', async (_what, query, headers, status, refusal) => {
    const answer = await get(query, headers);
    expect(answer).toMatchObject({ status, facts: { refusal } });
    expect(answer.policy).toContain('frame-ancestors *');
  });

  it('says so where the keymaster is away', async () => {
    away = true;
    expect(await get(`?team=${token}`)).toMatchObject({ status: 503, facts: { refusal: 'away' } });
  });

  it('is the one file that pages of other sites may load as a module', async () => {
    const { headers } = await gateway.inject({ url: '/widget.js' });
    expect(headers['access-control-allow-origin']).toBe('*');
    expect((await gateway.inject({ url: '/widget-frame.js' })).headers['access-control-allow-origin']).toBeUndefined();
  });

  it('lets the pages of a site read its sums, and no others', async () => {
    const of = async (origin: string) =>
      (await gateway.inject({ url: `/api/v1/sites/${token}`, headers: { origin } })).headers[
        'access-control-allow-origin'
      ];
    expect([await of(ORIGIN), await of('https://else.example')]).toEqual([ORIGIN, undefined]);
  });
});
