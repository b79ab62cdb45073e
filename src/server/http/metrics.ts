/**
 * What a keyserver can tell Prometheus: every metric begins with `tabherd_`, in base units, as its naming rules ask.
 *
 * What happens is counted when it happens, by the plain methods here; what *is* (the ledger, a proxy's stock, its
 * upstreams) is asked of `status` at each scrape, once for all gauges. Labels have few values: routes are those
 * registered, contests and upstreams those configured, and no more than 64. No metric knows of a client.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ReportResult, Status } from '../../protocol/keyserver.ts';
import { PoolEvent } from '../../protocol/pools.ts';
import type { Log } from '../log.ts';
import type { PoolFigures } from '../pools/pools.ts';
import type { SpotResult } from '../trust/checks.ts';
import type { How } from '../trust/conduct.ts';
import type { TrustFigures } from '../trust/trust.ts';
import { LabelBound } from './label-bound.ts';

export interface MetricsOptions {
  /** Asked at every scrape. */
  status: () => Promise<Status>;
  /** Asked with it; undefined: nobody is checked here. */
  trust?: () => TrustFigures | undefined;
  /** Likewise; undefined: this keyserver has to do with no pool. */
  pools?: () => PoolFigures | undefined;
  log: Log;
  version: string;
  /** Of this process: processor, memory, event loop. Yes unless told. */
  processMetrics?: boolean | undefined;
}

/** Seconds: an exchange takes milliseconds, a long wait is a stream. */
const DURATIONS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];
const MOST_LABELS = 64;

interface RouteMetrics {
  readonly duration: Histogram.Internal<'route'>;
  /** By status. */
  readonly requests: Map<string, Counter.Internal>;
}

export class Metrics {
  readonly registry = new Registry();
  readonly #status: () => Promise<Status>;
  readonly #trust: () => TrustFigures | undefined;
  readonly #pools: () => PoolFigures | undefined;
  readonly #log: Log;
  readonly #version: string;
  readonly #contests = new LabelBound(MOST_LABELS);
  readonly #upstreams = new LabelBound(MOST_LABELS);
  readonly #handles = new LabelBound(MOST_LABELS);
  readonly #routes = new Map<string, RouteMetrics>();

  readonly #requests = this.#counter(
    'http_requests_total',
    'Requests answered, or left before the answer ended: status "aborted".',
    ['route', 'status'],
  );
  readonly #durations = this.#histogram(
    'http_request_duration_seconds',
    'From the request to the last byte of its answer.',
    DURATIONS,
    ['route'],
  );
  readonly #reports = this.#counter('reports_total', 'Reports by what became of them.', ['outcome']);
  readonly #leases = this.#counter('leases_granted_total', 'Blocks handed out.', ['contest']);
  readonly #leasedUnits = this.#counter('units_leased_total', 'Units in blocks handed out.', ['contest']);
  readonly #doneUnits = this.#counter('units_done_total', 'Units credited.', ['contest']);
  readonly #commitSize = this.#histogram(
    'commit_size',
    'Pieces of work in one commit.',
    [1, 2, 4, 8, 16, 32, 64, 128, 256],
  );
  readonly #commitDuration = this.#histogram('commit_duration_seconds', 'From a commit to its fsync.', DURATIONS);
  readonly #checks = this.#counter('spot_checks_total', 'Spot checks by what became of them.', ['result']);
  readonly #checkSeconds = this.#counter('spot_check_seconds_total', 'Time that spot checks took.');
  readonly #again = this.#counter('blocks_done_again_total', 'Blocks done again by somebody else.', ['how', 'result']);
  readonly #cases = this.#counter('cases_total', 'Clients that were caught, by what.', ['how']);

  readonly #info = this.#gauge('build_info', 'Always 1; its labels tell.', ['version', 'role']);
  readonly #statusUp = this.#gauge('status_up', '1 if the gauges below could be read at this scrape.');
  readonly #ledger = this.#gauge('ledger_units', 'Units by state.', ['contest', 'state']);
  readonly #open = this.#gauge('contest_open', '1 while the contest has not closed.', ['contest']);
  readonly #hits = this.#gauge('contest_hits', 'Verified answers.', ['contest']);
  readonly #clients = this.#gauge('clients', 'Clients that were ever seen, and in the last hour.', ['seen']);
  readonly #stock = this.#gauge('stock_units', "Units in a proxy's hand.", ['contest', 'state']);
  readonly #watermark = this.#gauge('stock_watermark_units', 'Under low a proxy asks, up to high.', [
    'contest',
    'mark',
  ]);
  readonly #outbox = this.#gauge('outbox_reports', 'Reports that wait for the upstream.', ['contest']);
  readonly #upstream = this.#gauge('upstream_up', '1 if it answered when last asked.', ['upstream']);

  readonly #checksWaiting = this.#gauge('spot_checks_waiting', 'Parts of reports that are to be done again here.');
  readonly #secondsWaiting = this.#gauge('second_runs_waiting', 'Blocks that somebody else is to do again.', [
    'contest',
  ]);
  readonly #answers = this.#gauge('known_answers', 'Blocks on which two agreed.', ['contest']);
  readonly #workless = this.#gauge('clients_without_work', 'Clients of late that get test blocks only, or nothing.', [
    'why',
  ]);

  readonly #load = this.#gauge('pool_load', 'How busy this gateway says it is in its pool, 0 to 1.');
  readonly #elements = this.#gauge('pool_elements', 'Gateways in a pool, as this registrar knows it.', ['pool']);
  readonly #registrars = this.#gauge('pool_registrars', 'Registrars that this one knows, itself included.');
  readonly #poolEvents = this.#counter('pool_events_total', 'What this registrar saw happen in pools.', ['what']);

  constructor({
    status,
    trust = () => undefined,
    pools = () => undefined,
    log,
    version,
    processMetrics = true,
  }: MetricsOptions) {
    this.#status = status;
    this.#trust = trust;
    this.#pools = pools;
    this.#log = log;
    this.#version = version;
    if (processMetrics) collectDefaultMetrics({ register: this.registry, prefix: PREFIX });
    // So that a rate can be taken from the first one on.
    for (const outcome of ['accepted', 'duplicate', 'refused']) this.#reports.inc({ outcome }, 0);
  }

  /** `status`: of HTTP, or `aborted`. */
  requested(route: string, status: string, seconds: number): void {
    let metrics = this.#routes.get(route);
    if (metrics === undefined) {
      metrics = { duration: this.#durations.labels(route), requests: new Map() };
      this.#routes.set(route, metrics);
    }
    let requests = metrics.requests.get(status);
    if (requests === undefined) {
      requests = this.#requests.labels(route, status);
      metrics.requests.set(status, requests);
    }
    requests.inc();
    metrics.duration.observe(seconds);
  }

  reported(outcome: ReportResult['outcome']): void {
    this.#reports.labels(outcome).inc();
  }

  /** A block of so many units was handed out. */
  leased(contest: string, units: number): void {
    const label = this.#contests.of(contest);
    this.#leases.labels(label).inc();
    this.#leasedUnits.labels(label).inc(units);
  }

  /** So many units were credited. */
  credited(contest: string, units: number): void {
    this.#doneUnits.labels(this.#contests.of(contest)).inc(units);
  }

  /** `size` pieces of work went to the disk together. */
  committed(size: number, seconds: number): void {
    this.#commitSize.observe(size);
    this.#commitDuration.observe(seconds);
  }

  spotChecked(result: SpotResult, seconds: number): void {
    this.#checks.inc({ result });
    this.#checkSeconds.inc(seconds);
  }

  doneAgain(how: 'known-answer' | 'second-run', agreed: boolean): void {
    this.#again.inc({ how, result: agreed ? 'agreed' : 'contradicted' });
  }

  caught(how: How): void {
    this.#cases.inc({ how });
  }

  /** Something happened in a pool, such as `left`. */
  pooled(what: PoolEvent['what']): void {
    this.#poolEvents.inc({ what });
  }

  /** The answer to a scrape. Without `status` it is the counters alone. */
  async text(): Promise<{ contentType: string; body: string }> {
    const gauges = [this.#info, this.#ledger, this.#open, this.#hits, this.#clients];
    const proxyGauges = [this.#stock, this.#watermark, this.#outbox, this.#upstream];
    const trustGauges = [this.#checksWaiting, this.#secondsWaiting, this.#answers, this.#workless];
    let status: Status | undefined;
    try {
      status = await this.#status();
    } catch (err) {
      this.#log.warn({ err }, 'the status could not be read for a scrape');
    }
    // What is no longer told of must not stand there for ever. From here to the body nothing waits for others' scrapes.
    const poolGauges = [this.#load, this.#elements, this.#registrars];
    for (const gauge of [...gauges, ...proxyGauges, ...trustGauges, ...poolGauges]) gauge.reset();
    this.#statusUp.set(status === undefined ? 0 : 1);
    if (status !== undefined) this.#set(status);
    const trust = this.#trust();
    if (trust !== undefined) this.#setTrust(trust);
    const pools = this.#pools();
    if (pools !== undefined) this.#setPools(pools);
    return { contentType: this.registry.contentType, body: await this.registry.metrics() };
  }

  #set({ role = 'keymaster', contests, clients, stock = [], upstreams = [] }: Status): void {
    this.#info.set({ version: this.#version, role }, 1);
    for (const { name, units, done, leased, state, hits } of contests) {
      const contest = this.#contests.of(name);
      this.#ledger.set({ contest, state: 'free' }, units - done - leased);
      this.#ledger.set({ contest, state: 'leased' }, leased);
      this.#ledger.set({ contest, state: 'done' }, done);
      this.#open.set({ contest }, state === 'open' ? 1 : 0);
      this.#hits.set({ contest }, hits.length);
    }
    this.#clients.set({ seen: 'ever' }, clients.known);
    this.#clients.set({ seen: 'last_hour' }, clients.lastHour);
    for (const { contest: name, free, leased, waiting, low, high } of stock) {
      const contest = this.#contests.of(name);
      this.#stock.set({ contest, state: 'free' }, free);
      this.#stock.set({ contest, state: 'leased' }, leased);
      this.#watermark.set({ contest, mark: 'low' }, low);
      this.#watermark.set({ contest, mark: 'high' }, high);
      this.#outbox.set({ contest }, waiting);
    }
    for (const { url, state } of upstreams) {
      this.#upstream.set({ upstream: this.#upstreams.of(placeOf(url)) }, state === 'reached' ? 1 : 0);
    }
  }

  #setTrust({ checksWaiting, seconds, barred, stopped }: TrustFigures): void {
    // So that a rate can be taken from the first one on.
    for (const result of SPOT_RESULTS) this.#checks.inc({ result }, 0);
    for (const how of HOWS) this.#cases.inc({ how }, 0);
    for (const how of ['second-run', 'known-answer'] as const) {
      for (const result of ['agreed', 'contradicted']) this.#again.inc({ how, result }, 0);
    }
    this.#checksWaiting.set(checksWaiting);
    for (const [name, { waiting, known }] of seconds) {
      const contest = this.#contests.of(name);
      this.#secondsWaiting.set({ contest }, waiting);
      this.#answers.set({ contest }, known);
    }
    this.#workless.set({ why: 'barred' }, barred);
    this.#workless.set({ why: 'stopped' }, stopped);
  }

  #setPools({ load, registrars, elements }: PoolFigures): void {
    if (load !== undefined) this.#load.set(load);
    if (registrars === undefined) return;
    for (const { const: what } of PoolEvent.properties.what.anyOf) this.#poolEvents.inc({ what }, 0);
    this.#registrars.set(registrars);
    for (const [handle, count] of elements) this.#elements.set({ pool: this.#handles.of(handle) }, count);
  }

  #counter<T extends string>(name: string, help: string, labelNames: T[] = []): Counter<T> {
    return new Counter({ name: PREFIX + name, help, labelNames, registers: [this.registry] });
  }

  #gauge<T extends string>(name: string, help: string, labelNames: T[] = []): Gauge<T> {
    return new Gauge({ name: PREFIX + name, help, labelNames, registers: [this.registry] });
  }

  #histogram<T extends string>(name: string, help: string, buckets: number[], labelNames: T[] = []): Histogram<T> {
    return new Histogram({ name: PREFIX + name, help, buckets, labelNames, registers: [this.registry] });
  }
}

const PREFIX = 'tabherd_';
const SPOT_RESULTS: readonly SpotResult[] = ['agreed', 'failed', 'undecided', 'broken', 'dropped'];
const HOWS: readonly How[] = ['evidence', 'spot-check', 'known-answer', 'second-run', 'record'];

/** An address without the name and password that may be in it. */
function placeOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : 'unknown';
}
