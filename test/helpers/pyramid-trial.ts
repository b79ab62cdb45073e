/**
 * One trial of the pyramid: clients, clocks, links and crashes in random order over keymaster ← upper ← lower and
 * keymaster ← other. Nothing is predicted of who gets what; what is checked after every step, and at the end, are the
 * promises:
 *
 *   every unit is credited at most once, to somebody who truly did it
 *   true work with its proof is refused by nobody, however late and wherever it comes
 *   whatever any tier acknowledged is done at the keymaster in the end, and no report leaves an out-buffer before
 *   a lease's proof is true from its first day
 *   no unit is lost: honest work ends every contest, and nothing else does
 */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { randomOf } from '../../src/cli/bench/random.ts';
import type { ClientInfo } from '../../src/domain/client.ts';
import { endOf } from '../../src/domain/units.ts';
import type { Lease, Report } from '../../src/domain/work.ts';
import { RefusedError, UnreachableError } from '../../src/protocol/errors.ts';
import type { ExchangeReply, ExchangeRequest } from '../../src/protocol/keyserver.ts';
import { checkProof } from '../../src/server/proof/chain.ts';
import type { ProxySettings } from '../../src/server/proxy/proxy.ts';
import type { ContestRow, OutboxRow, RunRow } from '../../src/server/store/schema.ts';
import type { Store } from '../../src/server/store/store.ts';
import { type Asking, asking, client, START } from './keyservers.ts';
import { Link, Pyramid, type TestProxy } from './pyramid.ts';
import { falseReport, testManifest, trueReport } from './test-contest.ts';

const WINNERS = [7, 19];
const MANIFESTS = [
  testManifest({ name: 'a', units: 23, maxUnits: 5, maxLeases: 4, leaseSeconds: 60, recycleSeconds: 31 }),
  testManifest({ name: 'b', units: 40, maxUnits: 3, maxLeases: 3, leaseSeconds: 90, closes: 'hit', winners: WINNERS }),
  testManifest({
    name: 'c',
    units: 120,
    maxUnits: 8,
    leaseSeconds: 3600,
    recycleSeconds: 600,
    allocation: { kind: 'random', subspaceUnits: 32 },
  }),
];

const stockOf = (min: number, max: number): ProxySettings => ({
  minStock: Object.fromEntries(MANIFESTS.map(({ name }) => [name, min])),
  maxStock: Object.fromEntries(MANIFESTS.map(({ name }) => [name, max])),
});

const CONTESTS = MANIFESTS.map(({ name }) => name);

const TIERS = ['top', 'upper', 'lower', 'other'] as const;
type Tier = (typeof TIERS)[number];
const PROXIES = ['upper', 'lower', 'other'] as const;

const someTier = fc.constantFrom<Tier>('top', 'upper', 'lower', 'lower', 'other');
const someProxy = fc.constantFrom<(typeof PROXIES)[number]>(...PROXIES);
/** The last one speaks the protocol before proofs. */
const someClient = fc.nat({ max: 3 });
/** Which of the leases given so far, newest first, so that shrinking keeps it meaningful. */
const someLease = fc.nat({ max: 7 });
const someWeather = fc.constantFrom(
  'fair' as const,
  'fair' as const,
  'fair' as const,
  'cut' as const,
  'answer-lost' as const,
);
const someExchange = fc.record({
  at: someTier,
  client: someClient,
  /** Usually the client reports its own leases; sometimes anyone's. */
  honest: fc.constantFrom(true, true, true, false),
  reports: fc.array(
    fc.record({
      lease: someLease,
      manner: fc.constantFrom(
        'true',
        'true',
        'true',
        'true',
        'winning',
        'false',
        'shifted',
        'short',
        'bare',
        'cut-proof',
      ),
    }),
    { maxLength: 4 },
  ),
  blocks: fc.nat({ max: 5 }),
  units: fc.integer({ min: 1, max: 9 }),
  contests: fc.shuffledSubarray(CONTESTS),
  holding: fc.boolean(),
  weather: someWeather,
});
type SomeExchange = typeof someExchange extends fc.Arbitrary<infer T> ? T : never;

const step = <T extends string, F>(kind: T, fields: { [K in keyof F]: fc.Arbitrary<F[K]> }) =>
  fc.record(fields).map((values) => ({ do: kind, ...(values as F) }));
export const someStep = fc.oneof(
  { weight: 20, arbitrary: step('exchange', { one: someExchange }) },
  // All at once, beside a conversation, while the store of one of them may fail.
  {
    weight: 4,
    arbitrary: step('crowd', {
      all: fc.array(someExchange, { minLength: 2, maxLength: 4 }),
      talking: someProxy,
      failing: fc.record({ at: someProxy, times: fc.nat({ max: 2 }) }),
    }),
  },
  { weight: 3, arbitrary: step('release', { at: someTier, client: someClient, lease: someLease }) },
  {
    weight: 5,
    arbitrary: step('wait', {
      seconds: fc.constantFrom(1, 31, 60, 61, 95, 271, 601, 3600, 90_000, 1_300_000, -1, -61, -7200, -700_000),
    }),
  },
  {
    weight: 3,
    arbitrary: step('skew', { at: someTier, seconds: fc.constantFrom(0, 0, 61, -61, 280, -280, 7200, -7200) }),
  },
  { weight: 4, arbitrary: step('sweep', { at: someTier }) },
  { weight: 3, arbitrary: step('tick', { at: someProxy }) },
  { weight: 4, arbitrary: step('talk', { at: someProxy }) },
  { weight: 2, arbitrary: step('kill', { at: someTier }) },
  { weight: 2, arbitrary: step('stop', { at: someProxy, keepStock: fc.boolean() }) },
  { weight: 3, arbitrary: step('weather', { at: someProxy, weather: someWeather }) },
);
type Step = typeof someStep extends fc.Arbitrary<infer T> ? T : never;

export const someTrial = fc.record({
  steps: fc.array(someStep, { minLength: 1, maxLength: 30 }),
  /** Where the honest work at the end is done. */
  end: someTier,
  seed: fc.nat(),
  stock: fc.constantFrom({}, stockOf(4, 9), stockOf(500, 1000)),
  reportBatch: fc.constantFrom(1, 3, 256),
});
export type Trial = typeof someTrial extends fc.Arbitrary<infer T> ? T : never;

interface Given {
  lease: Lease;
  client: number;
}

export class PyramidTrial {
  readonly #trial: Trial;
  readonly #pyramid: Pyramid;
  readonly #links: Record<Tier, Link>;
  readonly #given: Given[] = [];
  /** The latest the clock ever was: leases given then last from then. */
  #latest = START;
  /** Who handed in true work, by contest and unit. */
  readonly #workers = new Map<string, Set<string>>();
  /** Units that some tier said are done, by contest. */
  readonly #acknowledged = new Map<string, Set<number>>(CONTESTS.map((name) => [name, new Set()]));
  readonly #outboxes = new Map<Tier, Map<string, OutboxRow>>(PROXIES.map((tier) => [tier, new Map()]));

  constructor(trial: Trial) {
    this.#trial = trial;
    const { stock, reportBatch, seed } = trial;
    this.#pyramid = new Pyramid(MANIFESTS, { ...stock, reportBatch }, randomOf(seed));
    const { upper, lower, other } = this.#pyramid;
    this.#links = {
      top: new Link(() => this.#pyramid.running?.keymaster),
      upper: new Link(() => upper.running),
      lower: new Link(() => lower.running),
      other: new Link(() => other.running),
    };
  }

  async run(): Promise<void> {
    try {
      await this.#startAll();
      for (const one of this.#trial.steps) {
        await this.#step(one);
        await this.#startAll();
        await this.#check();
        if (one.do === 'sweep') await this.#checkCredits();
      }
      await this.#end();
    } finally {
      await this.#pyramid.close();
    }
  }

  async #step(one: Step): Promise<void> {
    const { clock, skews } = this.#pyramid;
    switch (one.do) {
      case 'exchange':
        await this.#exchange(one.one);
        break;
      case 'crowd': {
        const { store } = this.#proxy(one.failing.at);
        if (store !== undefined) store.failing = one.failing.times;
        const talk = this.#proxy(one.talking).running?.talk();
        await Promise.all([...one.all.map((exchange) => this.#exchange(exchange)), talk]);
        if (store !== undefined) store.failing = 0;
        break;
      }
      case 'release': {
        const lease = this.#given.at(-1 - one.lease)?.lease;
        if (lease === undefined) break;
        await this.#links[one.at].release({ client: who(one.client), leases: [lease.id] }).catch(ifUnreachable);
        break;
      }
      case 'wait':
        clock.now += one.seconds * 1000;
        this.#noteTime();
        break;
      case 'skew':
        skews[one.at] = one.seconds * 1000;
        this.#noteTime();
        break;
      case 'sweep':
        await (one.at === 'top' ? this.#pyramid.running?.keymaster : this.#proxy(one.at).running)?.sweep();
        break;
      case 'tick':
        await this.#proxy(one.at).running?.tick();
        break;
      case 'talk':
        await this.#proxy(one.at).running?.talk();
        break;
      case 'kill':
        await (one.at === 'top' ? this.#pyramid.killTop() : this.#proxy(one.at).kill());
        break;
      case 'stop':
        await this.#proxy(one.at).stop({ keepStock: one.keepStock });
        break;
      case 'weather':
        this.#proxy(one.at).link.weather = one.weather;
        break;
    }
  }

  #noteTime(): void {
    const { clock, skews } = this.#pyramid;
    this.#latest = Math.max(this.#latest, clock.now + Math.max(...Object.values(skews)));
  }

  async #exchange(one: SomeExchange): Promise<void> {
    const own = one.honest ? this.#given.filter((given) => given.client === one.client) : this.#given;
    const reports = one.reports.flatMap(({ lease, manner }) => {
      const given = own.at(-1 - lease);
      if (given === undefined) return [];
      const report = reportOf(given.lease, manner);
      const mayCount = given.client === one.client && ['true', 'winning', 'bare'].includes(manner);
      return [{ report, mayCount }];
    });
    for (const { report, mayCount } of reports) if (mayCount) this.#worked(report, who(one.client));
    const link = this.#links[one.at];
    link.weather = one.weather;
    const { blocks, units, contests } = one;
    const holding = this.#given.filter((given) => given.client === one.client).map(({ lease }) => lease.id);
    const ask = { reports: reports.map(({ report }) => report), blocks, units, contests };
    const request = this.#request(one.client, one.holding ? { ...ask, holding } : ask);
    const reply = await link.exchange(request).catch(ifUnreachable);
    if (reply === undefined) return;
    this.#note(reply, one.client, reports);
  }

  #request(n: number, ask: Asking): ExchangeRequest {
    const { protocols, ...plain } = asking({ ...ask, client: who(n) });
    return n === 3 || protocols === undefined ? plain : { ...plain, protocols };
  }

  #note(reply: ExchangeReply, n: number, reports: readonly { report: Report; mayCount: boolean }[]): void {
    assert.equal(reply.results.length, reports.length);
    for (const [i, { report, mayCount }] of reports.entries()) {
      const result = reply.results[i];
      assert(result !== undefined);
      const what = `${report.contest}/${report.first}+${report.evidence.length}: ${JSON.stringify(result)}`;
      if (!mayCount) assert.notEqual(result.outcome, 'accepted', `false work: ${what}`);
      else if (report.proof !== undefined) assert.notEqual(result.outcome, 'refused', `true work: ${what}`);
      if (result.outcome === 'refused') continue;
      for (const unit of unitsOf(report)) this.#acknowledged.get(report.contest)?.add(unit);
    }
    for (const lease of reply.leases) {
      assert.equal(lease.proof === undefined, n === 3);
      const proof = n === 3 ? undefined : checkProof(lease.proof ?? '', { isTrusted: () => true });
      assert(proof?.ok !== false, `given with a false proof: ${JSON.stringify({ lease, proof })}`);
      this.#given.push({ lease, client: n });
    }
  }

  #worked(report: Report, { id }: ClientInfo): void {
    for (const unit of unitsOf(report)) {
      const key = `${report.contest} ${unit}`;
      this.#workers.set(key, (this.#workers.get(key) ?? new Set()).add(id));
    }
  }

  #proxy(tier: Tier): TestProxy {
    assert(tier !== 'top');
    return this.#pyramid[tier];
  }

  async #startAll(): Promise<void> {
    await this.#pyramid.top();
    for (const tier of PROXIES) await this.#proxy(tier).start();
  }

  // What holds at every moment

  async #check(): Promise<void> {
    const { store } = await this.#pyramid.top();
    const { runs, rows } = await linesOf(store);
    for (const { name, units, done, closedBy } of rows.map(stateOf)) {
      let past = 0;
      for (const run of runs.get(name) ?? []) {
        assert.equal(run.first, past, `a gap in ${name}`);
        past = run.past;
      }
      assert.equal(past, units, `the end of ${name}`);
      if (closedBy !== 'hit') assert.equal(closedBy === 'exhausted', done === units, `${name} closed by ${closedBy}`);
    }
    const hits = await store.read((ledger) => ledger.hits());
    const b = rows.find(({ name }) => name === 'b');
    assert.equal(b?.closed_by === 'hit', hits.length > 0);
    const top = doneIn(runs);
    const upper = doneIn((await linesOf(defined(this.#pyramid.upper.store))).runs);
    for (const tier of PROXIES) await this.#checkProxy(tier, tier === 'lower' ? [top, upper] : [top]);
  }

  async #checkCredits(): Promise<void> {
    const { keymaster, store } = await this.#pyramid.top();
    await keymaster.desk.counting.count();
    const credits = await store.read((ledger) => ledger.counting.credits());
    const { runs, rows } = await linesOf(store);
    for (const { name, done } of rows) {
      const some = credits.filter(({ contest }) => contest === name);
      const sum = some.reduce((all, { units }) => all + units, 0);
      assert.equal(sum, done, `units credited of ${name}`);
      const least = new Map<string, number>();
      const most = new Map<string, number>();
      for (const unit of doneIn(runs).get(name) ?? []) {
        const workers = this.#workers.get(`${name} ${unit}`) ?? new Set();
        for (const id of workers) most.set(id, (most.get(id) ?? 0) + 1);
        const [only] = workers;
        assert(only !== undefined, `${name}/${unit} is done, and nobody did it`);
        if (workers.size === 1) least.set(only, (least.get(only) ?? 0) + 1);
      }
      for (const { client: id, units } of some) {
        assert(units <= (most.get(id) ?? 0), `${id} is credited ${units} of ${name}, and did ${most.get(id)}`);
      }
      for (const [id, units] of least) {
        const credited = some.find((credit) => credit.client === id)?.units ?? 0;
        assert(credited >= units, `${id} is credited ${credited} of ${name}, and did at least ${units}`);
      }
    }
  }

  async #checkProxy(tier: Tier, above: readonly ReadonlyMap<string, ReadonlySet<number>>[]): Promise<void> {
    const { store } = this.#proxy(tier);
    if (store === undefined) return;
    const { runs } = await linesOf(store);
    const leases = await store.read((ledger) => ledger.upstream.upstreamLeases());
    for (const name of CONTESTS) {
      const some = leases.filter(({ contest }) => contest === name);
      for (const [i, lease] of some.entries()) {
        assert(lease.first >= (some[i - 1]?.past ?? 0), `${tier} holds a unit of ${name} twice`);
      }
      for (const run of runs.get(name) ?? []) {
        if (run.state !== 'free') continue;
        let unit = run.first;
        for (const lease of some) if (lease.first <= unit) unit = Math.max(unit, lease.past);
        assert(unit >= run.past, `${tier} has ${name}/${unit} in stock under no lease`);
      }
    }
    const before = this.#outboxes.get(tier) ?? new Map<string, OutboxRow>();
    const rows = await outboxOf(store);
    const reports = rows.map(({ body }) => JSON.parse(body) as Report);
    const texts = reports.map(
      ({ contest, first, evidence, client: by }) => `${contest} ${first} ${evidence.length} ${by?.id}`,
    );
    assert.equal(new Set(texts).size, texts.length, `a report is twice in the out-buffer of ${tier}`);
    const now = new Map(rows.map((row) => [row.id, row]));
    for (const [id, { body }] of before) {
      if (now.has(id)) continue;
      const report = JSON.parse(body) as Report;
      for (const unit of unitsOf(report)) {
        const isDone = above.some((done) => done.get(report.contest)?.has(unit));
        assert(isDone, `${report.contest}/${unit} left the out-buffer of ${tier}, and is done nowhere above`);
      }
    }
    this.#outboxes.set(tier, now);
  }

  // What must be true in the end

  async #end(): Promise<void> {
    for (const tier of TIERS) this.#links[tier].weather = 'fair';
    for (const tier of PROXIES) this.#proxy(tier).link.weather = 'fair';
    for (const tier of TIERS) this.#pyramid.skews[tier] = 0;
    this.#pyramid.clock.now = Math.max(this.#latest, this.#pyramid.clock.now);
    for (let round = 0; round < 5; round++) await this.#settle(86_400);
    for (const tier of PROXIES) {
      assert.deepEqual(await outboxOf(defined(this.#proxy(tier).store)), [], tier);
    }
    await this.#check();
    await this.#checkCredits();
    const { store, keymaster } = await this.#pyramid.top();
    const done = doneIn((await linesOf(store)).runs);
    for (const [contest, units] of this.#acknowledged) {
      for (const unit of units) assert(done.get(contest)?.has(unit), `${contest}/${unit} was acknowledged and is lost`);
    }
    const at = this.#links[this.#trial.end];
    const isOver = async (): Promise<boolean> =>
      (await store.read((ledger) => ledger.contests())).every((row) => row.closed_by !== null);
    let reports: Report[] = [];
    for (let round = 0; round < 120 && !(await isOver()); round++) {
      for (const report of reports) this.#worked(report, client(9));
      const reply = await at.exchange(asking({ client: client(9), reports, blocks: 16, contests: CONTESTS }));
      const sent = reports.map((report) => ({ report, mayCount: true }));
      this.#note(reply, 9, sent);
      reports = reply.leases.map((lease) => trueReport(lease, lease.contest === 'b' ? WINNERS : []));
      if (reply.leases.length === 0) await this.#settle(700);
    }
    const { contests } = await keymaster.status();
    assert.deepEqual(
      contests.map(({ name, state }) => ({ name, state })),
      CONTESTS.map((name) => ({ name, state: 'closed' })),
      JSON.stringify(contests),
    );
    for (let round = 0; round < 3; round++) await this.#settle(86_400);
    await this.#check();
    await this.#checkCredits();
    for (const { name, done: units, closedBy } of (await keymaster.status()).contests) {
      assert.equal(units === defined(MANIFESTS.find((one) => one.name === name)).units || closedBy === 'hit', true);
    }
  }

  /** Time goes by, and everyone who has something to say says it. */
  async #settle(seconds: number): Promise<void> {
    this.#pyramid.clock.now += seconds * 1000;
    for (const tier of ['lower', 'upper', 'other'] as const) await this.#proxy(tier).running?.sweep();
    for (const tier of ['lower', 'upper', 'other'] as const) await this.#proxy(tier).running?.tick();
    await (await this.#pyramid.top()).keymaster.sweep();
  }
}

const who = (n: number): ClientInfo => client(n + 1);

function reportOf(lease: Lease, manner: string): Report {
  if (manner === 'winning') return trueReport(lease, lease.contest === 'b' ? WINNERS : []);
  if (manner === 'false') return falseReport(lease);
  if (manner === 'shifted') return { ...trueReport(lease), first: lease.first + 1 };
  if (manner === 'short')
    return lease.count > 1 ? trueReport({ ...lease, count: lease.count - 1 }) : falseReport(lease);
  const { proof = '', ...bare } = lease;
  if (manner === 'bare') return trueReport(bare);
  // The lease of the tier above, which is in every proof.
  if (manner === 'cut-proof' && proof.includes('~')) {
    const links = proof.split('~').slice(0, -1);
    const claims = Buffer.from(links.at(-1)?.split('.')[1] ?? '', 'base64url').toString();
    return { ...trueReport(lease), lease: (JSON.parse(claims) as { jti: string }).jti, proof: links.join('~') };
  }
  return manner === 'cut-proof' ? falseReport(lease) : trueReport(lease);
}

const unitsOf = ({ first, evidence }: Report): number[] => evidence.map((_, i) => first + i);

const outboxOf = (store: Store): Promise<OutboxRow[]> =>
  store.read(async ({ upstream }) => upstream.outboxRows((await upstream.nextInOutbox(10_000)).map(({ id }) => id)));

async function linesOf(store: Store): Promise<{ rows: ContestRow[]; runs: Map<string, RunRow[]> }> {
  const rows = await store.read((ledger) => ledger.contests());
  const runs = new Map<string, RunRow[]>();
  for (const { name, done, leased } of rows) {
    const some = await store.read((ledger) => ledger.runs(name));
    let past = 0;
    for (const run of some) {
      assert(run.first >= past && run.past > run.first, `runs of ${name} overlap`);
      past = run.past;
    }
    const sum = (state: RunRow['state']) =>
      some.reduce((all, run) => all + (run.state === state ? run.past - run.first : 0), 0);
    assert.deepEqual({ done, leased }, { done: sum('done'), leased: sum('leased') }, `the counts of ${name}`);
    runs.set(name, some);
  }
  return { rows, runs };
}

function doneIn(runs: ReadonlyMap<string, readonly RunRow[]>): Map<string, Set<number>> {
  const done = new Map<string, Set<number>>();
  for (const [name, some] of runs) {
    const units = new Set<number>();
    for (const run of some) {
      if (run.state !== 'done') continue;
      for (let unit = run.first; unit < endOf({ first: run.first, count: run.past - run.first }); unit++)
        units.add(unit);
    }
    done.set(name, units);
  }
  return done;
}

const stateOf = (row: ContestRow) => ({
  name: row.name,
  units: defined(MANIFESTS.find(({ name }) => name === row.name)).units,
  done: row.done,
  closedBy: row.closed_by,
});

function ifUnreachable(error: unknown): undefined {
  if (error instanceof UnreachableError) return undefined;
  throw error instanceof RefusedError ? new Error(`refused: ${error.code} ${error.message}`, { cause: error }) : error;
}

function defined<T>(value: T | undefined): T {
  assert(value !== undefined);
  return value;
}
