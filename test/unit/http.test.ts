/**
 * The gateway as strangers meet it, through real sockets: every error a typed problem document, nothing coerced,
 * nothing dropped, nothing of the inside told; the PWA's files with the right headers.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { Value } from 'typebox/value';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Problem, UnreachableError } from '../../src/protocol/errors.ts';
import type { Keyserver } from '../../src/protocol/keyserver.ts';
import { reportBatch } from '../../src/protocol/report-batch.ts';
import { createGateway } from '../../src/server/http/gateway.ts';
import { asking, openKeymaster, type TestKeymaster, temporaryFolder } from '../helpers/keyservers.ts';
import { testManifest, trueReport } from '../helpers/test-contest.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

describe('the gateway', () => {
  let server: TestKeymaster;
  let gateway: FastifyInstance;
  let url: string;
  beforeAll(async () => {
    const appDir = join(folder.path, 'app');
    mkdirSync(join(appDir, 'assets'), { recursive: true });
    writeFileSync(join(appDir, 'index.html'), '<!doctype html><title>Tabherd</title>');
    writeFileSync(join(appDir, 'sw.js'), '// the service worker');
    writeFileSync(join(appDir, 'assets', 'rc5-4-Bq3f.wasm'), Buffer.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
    writeFileSync(join(appDir, '.secret'), 'no');
    writeFileSync(join(folder.path, 'outside.txt'), 'no');
    server = await openKeymaster(join(folder.path, 'data'), [testManifest()]);
    gateway = await createGateway({ keyserver: server.keymaster, appDir, version: '1.2.3' });
    url = await gateway.listen({ port: 0, host: '127.0.0.1' });
  });
  afterAll(async () => {
    await gateway.close();
    await server.close();
  });

  const post = (body: unknown, path = 'exchange', type = 'application/json') =>
    fetch(`${url}/api/v1/${path}`, {
      method: 'POST',
      headers: { 'content-type': type },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });

  async function problemOf(response: Response): Promise<Problem> {
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    const text = await response.text();
    expect(text).not.toMatch(/node_modules|\.ts\b|\bat \w+ \(|sqlite/i);
    const problem = JSON.parse(text) as Problem;
    expect(Value.Check(Problem, problem)).toBe(true);
    expect(problem.status).toBe(response.status);
    return problem;
  }

  const lease = { id: '00000000-0000-4000-8000-000000000000', contest: 'test', first: 0, count: 3, expiresAt: 0 };
  const report = trueReport(lease);
  const rc5 = { kind: 'rc5', nearMatches: [1, -1] };
  const good = asking({ reports: [report] });

  it.each<[string, unknown, string]>([
    ['a number written as text', { ...good, want: { blocks: '1', from: [] } }, '/want/blocks'],
    ['a missing field', { client: good.client, reports: [] }, '/want'],
    ['a nested missing field', { ...good, client: { id: good.client.id } }, '/client/version'],
    ['a name that no database keeps', { ...good, client: { ...good.client, name: 'a\u0000b' } }, '/client/name'],
    ['half an emoji', { ...good, client: { ...good.client, name: 'a\ud83d' } }, '/client/name'],
    ['an endless effort', { ...good, reports: [{ ...report, seconds: 1e308 }] }, '/reports/0/seconds'],
    ['an id of another form', { ...good, client: { ...good.client, id: '../../etc' } }, '/client/id'],
    ['too many reports', { ...good, reports: Array.from({ length: 65 }, () => report) }, '/reports'],
    ['too many blocks', { ...good, want: { blocks: 65, from: [] } }, '/want/blocks'],
    ['a negative unit', { ...good, reports: [{ ...report, first: -1 }] }, '/reports/0/first'],
    ['half a unit', { ...good, reports: [{ ...report, first: 0.5 }] }, '/reports/0/first'],
    ['a unit beyond 2^53', { ...good, reports: [{ ...report, first: 2 ** 53 }] }, '/reports/0/first'],
    ['no evidence at all', { ...good, reports: [{ ...report, evidence: [] }] }, '/reports/0/evidence'],
    [
      'evidence of no kind there is',
      { ...good, reports: [report, { ...report, evidence: [{ kind: 'csc' }] }] },
      '/reports/1/evidence/0/kind',
    ],
    [
      'a near match below 0',
      { ...good, reports: [{ ...report, evidence: [...report.evidence.slice(0, 2), rc5] }] },
      '/reports/0/evidence/2/nearMatches/1',
    ],
    [
      'near matches that are no list',
      { ...good, reports: [{ ...report, evidence: [...report.evidence.slice(0, 2), { ...rc5, nearMatches: {} }] }] },
      '/reports/0/evidence/2/nearMatches',
    ],
    [
      'evidence with a field too many',
      { ...good, reports: [{ ...report, evidence: [{ kind: 'ogr', nodes: 1, 'a/b': 1 }] }] },
      '/reports/0/evidence/0/a~1b',
    ],
    ['a contest name that is none', asking({ blocks: 1, contests: ['test', 'RC5 72'] }), '/want/from/1/contest'],
  ])('names the field of %s', async (_what, body, field) => {
    const response = await post(body);
    expect(response.status).toBe(400);
    expect(await problemOf(response)).toMatchObject({ code: 'body_malformed', field });
  });

  it.each<[string, string]>([
    ['JSON that ends early', '{"client":'],
    ['no JSON', 'hello'],
    ['nothing', ''],
    ['null', 'null'],
    ['a list', '[]'],
    ['a prototype', '{"__proto__":{"client":1}}'],
  ])('refuses a body that is %s', async (_what, body) => {
    const response = await post(body);
    expect(response.status).toBe(400);
    expect((await problemOf(response)).code).toBe('body_malformed');
  });

  it('refuses a body of another type', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml']) {
      const response = await post(good, 'exchange', type);
      expect(response.status).toBe(415);
      expect((await problemOf(response)).code).toBe('media_type_unsupported');
    }
  });

  it('refuses a body of 10 MB at once, told its length or not, and goes on serving', async () => {
    const body = Buffer.alloc(10_000_000, 0x20);
    for (const headers of [{ 'content-length': String(body.length) }, { 'transfer-encoding': 'chunked' }]) {
      const { status, text, read } = await sendSlowly(url, headers, body);
      expect(status).toBe(413);
      expect(JSON.parse(text)).toMatchObject({ status: 413, code: 'body_too_large' });
      // It did not wait for the end of it.
      expect(read).toBeLessThan(body.length);
    }
    expect((await post(good)).status).toBe(200);
  });

  it('takes the largest batch of reports that the client may send', async () => {
    const nearMatches = Array.from({ length: 256 }, (_, i) => 2 ** 28 - 256 + i);
    const full = { ...report, evidence: Array.from({ length: 256 }, () => ({ kind: 'rc5' as const, nearMatches })) };
    expect(reportBatch([full, full, full])).toHaveLength(1);
    const usual = { ...full, evidence: full.evidence.map((e) => ({ ...e, nearMatches: e.nearMatches.slice(0, 16) })) };
    for (const reports of [[full], reportBatch(Array.from({ length: 100 }, () => usual))]) {
      const { results } = (await (await post(asking({ reports }))).json()) as { results: unknown[] };
      expect(results).toHaveLength(reports.length);
    }
    expect(reportBatch(Array.from({ length: 100 }, () => report))).toHaveLength(64);
    expect(reportBatch([])).toEqual([]);
  });

  it('says what it does not have', async () => {
    for (const path of [
      '/api/v1/nothing',
      '/api/v2/exchange',
      '/nothing',
      '/.secret',
      '/assets/',
      '/..%2foutside.txt',
    ]) {
      const response = await fetch(url + path);
      expect([path, response.status]).toEqual([path, 404]);
      expect((await problemOf(response)).code).toBe('not_found');
    }
    expect((await problemOf(await fetch(`${url}/%zz`))).code).toBe('body_malformed');
  });

  it('says which method an address knows', async () => {
    for (const [method, path, allow] of [
      ['GET', 'exchange', 'POST'],
      ['PUT', 'exchange', 'POST'],
      ['DELETE', 'release', 'POST'],
      ['POST', 'status', 'GET'],
    ] as const) {
      const response = await fetch(`${url}/api/v1/${path}`, { method });
      expect(response.status).toBe(405);
      expect(response.headers.get('allow')).toBe(allow);
      expect((await problemOf(response)).code).toBe('method_not_allowed');
    }
  });

  it('names the contest it does not have', async () => {
    const response = await post(asking({ blocks: 1, contests: ['test', 'rc5-64'] }));
    expect(response.status).toBe(422);
    expect(await problemOf(response)).toMatchObject({ code: 'contest_unknown', field: '/want/from/1/contest' });
  });

  it('answers a refused report as a result, not as an error', async () => {
    const response = await post(good);
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toMatchObject({ results: [{ outcome: 'refused', code: 'lease_unknown' }] });
  });

  it('describes itself', async () => {
    const description = (await (await fetch(`${url}/api/v1/openapi.json`)).json()) as {
      openapi: string;
      info: { version: string };
      paths: Record<string, object>;
    };
    expect(description.openapi).toBe('3.1.0');
    expect(description.info.version).toBe('1.2.3');
    expect(Object.keys(description.paths).toSorted()).toEqual(
      ['contests', 'contests/{name}/map', 'exchange', 'release', 'status'].map((path) => `/api/v1/${path}`),
    );
    const { exchange } = Object.fromEntries(Object.entries(description.paths).map(([k, v]) => [k.slice(8), v])) as {
      exchange: { post: { requestBody: { content: object }; responses: object } };
    };
    expect(Object.keys(exchange.post.requestBody.content)).toEqual(['application/json']);
    expect(Object.keys(exchange.post.responses)).toEqual(['200', '400', '413', '415', '422', '429', '503']);
    expect(JSON.stringify(exchange)).toContain('nearMatches');
  });

  it('serves the app with headers that let it be cached, run wasm, and nothing else', async () => {
    const page = await fetch(url);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    expect(page.headers.get('cache-control')).toBe('no-cache');
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    expect(page.headers.get('referrer-policy')).toBe('no-referrer');
    expect(page.headers.has('cross-origin-opener-policy')).toBe(false);
    expect(page.headers.has('cross-origin-embedder-policy')).toBe(false);

    const worker = await fetch(`${url}/sw.js`);
    expect(worker.headers.get('cache-control')).toBe('no-cache');
    expect(worker.headers.get('content-type')).toMatch(/javascript/);
    // Not by fetch, which would add a cache-control of its own.
    const etag = worker.headers.get('etag') ?? '';
    expect((await gateway.inject({ url: '/sw.js', headers: { 'if-none-match': etag } })).statusCode).toBe(304);

    const core = await fetch(`${url}/assets/rc5-4-Bq3f.wasm`);
    expect(core.headers.get('content-type')).toBe('application/wasm');
    expect(core.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(await (await fetch(`${url}/healthz`)).text()).toBe('ok\n');
  });
});

describe('the gateway over a keyserver in trouble', () => {
  const failing = (error: unknown): Keyserver => {
    const fail = async () => {
      throw error;
    };
    return { exchange: fail, release: fail, contests: fail, status: fail, map: fail };
  };

  it.each([
    ['that cannot be reached', new UnreachableError('the ledger could not be written'), 503, 'unavailable'],
    ['that has a fault', new Error('secret path /var/lib/tabherd'), 500, 'internal'],
  ])('asks to come back later from one %s', async (_what, error, status, code) => {
    const gateway = await createGateway({ keyserver: failing(error), version: '0.0.0' });
    const response = await gateway.inject({ method: 'POST', url: '/api/v1/exchange', payload: asking() });
    expect(response.statusCode).toBe(status);
    expect(response.json()).toMatchObject({ status, code });
    expect(response.body).not.toContain('secret');
    expect(response.headers['retry-after']).toBe(status === 503 ? '5' : undefined);
    expect((await gateway.inject('/')).body).toMatch(/the app was not built/);
    await gateway.close();
  });
});

/** Writes a body piece by piece until the other side answers; how much it took, and what it said. */
function sendSlowly(
  url: string,
  headers: Record<string, string>,
  body: Buffer,
): Promise<{ status: number | undefined; text: string; read: number }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${url}/api/v1/exchange`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
    });
    let sent = 0;
    let answered = false;
    const more = (): void => {
      if (answered || sent >= body.length) return;
      request.write(body.subarray(sent, (sent += 65_536)), () => setTimeout(more, 1));
    };
    request.on('response', (response) => {
      answered = true;
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => {
        request.destroy();
        resolve({ status: response.statusCode, text, read: sent });
      });
    });
    request.on('error', (error) => (answered ? undefined : reject(error)));
    more();
  });
}
