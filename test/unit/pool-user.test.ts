/**
 * A pool user among gateways that are refused, silent, busy or false: a network of them in one object, under a clock that is
 * turned by hand, and every request of theirs counted.
 */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LatePoolUser } from '../../src/client/late-pool-user.ts';
import { type KeptPool, PoolUser, type PoolUserOptions } from '../../src/client/pool-user.ts';
import type { Lease } from '../../src/domain/work.ts';
import { RefusedError, UnreachableError } from '../../src/protocol/errors.ts';
import type { ExchangeRequest, Keyserver, ReportResult } from '../../src/protocol/keyserver.ts';
import type { Policy, PoolElement, Resolution } from '../../src/protocol/pools.ts';
import { generateKey } from '../../src/server/proof/key.ts';
import { makeVoucher } from '../../src/server/proof/voucher.ts';
import { asking, client, START } from '../helpers/keyservers.ts';
import { testManifest } from '../helpers/test-contest.ts';

const HANDLE = 'test.pool';
const HOME = 'https://home.example';
const LIFETIME = 300;
const keymaster = generateKey();
const stranger = generateKey();
const at = (n: number): string => `https://g${n}.example`;

const policy: Policy = { kind: 'round-robin', weight: 1, priority: 0, degradation: 0 };

function element(n: number, change: Partial<PoolElement> = {}): PoolElement {
  const addresses = [at(n)];
  const voucher = makeVoucher({ sub: stranger.id, handle: HANDLE, addresses, exp: START + 1e9 }, keymaster);
  return { id: n, addresses, policy, load: 0, successors: [], voucher, ...change };
}

type State = 'up' | 'refused' | 'silent' | 'busy' | 'limited';

/** All gateways tell the same list; `slow` is how long an answer is on its way. */
class Network {
  elements: PoolElement[];
  keymasters: string[] | undefined = [keymaster.id];
  /** What others than home say of it. */
  othersSay: string[] = [stranger.id];
  pool: string | undefined = HANDLE;
  /** What the next exchange gives. */
  leases: Lease[] = [];
  results: ReportResult[] = [];
  readonly state = new Map<string, State>();
  readonly slow = new Map<string, number>();
  /** Where it went, one a request, such as `https://g1.example POST exchange`. */
  readonly log: string[] = [];
  readonly bodies: string[] = [];

  constructor(count: number) {
    this.elements = Array.from({ length: count }, (_, n) => element(n + 1));
  }

  readonly fetch: typeof globalThis.fetch = async (input, init = {}) => {
    const url = new URL(String(input));
    const path = url.pathname.replace('/api/v1/', '');
    this.log.push(`${url.origin} ${init.method ?? 'GET'} ${path}`);
    if (typeof init.body === 'string') this.bodies.push(`${path} ${init.body}`);
    const state = this.state.get(url.origin) ?? 'up';
    if (state === 'refused') throw new TypeError('fetch failed');
    const ms = state === 'silent' ? Number.POSITIVE_INFINITY : (this.slow.get(url.origin) ?? 1);
    await new Promise<void>((resolve, reject) => {
      const { signal } = init;
      signal?.addEventListener('abort', () => reject(signal.reason as Error));
      if (Number.isFinite(ms)) setTimeout(resolve, ms);
    });
    if (state === 'busy') return problem(503, 'unavailable');
    if (state === 'limited') return problem(429, 'rate_limited');
    return Response.json(this.#answer(url.origin, path));
  };

  #answer(origin: string, path: string): unknown {
    const state = { name: 'test', state: 'open', units: 10, done: 0, leased: 0, hits: [] };
    const keymasters = origin === HOME ? this.keymasters : this.othersSay;
    const resolution: Resolution = { handle: HANDLE, elements: this.elements, lifetimeSeconds: LIFETIME };
    const answers: Record<string, unknown> = {
      contests: [{ manifest: testManifest({ name: 'test', units: 10 }), state, keymasters }],
      exchange: {
        results: this.results,
        leases: this.leases,
        now: Date.now(),
        contests: [],
        retryAfterSeconds: 0,
        pool: this.pool,
      },
      release: { released: [] },
      'keep-alive': { handle: HANDLE, id: 1, load: 0 },
      [`pools/${HANDLE}`]: resolution,
      [`pools/${HANDLE}/unreachable`]: { known: true },
    };
    return answers[path] ?? {};
  }

  /** The requests since it was last asked. */
  take(): string[] {
    return this.log.splice(0);
  }
}

function problem(status: number, code: string): Response {
  return Response.json({ type: 'about:blank', title: code, status, code, detail: code }, { status });
}

/** A port that keeps the pool, and what it has. */
function keeping(kept?: KeptPool): { kept: KeptPool | undefined; port: NonNullable<PoolUserOptions['kept']> } {
  const here = {
    kept,
    port: {
      load: async () => here.kept,
      save: async (pool: KeptPool) => {
        here.kept = structuredClone(pool);
      },
    },
  };
  return here;
}

/** Turns the clock until it is done. */
async function done<T>(promise: Promise<T>): Promise<T> {
  const clock = { runs: true };
  const over = promise.finally(() => {
    clock.runs = false;
  });
  over.catch(() => undefined);
  while (clock.runs) await vi.advanceTimersByTimeAsync(10);
  return over;
}

const idle = (ms = 50): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

const exchange = (user: Keyserver) => done(user.exchange(asking()));

/** One that has heard of its pool and has its list. */
async function pooled(network: Network, options: Partial<PoolUserOptions> = {}): Promise<PoolUser> {
  const user = new PoolUser([HOME], { fetch: network.fetch, ...options });
  await done(user.contests());
  await exchange(user);
  await idle();
  network.take();
  return user;
}

beforeEach(() => {
  vi.useFakeTimers({ now: START });
  vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new DOMException('timed out', 'TimeoutError')), ms);
    return controller.signal;
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('in the quiet case', () => {
  test('without a pool it talks to home, and nothing else is asked for', async () => {
    const network = new Network(3);
    network.pool = undefined;
    const user = new PoolUser([HOME], { fetch: network.fetch });
    await done(user.contests());
    for (let n = 0; n < 5; n++) await exchange(user);
    await idle(LIFETIME * 3000);
    expect(network.take()).toEqual([`${HOME} GET contests`, ...Array<string>(5).fill(`${HOME} POST exchange`)]);
    expect(user.through).toBeUndefined();
  });

  test('one resolution in its lifetime, and no other request', async () => {
    const network = new Network(3);
    const user = new PoolUser([HOME], { fetch: network.fetch });
    await done(user.contests());
    for (let second = 0; second < 2 * LIFETIME; second += 10) {
      await exchange(user);
      await idle(10_000);
    }
    const log = network.take();
    const extra = log.filter((line) => !line.endsWith('exchange') && !line.endsWith('contests'));
    expect(extra).toEqual([`${HOME} GET pools/${HANDLE}`, `${at(1)} GET pools/${HANDLE}`]);
    expect(log).toHaveLength(1 + (2 * LIFETIME) / 10 + 2);
    expect(user.through).toEqual({ through: at(1) });
  });

  test('nothing is asked for while there are no exchanges', async () => {
    const network = new Network(3);
    await pooled(network);
    await idle(10 * LIFETIME * 1000);
    expect(network.take()).toEqual([]);
  });

  test('a gateway of the pool that is home itself is home', async () => {
    const network = new Network(1);
    const voucher = makeVoucher({ sub: stranger.id, handle: HANDLE, addresses: [HOME], exp: START + 1e9 }, keymaster);
    network.elements = [element(1, { addresses: [HOME], voucher })];
    const user = await pooled(network, {});
    await exchange(user);
    expect(network.take()).toEqual([`${HOME} POST exchange`]);
    expect(user.through).toBeUndefined();
  });
});

test('what was handed in at another gateway is named to whoever gave it, who would hand it out again', async () => {
  const network = new Network(2);
  const user = await pooled(network);
  const [one = '', two = '', three = ''] = ['1', '2', '3'].map((digit) => digit.repeat(16));
  network.leases = [one, two].map((id) => ({ id, contest: 'test', first: 0, count: 1, expiresAt: START + 1e6 }));
  await exchange(user);
  network.leases = [];

  const named = async (): Promise<string[] | undefined> => {
    network.bodies.length = 0;
    await done(user.exchange(asking({ holding: [three] })));
    const body = network.bodies.findLast((one) => one.startsWith('exchange ')) ?? '';
    return (JSON.parse(body.slice('exchange '.length)) as ExchangeRequest).want.settled;
  };
  network.state.set(at(1), 'refused');
  network.results = [{ lease: one, outcome: 'accepted', credited: 1, hits: [] }];
  await named();
  expect(user.through).toEqual({ through: at(2), because: at(1) });
  network.results = [];
  // Not to whom it was handed in.
  expect(await named()).toBeUndefined();

  network.state.clear();
  network.state.set(at(2), 'refused');
  await idle(60_000);
  expect(await named()).toEqual([one]);
  expect(user.through).toMatchObject({ through: at(1) });
});

describe('a list that was kept', () => {
  test('serves a start without home', async () => {
    const network = new Network(3);
    const storage = keeping();
    await pooled(network, { kept: storage.port });
    network.state.set(HOME, 'refused');
    const user = new PoolUser([HOME], { fetch: network.fetch, kept: storage.port });
    await exchange(user);
    await idle();
    expect(network.take()).toEqual([`${at(1)} POST exchange`]);
  });

  test('past its lifetime it serves still, until it is resolved anew', async () => {
    const network = new Network(3);
    const storage = keeping();
    await pooled(network, { kept: storage.port });
    await idle(LIFETIME * 1000);
    network.elements = [element(7)];
    const user = new PoolUser([HOME], { fetch: network.fetch, kept: storage.port });
    await exchange(user);
    await idle();
    await exchange(user);
    expect(network.take()).toEqual([
      `${at(1)} POST exchange`,
      `${at(1)} GET pools/${HANDLE}`,
      `${at(7)} POST exchange`,
    ]);
  });

  test('knows those of the one before still, after all that it tells: a registrar may have seen few in a bad moment', async () => {
    const network = new Network(4);
    const user = await pooled(network);
    await idle(LIFETIME * 1000);
    network.elements = [element(4), element(9, { addresses: [at(2)], voucher: element(2).voucher })];
    await exchange(user);
    await idle();
    await exchange(user);
    expect(user.through).toEqual({ through: at(4) });
    for (const place of [HOME, at(2), at(4)]) network.state.set(place, 'refused');
    network.take();
    await exchange(user);
    expect(user.through).toEqual({ through: at(1), because: at(4) });
    const asked = network.take().filter((line) => line.endsWith('keep-alive'));
    expect(asked).toEqual([2, 1, 3].map((n) => `${at(n)} GET keep-alive`));
  });

  test('in which a gateway stands twice, as one started anew may, leaves nobody out for that', async () => {
    const network = new Network(8);
    const user = await pooled(network);
    await idle(LIFETIME * 1000);
    network.elements = [
      element(1),
      element(21, { addresses: [at(1)] }),
      ...[2, 3, 4, 5, 6, 7].map((n) => element(n)),
    ].map((one) => ({ ...one, voucher: element(Number(/\d+/.exec(one.addresses[0] ?? '')?.[0])).voucher }));
    await exchange(user);
    await idle();
    for (let n = 1; n <= 7; n++) network.state.set(at(n), 'refused');
    network.state.set(HOME, 'refused');
    await exchange(user);
    expect(user.through).toMatchObject({ through: at(8) });
  });

  test('that nobody can read is none', async () => {
    const network = new Network(1);
    const storage = keeping({ handle: 'NO HANDLE', pins: 3 } as unknown as KeptPool);
    const user = new PoolUser([HOME], { fetch: network.fetch, kept: storage.port });
    await exchange(user);
    expect(network.take()).toEqual([`${HOME} POST exchange`]);
  });

  test('works where nothing can be kept', async () => {
    const network = new Network(2);
    const fails = () => Promise.reject(new Error('no storage'));
    const user = await pooled(network, { kept: { load: fails, save: fails } });
    await exchange(user);
    expect(network.take()).toEqual([`${at(1)} POST exchange`]);
  });
});

describe('where the gateway in use fails', () => {
  test.each<State>(['refused', 'silent', 'busy'])(
    'as one that is %s, the same request goes to the next',
    async (state) => {
      const network = new Network(3);
      const user = await pooled(network);
      network.state.set(at(1), state);
      network.bodies.length = 0;
      const began = Date.now();
      const request = asking({ blocks: 3 });
      await done(user.exchange(request));
      expect(Date.now() - began).toBeLessThan(state === 'silent' ? 2500 : 500);
      const log = network.take();
      expect(log.filter((line) => line.endsWith('exchange'))).toEqual([
        `${at(1)} POST exchange`,
        `${at(2)} POST exchange`,
      ]);
      const sent = network.bodies.filter((body) => body.startsWith('exchange '));
      expect(sent).toEqual(Array<string>(2).fill(`exchange ${JSON.stringify(request)}`));
      expect(user.through).toEqual({ through: at(2), because: at(1) });
    },
  );

  test('it is reported once, and the handle resolved again, by the one that took over', async () => {
    const network = new Network(3);
    const user = await pooled(network);
    network.state.set(at(1), 'refused');
    network.bodies.length = 0;
    await exchange(user);
    await idle();
    await exchange(user);
    await idle();
    const log = network.take();
    expect(log.filter((line) => line.includes('pools/')).toSorted()).toEqual([
      `${at(2)} GET pools/${HANDLE}`,
      `${at(2)} POST pools/${HANDLE}/unreachable`,
    ]);
    const { id } = client();
    expect(network.bodies).toContain(`pools/${HANDLE}/unreachable ${JSON.stringify({ element: 1, client: id })}`);
    // The registrar still has it first, and it is passed over for a while.
    expect(user.through).toEqual({ through: at(2), because: at(1) });
    await idle(LIFETIME * 1000);
    network.state.delete(at(1));
    await exchange(user);
    await idle();
    expect(user.through).toEqual({ through: at(1) });
  });

  test('its last will comes before the list', async () => {
    const network = new Network(6);
    network.elements[0] = element(1, { successors: [99, 5, 4] });
    const user = await pooled(network);
    network.state.set(at(1), 'refused');
    await exchange(user);
    const keepAlives = network.take().filter((line) => line.endsWith('keep-alive'));
    expect(keepAlives).toEqual([5, 4, 2].map((n) => `${at(n)} GET keep-alive`));
    expect(user.through?.through).toBe(at(5));
  });

  test('its own other address comes before all', async () => {
    const network = new Network(3);
    const addresses = [at(1), at(11)];
    const voucher = makeVoucher({ sub: stranger.id, handle: HANDLE, addresses, exp: START + 1e9 }, keymaster);
    network.elements[0] = element(1, { addresses, voucher });
    const user = await pooled(network);
    network.state.set(at(1), 'refused');
    await exchange(user);
    expect(user.through?.through).toBe(at(11));
  });

  test('an earlier one is waited for a little, a slow one not', async () => {
    const network = new Network(4);
    const user = await pooled(network);
    network.state.set(at(1), 'refused');
    network.slow.set(at(2), 200);
    await exchange(user);
    expect(user.through?.through).toBe(at(2));
    network.state.set(at(2), 'refused');
    network.slow.set(at(3), 900);
    await exchange(user);
    expect(user.through?.through).toBe(at(4));
  });

  test('the answer of one that was slow counts where it comes before that of another', async () => {
    const network = new Network(2);
    const user = await pooled(network);
    network.state.set(HOME, 'refused');
    network.slow.set(at(1), 3300);
    network.slow.set(at(2), 900);
    const began = Date.now();
    await exchange(user);
    expect(Date.now() - began).toBeLessThan(3400);
    await idle();
    const log = network.take();
    expect(log.filter((line) => line.endsWith('exchange'))).toEqual([1, 2].map((n) => `${at(n)} POST exchange`));
    // Nobody is told that it does not answer.
    expect(log.filter((line) => line.endsWith('unreachable'))).toEqual([]);
    expect(user.through).toEqual({ through: at(1) });
  });

  test('three are asked at a time', async () => {
    const network = new Network(8);
    const user = await pooled(network);
    for (let n = 1; n <= 7; n++) network.state.set(at(n), n % 2 === 0 ? 'silent' : 'refused');
    const began = Date.now();
    await exchange(user);
    expect(user.through?.through).toBe(at(8));
    expect(Date.now() - began).toBeLessThan(2500);
  });

  test('one that failed lately is asked after those that did not', async () => {
    const network = new Network(3);
    const user = await pooled(network);
    network.state.set(at(1), 'refused');
    await exchange(user);
    network.state.set(at(1), 'up');
    network.state.set(at(2), 'refused');
    network.take();
    await exchange(user);
    const asked = network.take().filter((line) => line.endsWith('keep-alive'));
    expect(asked).toEqual([3, 1].map((n) => `${at(n)} GET keep-alive`));
    expect(user.through).toEqual({ through: at(3), because: at(2) });
  });

  test('all of it is gone: home is tried, and then it is unreachable, as without a pool', async () => {
    const network = new Network(3);
    const user = await pooled(network);
    for (const { addresses } of network.elements) network.state.set(addresses[0] ?? '', 'refused');
    await exchange(user);
    expect(network.take().filter((line) => line.endsWith('exchange'))).toEqual([
      `${at(1)} POST exchange`,
      `${HOME} POST exchange`,
    ]);
    expect(user.through).toBeUndefined();
    network.state.set(HOME, 'refused');
    await expect(exchange(user)).rejects.toBeInstanceOf(UnreachableError);
  });

  test('nobody is reported by a client whose own network was away', async () => {
    const network = new Network(3);
    const user = await pooled(network);
    for (const place of [HOME, ...network.elements.map(({ addresses }) => addresses[0] ?? '')]) {
      network.state.set(place, 'refused');
    }
    await expect(exchange(user)).rejects.toBeInstanceOf(UnreachableError);
    network.state.clear();
    await exchange(user);
    await idle();
    expect(network.take().filter((line) => line.includes('unreachable'))).toEqual([]);
  });

  test('where nobody else is there it waits for the one it asked, once; who comes back meanwhile is turned to', async () => {
    const network = new Network(2);
    const user = await pooled(network);
    for (const place of [HOME, at(1), at(2)]) network.state.set(place, 'silent');
    const answer = user.exchange(asking());
    await idle(9000);
    network.state.delete(at(2));
    const began = Date.now();
    await done(answer);
    expect(Date.now() - began).toBeLessThan(2500);
    expect(network.take().filter((line) => line.endsWith('exchange'))).toEqual(
      [1, 2].map((n) => `${at(n)} POST exchange`),
    );
    // The last one left has much to do: it is not asked again, and answers.
    network.state.set(at(1), 'refused');
    network.slow.set(at(2), 15_000);
    await exchange(user);
    expect(network.take().filter((line) => line.endsWith('exchange'))).toEqual([`${at(2)} POST exchange`]);
  });

  test('who was away after it was asked is asked again once it is back: the request may have been lost', async () => {
    const network = new Network(1);
    const user = await pooled(network);
    for (const place of [HOME, at(1)]) network.state.set(place, 'silent');
    const answer = user.exchange(asking());
    await idle(6000);
    network.state.delete(at(1));
    const began = Date.now();
    await done(answer);
    expect(Date.now() - began).toBeLessThan(2500);
    const exchanges = network.take().filter((line) => line.endsWith('exchange'));
    expect(exchanges).toEqual([`${at(1)} POST exchange`, `${at(1)} POST exchange`]);
  });

  test('a call to a pool of which nobody answers fails after 20 s, as any does', async () => {
    const network = new Network(1);
    const user = await pooled(network);
    network.state.set(HOME, 'silent');
    network.state.set(at(1), 'silent');
    for (let n = 0; n < 3; n++) {
      const began = Date.now();
      await expect(exchange(user)).rejects.toBeInstanceOf(UnreachableError);
      const took = Date.now() - began;
      expect(took).toBeGreaterThanOrEqual(20_000);
      expect(took).toBeLessThan(23_000);
    }
  });

  test('an answer that comes late from the one before does not turn it back', async () => {
    const network = new Network(2);
    const user = new PoolUser([HOME], { fetch: network.fetch });
    await done(user.contests());
    network.slow.set(HOME, 500);
    const late = user.contests();
    network.slow.delete(HOME);
    await exchange(user);
    await idle();
    expect(user.through).toEqual({ through: at(1) });
    await done(late);
    network.take();
    await exchange(user);
    await idle();
    expect(network.take()).toEqual([`${at(1)} POST exchange`]);
  });

  test('on a line that is too slow for keep-alives, whoever was asked is waited for', async () => {
    const network = new Network(3);
    const voucher = makeVoucher({ sub: stranger.id, handle: HANDLE, addresses: [HOME], exp: START + 1e9 }, keymaster);
    network.elements.push(element(4, { addresses: [HOME], voucher }));
    const user = await pooled(network);
    for (const place of [HOME, ...[1, 2, 3].map(at)]) network.slow.set(place, 7000);
    const attempts = async (): Promise<number> => {
      for (let n = 1; ; n++)
        if (
          await exchange(user).then(
            () => true,
            () => false,
          )
        )
          return n;
    };
    expect(await attempts()).toBe(1);
  });

  test('a refusal is an answer, and so is being told that one is too fast', async () => {
    const network = new Network(2);
    const user = await pooled(network);
    network.state.set(at(1), 'limited');
    await expect(exchange(user)).rejects.toMatchObject({ name: 'UnreachableError', status: 429 });
    const refusing = new PoolUser([HOME, at(2)], { fetch: async () => problem(422, 'contest_unknown') });
    await expect(exchange(refusing)).rejects.toBeInstanceOf(RefusedError);
    expect(network.take()).toEqual([`${at(1)} POST exchange`]);
  });

  test('whatever fails, a request is answered while one gateway is there, and put to nobody twice', async () => {
    const state = fc.constantFrom<State>('up', 'refused', 'silent', 'busy');
    await fc.assert(
      fc.asyncProperty(fc.array(state, { minLength: 1, maxLength: 8 }), state, async (states, home) => {
        const network = new Network(states.length);
        const user = await pooled(network);
        network.state.set(HOME, home);
        for (const [n, one] of states.entries()) network.state.set(at(n + 1), one);
        const began = Date.now();
        const isAnswered = await exchange(user).then(
          () => true,
          () => false,
        );
        expect(isAnswered).toBe([home, ...states].includes('up'));
        const isSoon = Date.now() - began < 5000;
        expect(isSoon || !states.includes('up')).toBe(true);
        const exchanges = network.take().filter((line) => line.endsWith('exchange'));
        expect(new Set(exchanges).size).toBe(exchanges.length);
      }),
      { numRuns: 40 },
    );
  });
});

describe('whom it trusts', () => {
  const rogue = (claims: object, key = keymaster): PoolElement => {
    const honest = { sub: stranger.id, handle: HANDLE, addresses: [at(1)], exp: START + 1e9 };
    return element(1, { voucher: makeVoucher({ ...honest, ...claims }, key) });
  };

  test.each([
    ['by another key', rogue({}, stranger)],
    ['for another address', rogue({ addresses: [at(2)] })],
    ['that has run out', rogue({ exp: START })],
    ['for another pool', rogue({ handle: 'other.pool' })],
    ['for a registrar only', rogue({ handle: undefined })],
    ['that was changed', element(1, { voucher: changed(rogue({ addresses: [at(2)] }).voucher) })],
    ['that is none', element(1, { voucher: 'a.b.c' })],
  ])('passes over a gateway with a voucher %s', async (_what, first) => {
    const network = new Network(2);
    network.elements[0] = first;
    const user = await pooled(network);
    await exchange(user);
    expect(network.take()).toEqual([`${at(2)} POST exchange`]);
  });

  test('one whose voucher runs out is left at the next resolution', async () => {
    const network = new Network(2);
    network.elements[0] = rogue({ exp: START + 60_000 });
    const user = await pooled(network);
    expect(user.through?.through).toBe(at(1));
    await idle(LIFETIME * 1000);
    await exchange(user);
    await idle();
    expect(user.through?.through).toBe(at(2));
  });

  test('without the keymaster’s key it stays at home, and resolves nothing', async () => {
    const network = new Network(2);
    network.keymasters = undefined;
    const user = await pooled(network);
    await exchange(user);
    expect(network.take()).toEqual([`${HOME} POST exchange`]);
  });

  test('the keymaster’s keys are those that home told, whatever others say', async () => {
    const network = new Network(2);
    const storage = keeping();
    const user = await pooled(network, { kept: storage.port });
    const [contest] = await done(user.contests());
    expect(network.take()).toEqual([`${at(1)} GET contests`]);
    expect(contest?.keymasters).toEqual([keymaster.id]);
    expect(storage.kept?.pins).toEqual([keymaster.id]);
  });

  test('where nobody in a list is vouched for, home is asked for new keys', async () => {
    const network = new Network(2);
    const user = await pooled(network);
    network.elements = [element(3, { voucher: rogue({ addresses: [at(3)] }, stranger).voucher })];
    network.keymasters = [stranger.id];
    await idle(LIFETIME * 1000);
    await exchange(user);
    await idle();
    expect(network.take()).toEqual([`${at(1)} POST exchange`, `${at(1)} GET pools/${HANDLE}`, `${HOME} GET contests`]);
    expect(user.through?.through).toBe(at(3));
  });

  test('only home says which pool it is', async () => {
    const network = new Network(2);
    const storage = keeping();
    const user = await pooled(network, { kept: storage.port });
    network.pool = 'other.pool';
    await exchange(user);
    expect(storage.kept?.handle).toBe(HANDLE);
  });
});

describe('the policy nearest', () => {
  const nearest = { ...policy, kind: 'nearest' as const };

  test('measures up to four that it has not measured, and takes the nearest', async () => {
    const network = new Network(6);
    network.elements = network.elements.map((one) => ({ ...one, policy: nearest }));
    for (const [n, ms] of [40, 200, 20, 90, 10, 300].entries()) network.slow.set(at(n + 1), ms);
    const storage = keeping();
    const user = new PoolUser([HOME], { fetch: network.fetch, kept: storage.port });
    const measured = async (): Promise<string[]> => {
      await exchange(user);
      await idle(1000);
      return network.take().filter((line) => line.endsWith('keep-alive'));
    };
    await done(user.contests());
    expect(await measured()).toEqual([1, 2, 3, 4].map((n) => `${at(n)} GET keep-alive`));
    expect(user.through?.through).toBe(at(3));
    expect(await measured()).toEqual([]);
    await idle(LIFETIME * 1000);
    expect((await measured()).toSorted()).toEqual([5, 6].map((n) => `${at(n)} GET keep-alive`));
    expect(user.through?.through).toBe(at(5));
    await idle(LIFETIME * 1000);
    expect(await measured()).toEqual([]);
    expect(storage.kept?.distances).toMatchObject({ 3: 20, 5: 10 });
  });

  test('one that does not answer is measured another time', async () => {
    const network = new Network(2);
    network.elements = network.elements.map((one) => ({ ...one, policy: nearest }));
    network.state.set(at(1), 'silent');
    const storage = keeping();
    await pooled(network, { kept: storage.port });
    await idle(2000);
    expect(Object.keys(storage.kept?.distances ?? {})).toEqual(['2']);
  });
});

describe('a plain list', () => {
  test('is gone along, without asking who is there', async () => {
    const network = new Network(0);
    network.pool = undefined;
    const user = new PoolUser([`${HOME}/`, at(1), at(2)], { fetch: network.fetch });
    await exchange(user);
    network.state.set(HOME, 'silent');
    network.state.set(at(1), 'refused');
    await exchange(user);
    await exchange(user);
    expect(network.take()).toEqual([HOME, HOME, at(1), at(2), at(2)].map((place) => `${place} POST exchange`));
    expect(user.through).toEqual({ through: at(2), because: HOME });
  });
});

describe('where it is loaded late', () => {
  test('home is talked to until it names a pool, and the keys that it told before are known', async () => {
    const network = new Network(2);
    const storage = keeping();
    const user = new LatePoolUser(HOME, { fetch: network.fetch, kept: storage.port });
    await done(user.contests());
    network.pool = undefined;
    await exchange(user);
    expect(storage.kept).toBeUndefined();
    network.pool = HANDLE;
    await exchange(user);
    await vi.waitFor(() => expect(user.through).toEqual({ through: at(1) }));
    await exchange(user);
    expect(network.take()).toEqual([
      `${HOME} GET contests`,
      `${HOME} POST exchange`,
      `${HOME} POST exchange`,
      `${HOME} GET pools/${HANDLE}`,
      `${at(1)} POST exchange`,
    ]);
  });

  test('and is there from the start where a pool was kept', async () => {
    const network = new Network(2);
    const storage = keeping();
    await pooled(network, { kept: storage.port });
    network.state.set(HOME, 'refused');
    const user = new LatePoolUser(HOME, { fetch: network.fetch, kept: storage.port });
    await exchange(user);
    expect(network.take()).toEqual([`${at(1)} POST exchange`]);
  });
});

/** Says something else under the same signature. */
function changed(voucher: string): string {
  const [head, , signature] = voucher.split('.');
  const claims = { aud: 'tabherd-pool', sub: stranger.id, handle: HANDLE, addresses: [at(1)], exp: START + 1e9 };
  return [head, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.');
}
