/** The administration API: who is let in, what a stranger learns, what is logged, how errors name their field. */
import type { FastifyBaseLogger, FastifyInstance, InjectOptions } from 'fastify';
import { Value } from 'typebox/value';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Problem } from '../../src/protocol/errors.ts';
import { createGateway } from '../../src/server/http/gateway.ts';
import { Administration } from '../../src/server/keymaster/administration.ts';
import { openKeymaster, type TestKeymaster, temporaryFolder } from '../helpers/keyservers.ts';
import { testKinds, testManifest } from '../helpers/test-contest.ts';

const TOKEN = 'correct-horse-battery/staple~1==';
/** The first 8 digits of its SHA-256, by `sha256sum`. */
const FINGERPRINT = '696b3049';

const folder = temporaryFolder();
let server: TestKeymaster;
let gateway: FastifyInstance;
const logged: { fields: Record<string, unknown>; message: string }[] = [];

function gatewayWith(token: () => string | undefined): Promise<FastifyInstance> {
  const { keymaster, store, clock } = server;
  const administration = new Administration({ keymaster, store, kinds: testKinds, clock: () => clock.now });
  const nothing = (): void => {};
  const logger = {
    level: 'info',
    silent: nothing,
    trace: nothing,
    debug: nothing,
    warn: nothing,
    error: nothing,
    fatal: nothing,
    info: (fields: Record<string, unknown>, message: string) => logged.push({ fields, message }),
    child: () => logger,
  } as unknown as FastifyBaseLogger;
  return createGateway({ keyserver: keymaster, version: '0.0.0', logger, admin: { administration, token } });
}

beforeAll(async () => {
  server = await openKeymaster(folder.path, [testManifest()]);
  gateway = await gatewayWith(() => TOKEN);
});
afterAll(async () => {
  await gateway.close();
  await server.close();
  folder.remove();
});

const ask = (
  method: InjectOptions['method'] & string,
  path: string,
  payload?: object,
  authorization = `Bearer ${TOKEN}`,
) =>
  gateway.inject({
    method: method as 'GET',
    url: `/admin/v1/${path}`,
    headers: authorization === '' ? {} : { authorization },
    ...(payload === undefined ? {} : { payload }),
  });

describe('the administration API', () => {
  it.each([
    ['no token', '', 'Bearer realm="tabherd"'],
    ['another scheme', 'Basic Y29ycmVjdA==', 'Bearer realm="tabherd"'],
    ['a wrong token', `Bearer ${TOKEN.slice(0, -1)}`, 'Bearer realm="tabherd", error="invalid_token"'],
    ['an empty token', 'Bearer ', 'Bearer realm="tabherd"'],
    ['two tokens', `Bearer ${TOKEN} ${TOKEN}`, 'Bearer realm="tabherd"'],
  ])('lets nobody in with %s, whatever the rest of the request', async (_what, authorization, challenge) => {
    for (const [method, path, payload] of [
      ['GET', 'keys'],
      ['POST', 'contests', { nothing: 'right' }],
      ['PATCH', 'contests/test', { state: 'closed' }],
    ] as const) {
      const response = await ask(method, path, payload, authorization);
      expect(response.statusCode).toBe(401);
      expect(response.headers['www-authenticate']).toBe(challenge);
      const problem: unknown = response.json();
      expect(Value.Check(Problem, problem)).toBe(true);
      expect(problem).toMatchObject({ code: 'unauthorized', status: 401 });
    }
    expect((await ask('GET', 'contests')).json()).toMatchObject([{ state: 'open' }]);
    expect(logged).toEqual([]);
  });

  it('takes the scheme in any case', async () => {
    expect((await ask('GET', 'keys', undefined, `bearer ${TOKEN}`)).statusCode).toBe(200);
  });

  it('is not there without a token configured, and there as soon as there is one', async () => {
    let token: string | undefined;
    const without = await gatewayWith(() => token);
    const keys = () => without.inject({ url: '/admin/v1/keys', headers: { authorization: `Bearer ${TOKEN}` } });
    expect((await keys()).json()).toEqual((await without.inject('/admin/v1/keys')).json());
    expect((await keys()).json()).toMatchObject({ code: 'not_found' });
    expect((await without.inject('/api/v1/openapi.json')).body).not.toContain('admin');
    token = `not ${TOKEN}`.replace(' ', '-');
    expect((await keys()).statusCode).toBe(401);
    token = TOKEN;
    expect((await keys()).statusCode).toBe(200);
    await without.close();
  });

  it('logs every change with who made it, and nothing that only asks', async () => {
    const response = await ask('PATCH', 'contests/test', { priority: 7 });
    expect(response.json()).toMatchObject({ name: 'test', priority: 7 });
    expect(response.headers['cache-control']).toBe('no-store');
    await ask('GET', 'contests');
    await ask('PATCH', 'contests/absent', { priority: 7 });
    expect(logged).toEqual([
      {
        fields: {
          operator: FINGERPRINT,
          method: 'PATCH',
          url: '/admin/v1/contests/test',
          body: { priority: 7 },
        },
        message: 'changed by the operator',
      },
    ]);
    expect(JSON.stringify(logged)).not.toContain(TOKEN);
  });

  it.each([
    ['PATCH', 'contests/test', { priority: '7' }, 400, '/priority'],
    ['PATCH', 'contests/test', { weight: 0 }, 400, '/weight'],
    ['PATCH', 'contests/test', { closed: true }, 400, '/closed'],
    ['PATCH', 'contests/test', { allocation: { kind: 'random' } }, 400, '/allocation/subspaceUnits'],
    ['PATCH', 'contests/test', { allocation: { kind: 'backwards' } }, 400, '/allocation/kind'],
    ['PATCH', 'contests/test', {}, 400, undefined],
    ['PATCH', 'contests/absent', { offered: true }, 404, undefined],
    ['POST', 'contests', { ...testManifest(), units: 101 }, 409, '/name'],
    ['POST', 'contests', { ...testManifest(), units: 0 }, 400, '/units'],
    ['PUT', 'proxies/nobody', {}, 400, '/id'],
    ['PUT', 'messages', { messages: ['x'.repeat(501)] }, 400, '/messages/0'],
    ['GET', 'contests/test/top?limit=0', undefined, 400, '/limit'],
    ['GET', 'contests/test/top?days=1', undefined, 400, '/days'],
    ['GET', 'contests/test/rates?span=year', undefined, 400, '/span'],
    ['GET', 'contests/test/units/1e3', undefined, 400, '/unit'],
    ['GET', 'contests/test/units/100', undefined, 404, undefined],
    ['GET', 'nothing', undefined, 404, undefined],
  ] as const)('%s %s %j is %i at %s', async (method, path, payload, status, field) => {
    const response = await ask(method, path, payload);
    const problem = response.json<Problem>();
    expect([response.statusCode, problem.field]).toEqual([status, field]);
    expect(Value.Check(Problem, problem)).toBe(true);
  });

  it('adds a contest, lists a proxy, sets a message, rotates keys, tells of all', async () => {
    const id = 'a'.repeat(64);
    for (const [method, path, payload] of [
      ['POST', 'contests', testManifest({ name: 'added' })],
      ['PUT', `proxies/${id}`, { name: 'the office' }],
      ['POST', `proxies/${id}/revoke`],
      ['POST', `proxies/${id}/restore`],
      ['PUT', 'messages', { messages: ['Hello'] }],
      ['POST', 'keys/rotate'],
    ] as const) {
      expect([path, (await ask(method, path, payload)).statusCode]).toEqual([path, 200]);
    }
    const told: [string, object][] = [
      ['contests', [{ name: 'test' }, { name: 'added' }]],
      ['proxies', [{ id, name: 'the office' }]],
      ['messages', { messages: ['Hello'] }],
      ['keys', [{}, {}]],
      ['facts', { contests: [{}, {}] }],
      ['check', { ok: true }],
      ['contests/added/rates?span=day', []],
      ['contests/added/top?scope=team&day=2026-01-01&limit=5', []],
      ['contests/added/units/99', { state: 'free' }],
    ];
    for (const [path, answer] of told) expect((await ask('GET', path)).json()).toMatchObject(answer);
    expect((await ask('GET', 'keys')).body).not.toMatch(/secret/);
  });

  it('is described with its token', async () => {
    const description = (await gateway.inject('/api/v1/openapi.json')).json<{
      paths: Record<string, Record<string, { tags: string[]; security: object[]; responses: object }>>;
      components: { securitySchemes: object };
    }>();
    expect(description.components.securitySchemes).toEqual({ adminToken: { type: 'http', scheme: 'bearer' } });
    const { patch } = description.paths['/admin/v1/contests/{name}'] ?? {};
    expect(patch).toMatchObject({ tags: ['administration'], security: [{ adminToken: [] }] });
    expect(Object.keys(patch?.responses ?? {})).toEqual(['200', '400', '401', '404', '409', '503']);
  });
});
