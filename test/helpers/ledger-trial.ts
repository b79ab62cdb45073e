/**
 * One trial of the ledger: random steps driven through a keymaster and through the model side by side. After every
 * step all answers, all units and all credits agree; at the end honest work closes every contest.
 */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import type { Lease, Report } from '../../src/domain/work.ts';
import { asking, client, type Home, openKeymaster, START, type TestKeymaster } from './keyservers.ts';
import { LedgerModel } from './ledger-model.ts';
import { falseReport, testManifest, trueReport } from './test-contest.ts';

const WINNERS = [7, 19];
const MANIFESTS = [
  testManifest({
    name: 'a',
    units: 23,
    maxUnits: 5,
    maxLeases: 4,
    leaseSeconds: 60,
    recycleSeconds: 31,
    winners: WINNERS,
  }),
  testManifest({ name: 'b', units: 40, maxUnits: 3, maxLeases: 3, leaseSeconds: 90, closes: 'hit', winners: WINNERS }),
];

const someClient = fc.nat({ max: 2 });
/** Which of the leases given so far, newest first, so that shrinking keeps it meaningful. */
const someLease = fc.nat({ max: 5 });
const someReport = fc.record({
  lease: someLease,
  manner: fc.constantFrom('true', 'true', 'true', 'true', 'winning', 'false', 'shifted', 'short', 'unknown', 'bare'),
});
const someContests = fc.constantFrom(['a'], ['b'], ['a', 'b'], ['b', 'a'], ['a', 'a'], []);
export const someStep = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('exchange' as const),
      client: someClient,
      /** Usually the client reports its own leases; sometimes anyone's. */
      honest: fc.boolean(),
      reports: fc.array(someReport, { maxLength: 3 }),
      blocks: fc.nat({ max: 4 }),
      units: fc.integer({ min: 1, max: 7 }),
      contests: someContests,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('release' as const), client: someClient, lease: someLease }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.constantFrom(1, 29, 30, 59, 60, 61, 91) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('sweep' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('crash' as const) }) },
);
type Step = typeof someStep extends fc.Arbitrary<infer T> ? T : never;

function reportOf(lease: Lease, manner: string): Report {
  if (manner === 'winning') return trueReport(lease, WINNERS);
  if (manner === 'false') return falseReport(lease);
  if (manner === 'shifted') return { ...trueReport(lease), first: lease.first + 1 };
  if (manner === 'short' && lease.count > 1) return trueReport({ ...lease, count: lease.count - 1 });
  const { proof: _, ...bare } = lease;
  if (manner === 'bare') return trueReport(bare);
  if (manner === 'unknown') return trueReport({ ...bare, id: lease.id.replaceAll(/[0-9a-f]/g, '0') });
  return trueReport(lease);
}

/** Drives the keymaster and the model side by side. */
export class LedgerTrial {
  readonly #home: Home;
  readonly #clock = { now: START };
  readonly #model = new LedgerModel(MANIFESTS);
  readonly #given: { lease: Lease; client: number }[] = [];
  #server: TestKeymaster | undefined;

  /** @param home an empty one; what becomes of it is the caller's business. */
  constructor(home: Home) {
    this.#home = home;
  }

  async run(steps: readonly Step[]): Promise<void> {
    try {
      await this.#open();
      for (const one of steps) {
        await this.#step(one);
        await this.#compare();
      }
      await this.#finish();
    } finally {
      await this.#server?.close();
    }
  }

  async #open(): Promise<TestKeymaster> {
    this.#server ??= await openKeymaster(this.#home, MANIFESTS, { clock: this.#clock });
    return this.#server;
  }

  async #step(one: Step): Promise<void> {
    const { keymaster, store } = await this.#open();
    switch (one.do) {
      case 'exchange':
        await this.#exchange(one);
        break;
      case 'release': {
        const lease = this.#given.at(-1 - one.lease)?.lease;
        if (lease === undefined) break;
        const { released } = await keymaster.release({ client: client(one.client), leases: [lease.id] });
        this.#model.expire(this.#clock.now);
        assert.deepEqual(released, this.#model.release(client(one.client).id, lease.id) ? [lease.id] : []);
        break;
      }
      case 'wait':
        this.#clock.now += one.seconds * 1000;
        break;
      case 'sweep':
        await keymaster.sweep();
        this.#model.expire(this.#clock.now);
        break;
      case 'crash':
        // No goodbye: only the database file goes on.
        await store.close();
        this.#server = undefined;
        break;
    }
  }

  async #exchange(one: Extract<Step, { do: 'exchange' }>): Promise<void> {
    const { keymaster } = await this.#open();
    const who = client(one.client);
    const own = one.honest ? this.#given.filter((given) => given.client === one.client) : this.#given;
    const reports = one.reports.flatMap(({ lease, manner }) => {
      const given = own.at(-1 - lease);
      return given === undefined ? [] : [reportOf(given.lease, manner)];
    });
    const reply = await keymaster.exchange(asking({ ...one, client: who, reports, contests: [...one.contests] }));
    this.#model.expire(this.#clock.now);
    const outcomes = reply.results.map(({ outcome, code, credited }) => ({
      outcome: code === undefined ? outcome : `${outcome} ${code}`,
      credited,
    }));
    assert.deepEqual(
      outcomes,
      reports.map((report) => this.#model.report(who.id, report)),
    );
    const leases = [...reply.leases];
    let wanted = one.blocks;
    for (const contest of one.contests) {
      for (; wanted > 0; wanted--) {
        if (!this.#model.mayHave(who.id, contest)) break;
        const next = this.#model.nextFree(contest, one.units);
        const overdue = this.#model.overdue(who.id, contest, this.#clock.now);
        if (next === undefined && overdue.length === 0) break;
        const lease = leases.shift();
        assert(lease !== undefined, `a block of ${contest} must come`);
        const { first, count } = lease;
        if (next !== undefined) assert.deepEqual({ contest: lease.contest, first, count }, { contest, ...next });
        else assert(overdue.includes(first), `unit ${first} is not overdue`);
        const seconds = this.#model.contest(contest).manifest.leaseSeconds;
        assert.equal(lease.expiresAt, this.#clock.now + seconds * 1000);
        this.#model.lease(lease.id, { ...lease, client: who.id });
        this.#given.push({ lease, client: one.client });
      }
    }
    assert.deepEqual(leases, []);
    assert.equal(reply.retryAfterSeconds > 0, wanted > 0);
  }

  async #compare(): Promise<void> {
    const { keymaster, store } = await this.#open();
    for (const { name, state, closedBy, done, leased } of (await keymaster.status()).contests) {
      const contest = this.#model.contest(name);
      assert.deepEqual({ done, leased, closedBy }, { ...this.#model.count(name), closedBy: contest.closedBy });
      assert.equal(state, closedBy === undefined ? 'open' : 'closed');
      // Runs cover the line, and no two neighbours could be one.
      const line = contest.units.map((unit) => (unit === 'free' || unit === 'done' ? unit : 'leased'));
      const runs = await store.read((ledger) => ledger.runs(name));
      const drawn = Array.from({ length: line.length }, () => 'leased');
      for (const { first, past, state } of runs) drawn.fill(state, first, past);
      assert.deepEqual(drawn, line);
      const units = contest.units;
      assert.equal(runs.length, units.filter((unit, i) => unit !== units[i - 1]).length);
      for (const { first, lease } of runs) if (lease !== null) assert.equal(lease, units[first]);
    }
    const credits = await store.read((ledger) => ledger.counting.credits());
    const byKey = credits
      .filter(({ units }) => units > 0)
      .map(({ client, contest, units }): [string, number] => [`${client} ${contest}`, units]);
    assert.deepEqual(new Map(byKey), this.#model.credits);
  }

  /** Whatever happened, honest work now ends the contests, and no unit was lost. */
  async #finish(): Promise<void> {
    const { keymaster } = await this.#open();
    this.#clock.now += 3_600_000;
    for (let round = 0; round < 100; round++) {
      const { leases } = await keymaster.exchange(asking({ client: client(9), blocks: 7, contests: ['a', 'b'] }));
      if (leases.length === 0) break;
      const reports = leases.map((lease) => trueReport(lease));
      const { results } = await keymaster.exchange(asking({ client: client(9), reports, contests: [] }));
      assert.equal(
        results.every(({ outcome }) => outcome === 'accepted'),
        true,
      );
    }
    const { contests } = await keymaster.status();
    for (const { name, units, done, leased, closedBy } of contests) {
      if (closedBy === 'exhausted') assert.deepEqual({ name, done, leased }, { name, done: units, leased: 0 });
      else assert.equal(closedBy, 'hit');
    }
  }
}
