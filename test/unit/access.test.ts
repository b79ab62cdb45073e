/** The three steps of access by address, with a real socket where the address is the socket's. */
import fastify from 'fastify';
import { afterEach, expect, test } from 'vitest';
import { accessBy, guardAccess, isAddressRule, limitConnections } from '../../src/server/http/access.ts';

const apps: { close: () => Promise<unknown> }[] = [];
afterEach(async () => {
  await Promise.all(apps.splice(0).map((app) => app.close()));
});

test.each([
  [[], [], '1.2.3.4', true],
  [[], ['1.2.3.4'], '1.2.3.4', false],
  [[], ['1.2.3.4'], '1.2.3.5', true],
  [['1.2.3.*'], [], '1.2.3.255', true],
  [['1.2.3.*'], [], '1.2.4.0', false],
  // Allowed is asked first, and alone.
  [['1.2.*'], ['1.2.3.4'], '1.2.3.4', true],
  [['10.0.0.0/9'], [], '10.127.255.255', true],
  [['10.0.0.0/9'], [], '10.128.0.0', false],
  [['10.*.*.*'], [], '10.1.2.3', true],
  [['0.0.0.0/0'], [], '::1', false],
  [['fd00::/8'], [], 'fdff::1', true],
  [['fd00::/8'], [], 'fe00::1', false],
  // As a socket of both families has it.
  [['127.0.0.1'], [], '::ffff:127.0.0.1', true],
  [[], ['127.0.0.0/8'], '::ffff:127.0.0.1', false],
  [['fe80::/10'], [], 'fe80::1%eth0', true],
  [['0.0.0.0/0'], [], 'unknown', false],
])('allowed %j, ignored %j: %s %s', (allowed, ignored, address, expected) => {
  expect(accessBy({ allowed, ignored })(address)).toBe(expected);
});

test('what is no rule is refused by name', () => {
  for (const rule of [
    '',
    '*',
    '1.2.3',
    '1.2.3.4.*',
    '1.*.3',
    '1.*.*',
    '256.*',
    '10.0.0.0/33',
    '10.0.0.0/',
    'fd00::/129',
  ]) {
    expect(isAddressRule(rule)).toBe(false);
    expect(() => accessBy({ allowed: [], ignored: [rule] })).toThrow(`"${rule}" is no address`);
  }
});

async function serve(rules: Parameters<typeof accessBy>[0], trustProxy: boolean | string[] = false) {
  const app = fastify({ trustProxy });
  apps.push(app);
  guardAccess(app, accessBy(rules));
  app.get('/', () => 'in');
  app.get('/healthz', () => 'ok');
  return { app, url: await app.listen({ port: 0, host: '127.0.0.1' }) };
}

test('a refused address gets a problem document', async () => {
  const { url } = await serve({ allowed: [], ignored: ['127.0.0.1'] });
  const response = await fetch(url);
  expect(response.status).toBe(403);
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  const detail = 'this keyserver does not serve your address, 127.0.0.1';
  expect(await response.json()).toMatchObject({ status: 403, code: 'unauthorized', detail });
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
});

test('a forwarded address counts where its proxy is trusted, and nowhere else', async () => {
  const headers = { 'x-forwarded-for': '10.1.1.1' };
  const rules = { allowed: ['10.0.0.0/8'], ignored: [] };
  expect((await fetch((await serve(rules, ['127.0.0.1'])).url, { headers })).status).toBe(200);
  expect((await fetch((await serve(rules, ['10.9.9.9'])).url, { headers })).status).toBe(403);
  expect((await fetch((await serve(rules)).url, { headers })).status).toBe(403);
});

test('connections beyond the limit are closed', async () => {
  const { app, url } = await serve({ allowed: [], ignored: [] });
  limitConnections(app, 1);
  // `fetch` keeps the first one open until its body is read.
  const first = await fetch(url);
  await expect(fetch(url, { headers: { connection: 'close' } })).rejects.toThrow('fetch failed');
  expect(await first.text()).toBe('in');
});
