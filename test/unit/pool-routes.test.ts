/** Pools over HTTP: the routes and their problems, who may call them from another page, and whole keyservers that find each other. */
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { Value } from 'typebox/value';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { adminCommand } from '../../src/cli/admin/command.ts';
import { Problem } from '../../src/protocol/errors.ts';
import { KeepAlive, PoolsOverview, RegistrationReply, Resolution } from '../../src/protocol/pools.ts';
import { createGateway } from '../../src/server/http/gateway.ts';
import { HttpRegistrars } from '../../src/server/pools/http-registrar.ts';
import { Pools, type PoolsOptions } from '../../src/server/pools/pools.ts';
import { generateKey } from '../../src/server/proof/key.ts';
import { makeVoucher } from '../../src/server/proof/voucher.ts';
import { type Server, startProxy, startServer } from '../../src/server/serve.ts';
import { asking, client, openKeymaster, silent, type TestKeymaster, temporaryFolder } from '../helpers/keyservers.ts';
import { type Gateway, POLICY, POOL, PoolWorld, reporter } from '../helpers/pools.ts';
import { testKinds, testManifest } from '../helpers/test-contest.ts';

const OWN = 'http://127.0.0.1:1';

const OPTIONS: PoolsOptions = {
  registrar: true,
  registrars: [],
  addresses: [OWN],
  handle: POOL,
  policy: POLICY,
  successors: [],
  origins: ['https://*.keys.example'],
  id: 7,
};

const folder = temporaryFolder();
let server: TestKeymaster;
/** Makes registrations of gateways that the keymaster vouches for. */
const world = new PoolWorld();
let stranger: Gateway;

const poolsOf = (options: Partial<PoolsOptions> = {}, isKeymaster = true): Pools =>
  new Pools({ ...OPTIONS, ...options }, world.portsOf(server.store, isKeymaster));

beforeAll(async () => {
  server = await openKeymaster(folder.path, [testManifest()]);
  stranger = world.gateway();
});
afterAll(async () => {
  await server.close();
  folder.remove();
});

async function gatewayWith(pools?: Pools): Promise<FastifyInstance> {
  const gateway = await createGateway({ keyserver: server.keymaster, version: '0.0.0', pools });
  onTestFinished(() => gateway.close());
  await pools?.tick();
  return gateway;
}

describe('the routes', () => {
  it('answer by their schemas', async () => {
    const gateway = await gatewayWith(poolsOf());
    const keepAlive = (await gateway.inject('/api/v1/keep-alive')).json<KeepAlive>();
    expect(Value.Check(KeepAlive, keepAlive)).toBe(true);
    expect(keepAlive).toMatchObject({ handle: POOL, id: 7 });

    const registered = await gateway.inject({
      method: 'POST',
      url: '/api/v1/pools/registrations',
      payload: world.registration(stranger),
    });
    expect([registered.statusCode, Value.Check(RegistrationReply, registered.json())]).toEqual([200, true]);
    expect(registered.json()).toMatchObject({ home: 7, registrars: [OWN] });

    const resolved = await gateway.inject(`/api/v1/pools/${POOL}`);
    expect([resolved.statusCode, Value.Check(Resolution, resolved.json())]).toEqual([200, true]);
    expect(resolved.headers['cache-control']).toBe('no-store');
    const ids = resolved.json<Resolution>().elements.map(({ id }) => id);
    expect(new Set(ids)).toEqual(new Set([7, stranger.id]));

    const overview = await gateway.inject('/api/v1/pools');
    expect(Value.Check(PoolsOverview, overview.json())).toBe(true);
    expect(overview.json()).toMatchObject({
      registrar: 7,
      mode: 'peers',
      pools: [{ handle: POOL, count: 2 }],
      events: [
        { what: 'joined', id: stranger.id },
        { what: 'joined', id: 7 },
      ],
    });

    const unreachable = async (element: number) =>
      (
        await gateway.inject({
          method: 'POST',
          url: `/api/v1/pools/${POOL}/unreachable`,
          payload: { element, client: reporter(1) },
        })
      ).json<unknown>();
    expect(await unreachable(stranger.id)).toEqual({ known: true });
    expect(await unreachable(999)).toEqual({ known: false });

    const left = await gateway.inject({
      method: 'POST',
      url: '/api/v1/pools/deregistrations',
      payload: world.deregistration(stranger, world.now + 1),
    });
    expect([left.statusCode, left.json()]).toEqual([200, {}]);
    expect((await gateway.inject(`/api/v1/pools/${POOL}`)).json<Resolution>().elements).toHaveLength(1);
  });

  it.each([
    ['a pool that is not there', 'GET', 'pools/no.such', undefined, 404, 'not_found', undefined],
    ['a handle that is none', 'GET', 'pools/No!', undefined, 400, undefined, '/handle'],
    ['no body', 'POST', 'pools/registrations', {}, 400, 'body_malformed', '/statement'],
    [
      'a statement that is none',
      'POST',
      'pools/registrations',
      { statement: 'x', voucher: 'y' },
      403,
      'proof_false',
      undefined,
    ],
    ['a message that is none', 'POST', 'pools/enrp', { statement: 'x', voucher: 'y' }, 403, 'proof_false', undefined],
    [
      'a client that is none',
      'POST',
      `pools/${POOL}/unreachable`,
      { element: 7, client: 1 },
      400,
      'body_malformed',
      '/client',
    ],
    [
      'an element that is none',
      'POST',
      `pools/${POOL}/unreachable`,
      { element: 0, client: reporter(1) },
      400,
      'body_malformed',
      '/element',
    ],
  ] as const)('answer %s with a problem', async (_what, method, path, payload, status, code, field) => {
    const gateway = await gatewayWith(poolsOf());
    const response = await gateway.inject({
      method,
      url: `/api/v1/${path}`,
      ...(payload === undefined ? {} : { payload }),
    });
    expect(response.statusCode).toBe(status);
    const problem: unknown = response.json();
    expect(Value.Check(Problem, problem)).toBe(true);
    expect(problem).toMatchObject({
      ...(code === undefined ? {} : { code }),
      ...(field === undefined ? {} : { field }),
    });
  });

  it('answer a stale registration with 409', async () => {
    const gateway = await gatewayWith(poolsOf());
    const send = (iat: number) =>
      gateway.inject({
        method: 'POST',
        url: '/api/v1/pools/registrations',
        payload: world.registration(stranger, { iat }),
      });
    expect((await send(world.now)).statusCode).toBe(200);
    const stale = await send(world.now - 1);
    expect([stale.statusCode, stale.json<Problem>().code]).toEqual([409, 'conflict']);
  });

  it.each([
    ['POST', 'keep-alive', 'GET'],
    ['DELETE', 'pools', 'GET'],
    ['PUT', `pools/${POOL}`, 'GET'],
    ['PUT', 'pools/registrations', 'POST'],
    ['DELETE', 'pools/deregistrations', 'POST'],
    ['PUT', 'pools/enrp', 'POST'],
    ['GET', `pools/${POOL}/unreachable`, 'POST'],
  ] as const)('know no %s of %s', async (method, path, allowed) => {
    const gateway = await gatewayWith(poolsOf());
    const response = await gateway.inject({ method, url: `/api/v1/${path}` });
    expect([response.statusCode, response.headers['allow']]).toEqual([405, allowed]);
  });

  it('are not there without pools, and a gateway in no pool and with no registrar knows none', async () => {
    const without = await gatewayWith();
    for (const method of ['GET', 'DELETE'] as const) {
      expect((await without.inject({ method, url: '/api/v1/pools' })).statusCode).toBe(404);
    }
    const registrar = await gatewayWith(poolsOf({ handle: undefined }));
    expect((await registrar.inject('/api/v1/keep-alive')).json()).toMatchObject({ status: 404, code: 'not_found' });
    expect((await registrar.inject('/api/v1/pools')).statusCode).toBe(200);
  });

  it('pass on to registrars elsewhere, and say so where none answers', async () => {
    const registrar = await gatewayWith(poolsOf());
    const url = new URL(await registrar.listen({ port: 0, host: '127.0.0.1' })).origin;
    // One is not there.
    const registrars = ['http://127.0.0.1:9', url];
    const member = await gatewayWith(
      poolsOf({ registrar: false, registrars, id: 8, addresses: ['http://127.0.0.1:2'] }),
    );
    const resolved = await member.inject(`/api/v1/pools/${POOL}`);
    expect(
      resolved
        .json<Resolution>()
        .elements.map(({ id }) => id)
        .toSorted((a, b) => a - b),
    ).toEqual([7, 8]);
    expect((await member.inject('/api/v1/pools/no.such')).json()).toMatchObject({ status: 404, code: 'not_found' });
    const lonely = await gatewayWith(poolsOf({ registrar: false, registrars: ['http://127.0.0.1:9'] }));
    const nobody = await lonely.inject(`/api/v1/pools/${POOL}`);
    expect([nobody.statusCode, Value.Check(Problem, nobody.json())]).toEqual([503, true]);
    expect(nobody.headers['retry-after']).toMatch(/^\d+$/);
  });
});

describe('pages of other gateways', () => {
  const preflight = (gateway: FastifyInstance) =>
    gateway.inject({
      method: 'OPTIONS',
      url: '/api/v1/exchange',
      headers: {
        origin: 'https://elsewhere.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,content-encoding',
      },
    });

  it('may call the API of a keyserver in pools', async () => {
    const gateway = await gatewayWith(poolsOf());
    const { statusCode, headers } = await preflight(gateway);
    expect(statusCode).toBe(204);
    expect(headers['access-control-allow-origin']).toBe('*');
    expect(headers['access-control-allow-methods']).toMatch(/POST/);
    expect(headers['access-control-allow-headers']).toMatch(/content-encoding/);
    expect(headers).not.toHaveProperty('access-control-allow-credentials');
    const reply = await gateway.inject({
      method: 'POST',
      url: '/api/v1/exchange',
      headers: { origin: 'https://elsewhere.example' },
      payload: asking(),
    });
    expect([reply.statusCode, reply.headers['access-control-allow-origin']]).toEqual([200, '*']);
  });

  it('may not call that of any other, nor the administration', async () => {
    const gateway = await gatewayWith();
    const { statusCode, headers } = await preflight(gateway);
    expect(statusCode).toBeGreaterThanOrEqual(400);
    expect(headers).not.toHaveProperty('access-control-allow-origin');
    const inPools = await gatewayWith(poolsOf());
    const health = await inPools.inject({ url: '/healthz', headers: { origin: 'https://elsewhere.example' } });
    expect(health.headers).not.toHaveProperty('access-control-allow-origin');
  });

  it('are what a page may turn to, and an exchange names the pool', async () => {
    const pools = poolsOf();
    const gateway = await gatewayWith(pools);
    await gateway.inject({
      method: 'POST',
      url: '/api/v1/pools/registrations',
      payload: world.registration(stranger),
    });
    await pools.tick();
    const policyOf = async (one: FastifyInstance) =>
      String((await one.inject('/api/v1/status')).headers['content-security-policy']);
    const sources = /connect-src ([^;]*);/.exec(await policyOf(gateway))?.[1]?.split(' ');
    expect(new Set(sources)).toEqual(new Set(["'self'", OWN, stranger.address, 'https://*.keys.example']));
    const exchange = async (one: FastifyInstance) =>
      (await one.inject({ method: 'POST', url: '/api/v1/exchange', payload: asking() })).json<{ pool?: string }>();
    expect((await exchange(gateway)).pool).toBe(POOL);
    const without = await gatewayWith();
    expect(await policyOf(without)).toContain("connect-src 'self';");
    expect(await exchange(without)).not.toHaveProperty('pool');
  });
});

describe('settings that contradict each other', () => {
  const key = world.keymaster.id;
  const voucher = (claims: object = {}) =>
    makeVoucher({ sub: key, handle: POOL, addresses: [OWN], exp: world.now + 1, ...claims }, generateKey());
  it.each<[string, Partial<PoolsOptions>, boolean, string]>([
    [
      'no address',
      { addresses: [] },
      true,
      'a registrar, and a gateway in a pool, needs the address where browsers find it (--pool-addresses)',
    ],
    [
      'no registrar',
      { registrar: false },
      true,
      'a gateway in a pool needs registrars (--registrars), or to be one (--registrar)',
    ],
    ['no voucher', {}, false, `makes: tabherd admin vouch ${key} ${OWN} --pool ${POOL} --registrar`],
    ['no voucher, in no pool', { handle: undefined }, false, `makes: tabherd admin vouch ${key} ${OWN} --registrar`],
    [
      'no such thing as a voucher',
      { voucher: 'x' },
      false,
      'the voucher (--pool-voucher) is none: copy all of what tabherd admin vouch has printed',
    ],
    [
      'a voucher for another key',
      { voucher: voucher({ sub: 'a'.repeat(64) }) },
      false,
      `is for another key, ${'a'.repeat(64)}; this proxy's is ${key}`,
    ],
    ['for another pool', { voucher: voucher({ handle: 'other' }) }, false, `is for other, not for ${POOL}`],
    [
      'for another address',
      { voucher: voucher({ addresses: ['http://other'] }) },
      false,
      `does not have the address ${OWN}`,
    ],
    ['for no registrar', { voucher: voucher() }, false, 'is for no registrar: ask for one made with --registrar'],
  ])('%s', (_what, options, isKeymaster, message) => {
    expect(() => poolsOf(options, isKeymaster)).toThrow(TypeError);
    expect(() => poolsOf(options, isKeymaster)).toThrow(message);
  });

  it('are told apart from settings that do not', () => {
    expect(poolsOf({ voucher: voucher({ registrar: true }) }, false).handle).toBe(POOL);
    expect(poolsOf({ registrar: false, handle: undefined, addresses: [] }, false).isOpen).toBe(false);
  });
});

describe('whole keyservers', () => {
  const TOKEN = 'a-token-for-one-test';
  const home = temporaryFolder();
  afterAll(() => home.remove());
  const running: Server[] = [];
  const common = (name: string) => ({
    dataDir: `${home.path}/${name}`,
    host: '127.0.0.1',
    kinds: testKinds,
    version: '0.0.0',
    logLevel: 'silent' as const,
  });

  it('a keymaster and its proxies are one pool; registrars tell each other, and who ends leaves', async () => {
    onTestFinished(async () => {
      for (const one of running.toReversed()) await one.close();
    });
    const ports = await freePorts(3);
    const [top, first, second] = ports.map((port) => `http://127.0.0.1:${port}`) as [string, string, string];
    const options = { ...OPTIONS, id: undefined, origins: [] };
    const keymaster = await startServer({
      ...common('top'),
      port: ports[0],
      manifests: [testManifest()],
      adminToken: TOKEN,
      pools: { ...options, addresses: [top] },
    });
    running.push(keymaster);
    const start = async (name: string, place: number, pools: Omit<PoolsOptions, 'voucher'>) => {
      const proxy = { ...common(name), port: ports[place], upstreams: [top], settings: {} };
      // Without a voucher it says what to do; the key is kept.
      const told = String(await startProxy({ ...proxy, pools }).catch((error: unknown) => error));
      const [, sub] = /tabherd admin vouch ([0-9a-f]{64}) /.exec(told) ?? [];
      const response = await fetch(`${top}/admin/v1/vouchers`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          sub,
          addresses: pools.addresses,
          handle: POOL,
          days: 1,
          ...(pools.registrar ? { registrar: true } : {}),
        }),
      });
      const { voucher } = (await response.json()) as { voucher: string };
      const started = await startProxy({ ...proxy, pools: { ...pools, voucher } });
      running.push(started);
      return started;
    };
    await start('first', 1, { ...options, registrars: [top], addresses: [first] });
    const last = await start('second', 2, { ...options, registrar: false, registrars: [top], addresses: [second] });
    const known = async (at: string) => {
      const overview = await new HttpRegistrars([at]).overview().catch(() => undefined);
      return overview?.pools[0]?.elements.flatMap(({ addresses }) => addresses) ?? [];
    };
    const all = async (of: readonly string[]) => {
      for (const at of [top, first]) expect(new Set(await known(at))).toEqual(new Set(of));
    };
    await eventually(() => all([top, first, second]));
    const overview = await new HttpRegistrars([first]).overview();
    expect(overview.registrars.map(({ address }) => address).toSorted()).toEqual([top, first].toSorted());
    await running.splice(running.indexOf(last), 1)[0]?.close();
    await eventually(() => all([top, first]));
    const exchange = await fetch(`${first}/api/v1/exchange`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(asking({ client: client(3) })),
    });
    expect(await exchange.json()).toMatchObject({ pool: POOL });
  }, 60_000);

  it('a registrar that comes later gets many elements over HTTP, in parts', async () => {
    const keys = Array.from({ length: 3 }, () => generateKey());
    const own = new PoolWorld();
    const ports = await freePorts(2);
    const addresses = ports.map((port) => `http://127.0.0.1:${port}`);
    const make = async (place: number): Promise<Pools> => {
      const key = keys[place] ?? generateKey();
      const claims = { sub: key.id, addresses: [addresses[place] ?? ''], registrar: true as const, exp: own.now + 1e6 };
      const pools = new Pools(
        {
          ...OPTIONS,
          id: undefined,
          handle: undefined,
          registrars: addresses,
          addresses: claims.addresses,
          voucher: makeVoucher(claims, own.keymaster),
        },
        {
          store: server.store,
          isShared: false,
          clock: own.clock,
          log: silent,
          isTrusted: own.isTrusted,
          isRevoked: own.isRevoked,
          key: () => key,
          isKeymaster: false,
        },
      );
      const gateway = await createGateway({ keyserver: server.keymaster, version: '0.0.0', pools });
      onTestFinished(() => gateway.close());
      await gateway.listen({ port: ports[place] ?? 0, host: '127.0.0.1' });
      return pools;
    };
    const first = await make(0);
    for (let i = 0; i < 150; i++) await first.api?.register(own.registration(own.gateway()));
    const second = await make(1);
    await eventually(async () => {
      own.now += 500;
      await Promise.all([first.tick(), second.tick()]);
      expect((await second.api?.overview())?.pools[0]?.count).toBe(150);
    });
    const resolved = await second.api?.resolve(POOL);
    expect(resolved?.elements).toHaveLength(8);
  }, 60_000);
});

it('`tabherd admin vouch --help` says what it wants', () => {
  const vouch = adminCommand(() => Number).commands.find((one) => one.name() === 'vouch');
  const help = vouch?.helpInformation() ?? '';
  expect(help).toMatch(/vouch \[options\] <key> <origin\.\.\.>/);
  for (const option of ['--pool <handle>', '--registrar', '--days <number>']) expect(help).toContain(option);
});

async function eventually(isSo: () => Promise<void>): Promise<void> {
  for (let left = 150; ; left--) {
    try {
      return await isSo();
    } catch (error) {
      if (left === 0) throw error;
      await sleep(100);
    }
  }
}

/** Ports that are free now. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  for (const one of servers) await new Promise<void>((resolve) => one.listen(0, '127.0.0.1', resolve));
  const ports = servers.map((one) => (one.address() as { port: number }).port);
  for (const one of servers) await new Promise((resolve) => one.close(resolve));
  return ports;
}
