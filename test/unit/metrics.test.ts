/** `/metrics`, `/healthz`, `/readyz` and `/status` as a scraper, a load balancer and a browser meet them. */
import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import type { AddressInfo } from 'node:net';
import fastify, { type FastifyInstance } from 'fastify';
import { Value } from 'typebox/value';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { texts } from '../../src/app/texts.ts';
import { manifests } from '../../src/contests/manifests.ts';
import { Problem } from '../../src/protocol/errors.ts';
import type { Status } from '../../src/protocol/keyserver.ts';
import { healthPlugin } from '../../src/server/http/health.ts';
import { Metrics } from '../../src/server/http/metrics.ts';
import { metricsPlugin } from '../../src/server/http/metrics-plugin.ts';
import { renderStatusPage, statusPagePlugin } from '../../src/server/http/status-page.ts';
import { statusStyle } from '../../src/server/http/status-style.ts';
import { words } from '../../src/server/http/status-words.ts';
import type { PoolFigures } from '../../src/server/pools/pools.ts';
import type { TrustFigures } from '../../src/server/trust/trust.ts';
import { silent } from '../helpers/keyservers.ts';

const proxyStatus: Status = {
  role: 'proxy',
  version: '0.2.0',
  startedAt: 0,
  contests: [{ name: 'rc5-72', state: 'open', units: 1000, done: 10, leased: 40, hits: [] }],
  clients: { known: 7, lastHour: 3 },
  reports: { accepted: 1, duplicate: 0, refused: 0 },
  stock: [{ contest: 'rc5-72', free: 30, leased: 10, waiting: 5, low: 20, high: 60 }],
  upstreams: [
    { url: 'https://ann:secret@keys.example.org/path', state: 'reached' },
    { url: 'http://192.0.2.7:2064', state: 'unreachable' },
  ],
};

let app: FastifyInstance;
beforeEach(() => {
  app = fastify();
});
afterEach(() => app.close());

describe('/metrics', () => {
  let status: () => Promise<Status>;
  let trust: TrustFigures | undefined;
  let pools: PoolFigures | undefined;
  let metrics: Metrics;
  beforeEach(() => {
    status = () => Promise.resolve(proxyStatus);
    trust = undefined;
    pools = undefined;
    metrics = new Metrics({
      status: () => status(),
      trust: () => trust,
      pools: () => pools,
      log: silent,
      version: '0.2.0',
      processMetrics: false,
    });
    app.register(metricsPlugin, { metrics });
  });

  /** The samples of a scrape by name and labels, as they stand there. */
  async function scrape(): Promise<Record<string, number>> {
    const { statusCode, headers, body } = await app.inject('/metrics');
    expect(statusCode).toBe(200);
    expect(headers['content-type']).toContain('text/plain; version=0.0.4');
    const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return Object.fromEntries(
      lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
    );
  }

  test('what happened, by the methods that count it', async () => {
    metrics.reported('accepted');
    metrics.reported('accepted');
    metrics.reported('refused');
    metrics.leased('rc5-72', 256);
    metrics.leased('rc5-72', 4);
    metrics.credited('rc5-72', 256);
    metrics.committed(3, 0.004);
    expect(await scrape()).toMatchObject({
      'tabherd_reports_total{outcome="accepted"}': 2,
      'tabherd_reports_total{outcome="duplicate"}': 0,
      'tabherd_reports_total{outcome="refused"}': 1,
      'tabherd_leases_granted_total{contest="rc5-72"}': 2,
      'tabherd_units_leased_total{contest="rc5-72"}': 260,
      'tabherd_units_done_total{contest="rc5-72"}': 256,
      'tabherd_commit_size_bucket{le="2"}': 0,
      'tabherd_commit_size_bucket{le="4"}': 1,
      'tabherd_commit_duration_seconds_bucket{le="0.0025"}': 0,
      'tabherd_commit_duration_seconds_bucket{le="0.005"}': 1,
    });
  });

  test('what is, asked at each scrape; a name and password of an upstream are not told', async () => {
    const seen = await scrape();
    expect(seen).toMatchObject({
      'tabherd_build_info{version="0.2.0",role="proxy"}': 1,
      tabherd_status_up: 1,
      'tabherd_ledger_units{contest="rc5-72",state="free"}': 950,
      'tabherd_ledger_units{contest="rc5-72",state="leased"}': 40,
      'tabherd_ledger_units{contest="rc5-72",state="done"}': 10,
      'tabherd_clients{seen="last_hour"}': 3,
      'tabherd_stock_units{contest="rc5-72",state="free"}': 30,
      'tabherd_stock_watermark_units{contest="rc5-72",mark="high"}': 60,
      'tabherd_outbox_reports{contest="rc5-72"}': 5,
      'tabherd_upstream_up{upstream="https://keys.example.org"}': 1,
      'tabherd_upstream_up{upstream="http://192.0.2.7:2064"}': 0,
    });
    status = () => Promise.resolve({ ...proxyStatus, upstreams: [], stock: [] });
    const later = Object.keys(await scrape());
    expect(later.filter((name) => /upstream_up|stock|outbox/.test(name))).toEqual([]);
  });

  test('how checking goes at a keymaster; a proxy checks nothing', async () => {
    const ofTrust = /spot_check|again|cases|known_answers|second_runs|without_work/;
    expect(Object.entries(await scrape()).filter(([name]) => ofTrust.test(name))).toEqual([
      ['tabherd_spot_check_seconds_total', 0],
      ['tabherd_spot_checks_waiting', 0],
    ]);
    trust = { checksWaiting: 3, seconds: new Map([['rc5-72', { waiting: 7, known: 64 }]]), barred: 2, stopped: 1 };
    metrics.spotChecked('failed', 1.5);
    metrics.spotChecked('dropped', 0);
    metrics.doneAgain('known-answer', false);
    metrics.caught('spot-check');
    expect(await scrape()).toMatchObject({
      'tabherd_spot_checks_total{result="agreed"}': 0,
      'tabherd_spot_checks_total{result="failed"}': 1,
      'tabherd_spot_checks_total{result="dropped"}': 1,
      tabherd_spot_check_seconds_total: 1.5,
      tabherd_spot_checks_waiting: 3,
      'tabherd_blocks_done_again_total{how="second-run",result="agreed"}': 0,
      'tabherd_blocks_done_again_total{how="known-answer",result="contradicted"}': 1,
      'tabherd_second_runs_waiting{contest="rc5-72"}': 7,
      'tabherd_known_answers{contest="rc5-72"}': 64,
      'tabherd_cases_total{how="record"}': 0,
      'tabherd_cases_total{how="spot-check"}': 1,
      'tabherd_clients_without_work{why="barred"}': 2,
      'tabherd_clients_without_work{why="stopped"}': 1,
    });
  });

  test('tells of pools where it is in one, and of all that a registrar sees', async () => {
    pools = { load: 0.25, registrars: 3, elements: new Map([['eu', 8]]) };
    metrics.pooled('takeover');
    expect(await scrape()).toMatchObject({
      tabherd_pool_load: 0.25,
      tabherd_pool_registrars: 3,
      'tabherd_pool_elements{pool="eu"}': 8,
      'tabherd_pool_events_total{what="silent"}': 0,
      'tabherd_pool_events_total{what="takeover"}': 1,
    });
    pools = { load: 0.5, registrars: undefined, elements: new Map() };
    const seen = await scrape();
    expect(seen).toMatchObject({ tabherd_pool_load: 0.5, tabherd_pool_registrars: 0 });
    expect(Object.keys(seen).filter((name) => name.startsWith('tabherd_pool_elements'))).toEqual([]);
  });

  test('a status that fails takes its gauges away, and nothing else', async () => {
    await scrape();
    metrics.reported('accepted');
    status = () => Promise.reject(new Error('the ledger is gone'));
    const seen = await scrape();
    expect(seen).toMatchObject({ tabherd_status_up: 0, 'tabherd_reports_total{outcome="accepted"}': 1 });
    expect(Object.keys(seen).filter((name) => name.startsWith('tabherd_ledger'))).toEqual([]);
  });

  test('every name begins with tabherd_, the process included, and contests past the 64th are one', async () => {
    const all = new Metrics({ status, log: silent, version: '0.2.0' });
    for (let i = 0; i < 100; i++) all.leased(`contest-${i}`, 1);
    const { body } = await all.text();
    const names = [...body.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name ?? '');
    expect(names).toContain('tabherd_process_cpu_seconds_total');
    expect(names.filter((name) => !name.startsWith('tabherd_'))).toEqual([]);
    expect(body.match(/^tabherd_leases_granted_total\{/gm)).toHaveLength(65);
    expect(body).toContain('tabherd_leases_granted_total{contest="other"} 36');
  });

  test('requests by route and status: plain, missing, failed, streamed, hijacked', async () => {
    app.get('/units/:unit', () => 'one');
    app.get('/fails', () => Promise.reject(new Error('on purpose')));
    app.get('/hijacked', (_request, reply) => {
      reply.hijack();
      reply.raw.writeHead(206);
      reply.raw.write('first ');
      setImmediate(() => reply.raw.end('last'));
    });
    await app.inject('/units/1');
    await app.inject('/units/2?query');
    await app.inject('/nothing/1');
    await app.inject('/nothing/2');
    await app.inject('/fails');
    expect((await app.inject('/hijacked')).body).toBe('first last');
    expect(await scrape()).toMatchObject({
      'tabherd_http_requests_total{route="/units/:unit",status="200"}': 2,
      'tabherd_http_requests_total{route="none",status="404"}': 2,
      'tabherd_http_requests_total{route="/fails",status="500"}': 1,
      'tabherd_http_requests_total{route="/hijacked",status="206"}': 1,
      'tabherd_http_request_duration_seconds_count{route="/units/:unit"}': 2,
      'tabherd_http_request_duration_seconds_count{route="/hijacked"}': 1,
    });
  });

  test('a stream whose reader leaves is counted as aborted, with the time it took', async () => {
    const gone = new Promise<void>((resolve) => {
      app.get('/stream', (_request, reply) => {
        reply.hijack();
        reply.raw.writeHead(200);
        reply.raw.write('first');
        reply.raw.once('close', resolve);
      });
    });
    await app.listen({ port: 0, host: '127.0.0.1' });
    const { port } = app.server.address() as AddressInfo;
    const request = get({ port, host: '127.0.0.1', path: '/stream' }, (response) => {
      response.once('data', () => response.destroy());
    });
    request.on('error', () => {});
    await gone;
    const seen = await scrape();
    expect(seen['tabherd_http_requests_total{route="/stream",status="aborted"}']).toBe(1);
    expect(seen['tabherd_http_request_duration_seconds_sum{route="/stream"}']).toBeGreaterThan(0);
  });
});

describe('health', () => {
  let unready: () => Promise<readonly string[]>;
  beforeEach(() => {
    app.register(healthPlugin, { unready: () => unready() });
  });

  test('it lives whether or not it is ready; what is not ready is named in a problem document', async () => {
    unready = () => Promise.resolve([]);
    expect(await app.inject('/readyz')).toMatchObject({ statusCode: 200, body: 'ok\n' });
    unready = () => Promise.resolve(['the ledger', 'the upstream']);
    const refused = await app.inject('/readyz');
    expect(refused).toMatchObject({ statusCode: 503 });
    expect(refused.headers).toMatchObject({
      'cache-control': 'no-store',
      'content-type': 'application/problem+json; charset=utf-8',
    });
    expect(Value.Parse(Problem, refused.json())).toMatchObject({
      code: 'unavailable',
      detail: 'not ready: the ledger, the upstream',
    });
    expect(await app.inject('/healthz')).toMatchObject({ statusCode: 200, body: 'ok\n' });
  });

  test('a check that fails is not ready, and tells nothing of the inside', async () => {
    unready = () => Promise.reject(new Error('SQLITE_IOERR at /srv/secret'));
    const refused = await app.inject('/readyz');
    expect(refused.statusCode).toBe(503);
    expect(refused.body).not.toContain('secret');
  });
});

describe('/status', () => {
  const now = Date.UTC(2026, 10, 25, 12);

  test('a proxy: upstreams, stock, contests by their titles; still unless asked to refresh', async () => {
    const contests = manifests.map((manifest) => ({ manifest, state: proxyStatus.contests[0] ?? never() }));
    const keyserver = { status: () => Promise.resolve(proxyStatus), contests: () => Promise.resolve(contests) };
    app.register(statusPagePlugin, { keyserver, clock: () => now, pools: true });
    const page = await app.inject('/status');
    expect(page.headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
    expect(page.headers['refresh']).toBeUndefined();
    for (const text of ['<h1>Proxy</h1>', 'RC5-72: the open challenge', '10 of 1,000 units done', '30 of 60 units']) {
      expect(page.body).toContain(text);
    }
    expect(page.body).toContain('https://keys.example.org/path');
    expect(page.body).not.toContain('secret');
    expect(page.body).toContain('href="/pools"');
    expect((await app.inject('/status?refresh')).headers['refresh']).toBe('30');
  });

  test('nothing that clients, contests or upstreams say becomes part of the page', () => {
    const evil = `"'><script>alert(1)</script>&amp;`;
    const text = renderStatusPage({
      now,
      manifests: [],
      status: {
        ...proxyStatus,
        version: evil,
        contests: [
          {
            ...(proxyStatus.contests[0] ?? never()),
            name: evil,
            hits: [{ kind: 'rc5', unit: 0, key: '00', message: evil }],
          },
        ],
        stock: [{ contest: evil, free: 1, leased: 1, waiting: 1, low: 2, high: 3 }],
        upstreams: [{ url: evil, state: 'unreachable', error: evil }],
        errors: [{ at: now, text: evil }],
      },
    });
    expect(text).not.toContain('<script');
    expect(text.match(/alert\(1\)/g)?.length).toBeGreaterThanOrEqual(8);
    // A tag is a name and attributes in double quotes, and nothing else.
    const tags = text.replace(/<style>.*<\/style>/s, '').match(/<[^>]*>/g) ?? [];
    expect(
      tags.filter((tag) => !/^<(!doctype html|\/?[a-z][a-z0-9]*(\s+[a-zA-Z0-9-]+="[^"<>]*")*\s*\/?)>$/.test(tag)),
    ).toEqual([]);
  });

  test('colours and words are those of the PWA', () => {
    const tokens = readFileSync('src/app/tokens.css', 'utf8');
    const colours = (css: string) =>
      new Set(
        Array.from(css.matchAll(/--([a-z-]+):\s*light-dark\((#\w{6}),\s*(#\w{6})\)/g), (found) =>
          found.slice(1).join(' '),
        ),
      );
    expect([...colours(statusStyle)].filter((colour) => !colours(tokens).has(colour))).toEqual([]);
    expect(colours(statusStyle).size).toBe(10);
    const state = { ...(proxyStatus.contests[0] ?? never()), units: 2 ** 44, done: 123_456_789 };
    expect(words.done(state)).toBe(texts.done(state.done, state.units));
    expect(words.enough(state)).toBe(texts.enough(state.done, state.units));
    expect(words.leased(1)).toBe(texts.leased(1));
    expect(words.open).toBe(texts.open);
    expect(words.closedBy).toEqual({
      hit: texts.closedByHit,
      exhausted: texts.closedExhausted,
      operator: texts.closedByOperator,
    });
    expect(words.lastAnswered(5_400_000)).toBe(texts.gateway.lastReached(5400));
  });
});

function never(): never {
  throw new Error('the status of the test has a contest');
}
