/** What kiosks say of themselves: kept by the keymaster in both homes, passed up by proxies, told to the operator. */
import { afterAll, afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import type { KioskWord } from '../../src/domain/kiosk.ts';
import { createGateway } from '../../src/server/http/gateway.ts';
import { Administration } from '../../src/server/keymaster/administration.ts';
import { Kiosks } from '../../src/server/ledger/kiosks.ts';
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
import { Pyramid } from '../helpers/pyramid.ts';
import { testKinds, testManifest } from '../helpers/test-contest.ts';

const DAY_MS = 86_400_000;
const word = (change: Partial<KioskWord> = {}): KioskWord => ({
  label: 'Lobby',
  rate: 25_000_000.5,
  step: 'keys',
  contest: 'test',
  blocks: 7,
  upSeconds: 60,
  ...change,
});

describe.each([
  ['SQLite', async (folder: string): Promise<Home> => folder],
  ['PostgreSQL', async (): Promise<Home> => ({ url: await sharedPostgres(), schema: freshSchema() })],
])('the fleet on %s', (_name, homeIn) => {
  const folder = temporaryFolder();
  let home: Home;
  let clock: { now: number };
  let server: TestKeymaster;
  const open = async () => {
    server = await openKeymaster(home, [testManifest()], { clock });
  };
  const fleet = () =>
    new Administration({ ...server, kinds: testKinds, clock: () => clock.now }).fleet().then(({ kiosks }) => kiosks);
  const say = (n: number, kiosk?: KioskWord) =>
    server.keymaster.exchange({ ...asking({ client: client(n) }), ...(kiosk === undefined ? {} : { kiosk }) });
  afterAll(() => folder.remove());
  beforeEach(async () => {
    clock = { now: START };
    home = await homeIn(`${folder.path}/${freshSchema()}`);
    await open();
  });
  afterEach(() => server.close());

  it('keeps the last word of each kiosk, over a restart, and of nobody else', async () => {
    await say(1, word());
    await say(2);
    expect(await fleet()).toEqual([
      { client: client(1).id, version: '0.0.0', ...word(), firstSeenAt: START, seenAt: START },
    ]);
    clock.now += 300_000;
    const { label: _none, contest: _neither, ...nameless } = word({ rate: 0, pause: 'no-work', blocks: 8 });
    await say(1, nameless);
    await fleet();
    await server.close();
    await open();
    expect(await fleet()).toEqual([
      { client: client(1).id, version: '0.0.0', ...nameless, firstSeenAt: START, seenAt: START + 300_000 },
    ]);
  });

  it('forgets one that was silent for 90 days', async () => {
    await say(1, word());
    await fleet();
    clock.now += 60 * DAY_MS;
    await say(2, word({ label: 'Library' }));
    expect(await fleet()).toHaveLength(2);
    clock.now += 31 * DAY_MS;
    expect(await fleet()).toMatchObject([{ label: 'Library' }]);
  });

  it('keeps so many at most: those that were silent longest go', async () => {
    await server.store.transaction(async ({ kiosks }) => {
      for (const n of [1, 2, 3]) {
        const row = {
          label: null,
          contest: null,
          pause: null,
          version: '1',
          rate: 1,
          step: 'keys' as const,
          blocks: 0,
        };
        await kiosks.see({ ...row, client: client(n).id, up_seconds: 1, first_seen: n, last_seen: n });
      }
      await kiosks.keepLatest(2);
    });
    const rows = await server.store.read(({ kiosks }) => kiosks.all());
    expect(rows.map((row) => row.client)).toEqual([client(3).id, client(2).id]);
  });
});

test('proxies pass on what kiosks said, with its age; nobody else may speak for another', async () => {
  const pyramid = new Pyramid([testManifest({ units: 1000, leaseSeconds: 3600 })], {});
  try {
    const { keymaster, store } = await pyramid.top();
    const upper = await pyramid.upper.start();
    const lower = await pyramid.lower.start();
    const clock = () => pyramid.clock.now;
    const administration = new Administration({ keymaster, store, kinds: testKinds, clock });
    const saidAt = pyramid.clock.now;
    await lower.exchange({ ...asking(), kiosk: word() });
    await upper.exchange({
      ...asking({ client: client(2) }),
      kiosks: [{ ...word({ label: 'made up' }), client: client(3).id, version: '0', ageSeconds: 0 }],
    });
    pyramid.clock.now += 40_000;
    await lower.tick();
    pyramid.clock.now += 40_000;
    await upper.tick();
    expect((await administration.fleet()).kiosks).toMatchObject([
      { client: client().id, label: 'Lobby', version: '0.0.0', seenAt: saidAt },
    ]);
  } finally {
    await pyramid.close();
  }
});

test('an older word that comes later changes nothing', () => {
  const kiosks = new Kiosks();
  kiosks.hear({ ...asking(), kiosk: word({ blocks: 2 }) }, { isProxy: false }, START);
  const relayed = { ...word({ blocks: 1 }), client: client().id, version: '0', ageSeconds: 60 };
  kiosks.hear({ ...asking({ client: client(9) }), kiosks: [relayed] }, { isProxy: true }, START + 1000);
  const { words, passed } = kiosks.pass(START + 2000);
  expect(words).toMatchObject([{ blocks: 2, ageSeconds: 2 }]);
  passed();
  expect(kiosks.pass(START).words).toEqual([]);
});

test('over HTTP: a word that is none is refused by its field, the fleet is behind the token', async () => {
  const folder = temporaryFolder();
  const server = await openKeymaster(folder.path, [testManifest()]);
  const administration = new Administration({ ...server, kinds: testKinds, clock: () => server.clock.now });
  const token = 'a-token-for-one-test';
  const gateway = await createGateway({
    keyserver: server.keymaster,
    version: '0.0.0',
    admin: { administration, token: () => token },
  });
  const post = (kiosk: unknown) =>
    gateway.inject({ method: 'POST', url: '/api/v1/exchange', payload: { ...asking(), kiosk } });
  const fleet = (authorization: string) =>
    gateway.inject({ method: 'GET', url: '/admin/v1/fleet', headers: { authorization } });
  try {
    const bad = await post({ ...word(), rate: -1 });
    expect([bad.statusCode, bad.json()]).toMatchObject([400, { code: 'body_malformed', field: '/kiosk/rate' }]);
    expect((await post({ ...word(), somethingNew: true })).statusCode).toBe(200);
    expect((await fleet('Bearer not-the-token-at-all')).statusCode).toBe(401);
    const told = await fleet(`Bearer ${token}`);
    expect(told.json()).toMatchObject({ now: server.clock.now, kiosks: [{ label: 'Lobby', blocks: 7 }] });
    expect(told.json<{ kiosks: object[] }>().kiosks[0]).not.toHaveProperty('somethingNew');
  } finally {
    await gateway.close();
    await server.close();
    folder.remove();
  }
});
