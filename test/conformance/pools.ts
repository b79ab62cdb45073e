/**
 * What must hold of a handlespace, whichever way registrars share it: three of them under a clock that the test turns, with gateways
 * that register, fall silent and come again, while registrars are killed, frozen and cut off.
 */
import * as fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { randomOf } from '../../src/cli/bench/random.ts';
import { RefusedError } from '../../src/protocol/errors.ts';
import type { Vouched } from '../../src/protocol/pools.ts';
import { generateKey } from '../../src/server/proof/key.ts';
import type { Store } from '../../src/server/store/store.ts';
import { addressOf, type Gateway, LIFETIME_MS, POOL, PoolWorld, reporter, SOON_MS } from '../helpers/pools.ts';

export interface Sharing {
  /** What registrars share; undefined: they are peers. */
  store?: Store;
  close(): Promise<void>;
}

/** After the last trouble all agree within so long. */
const EQUAL_MS = 10_000;
const REGISTRARS = [0, 1, 2];

/** @param runs random sequences. */
export function poolsConformance(name: string, open: () => Promise<Sharing>, runs: number): void {
  refusals(name, open);
  describe(`${name} have a handlespace that`, () => {
    let sharing: Sharing;
    let world: PoolWorld;

    beforeEach(async () => {
      sharing = await open();
      world = new PoolWorld(sharing.store);
      for (const place of REGISTRARS) world.start(place);
      await world.pass(SOON_MS);
    });
    afterEach(() => sharing.close());

    const report = async (place: number, { id }: Gateway, clients: readonly number[]): Promise<boolean[]> => {
      const { registrar } = world.station(place);
      return Promise.all(
        clients.map((n) => registrar.unreachable(POOL, { element: id, client: reporter(n) }, `10.0.0.${n}`)),
      );
    };
    const looks = ({ address }: Gateway): number => world.probes.filter((one) => one === address).length;

    it('resolves at all what registered at one, soon', async () => {
      const gateway = world.gateway(1);
      await world.joined(gateway);
      for (const { registrar } of world.stations) {
        const { elements, lifetimeSeconds } = await registrar.resolve(POOL);
        expect(elements).toMatchObject([{ id: gateway.id, addresses: [gateway.address] }]);
        expect(lifetimeSeconds).toBeGreaterThan(0);
      }
      await expect(world.station(0).registrar.resolve('no.such.pool')).rejects.toMatchObject({ code: 'not_found' });
    });

    it('takes registrations again, a changed load and a deregistration to all', async () => {
      const gateway = await world.joined(world.gateway(0));
      gateway.load = 0.75;
      const hasLoad = () => world.stations.every(({ space }) => space.table.elements(POOL)[0]?.load === 0.75);
      await world.until('the load is known', hasLoad, SOON_MS);
      const before = world.tables();
      await world.until('it registers again', () => world.tables().every((rows, i) => rows !== before[i]), 8000);
      expect(world.isEverywhere(gateway)).toBe(true);
      await gateway.member.close();
      await world.until('it is gone', () => world.isNowhere(gateway), SOON_MS);
    });

    it('looks at an element that is silent, and removes it everywhere', async () => {
      const [gone, stays] = [await world.joined(world.gateway(0)), await world.joined(world.gateway(1))];
      world.silence(gone);
      await world.until('the silent one is gone', () => world.isNowhere(gone), LIFETIME_MS / 2 + SOON_MS);
      expect([looks(gone), looks(stays), world.isEverywhere(stays)]).toEqual([1, 0, true]);
    });

    it('keeps for a while an element that answers and registers no more', async () => {
      const gateway = await world.joined(world.gateway(2));
      gateway.registers = false;
      await world.pass(2 * LIFETIME_MS);
      expect(world.isEverywhere(gateway)).toBe(true);
      expect(looks(gateway)).toBeGreaterThan(0);
      await world.until('it is let go', () => world.isNowhere(gateway), 2 * LIFETIME_MS);
    });

    it('looks when three could not reach an element, and not when two or one of them thrice could not', async () => {
      const [healthy, dead] = [await world.joined(world.gateway(0)), await world.joined(world.gateway(1))];
      await report(2, healthy, [1, 2, 1, 2, 1]);
      await world.pass(SOON_MS);
      expect(looks(healthy)).toBe(0);
      await report(2, healthy, [3]);
      await world.pass(SOON_MS);
      expect([looks(healthy), world.isEverywhere(healthy)]).toEqual([1, true]);
      world.silence(dead);
      expect(await report(2, dead, [1, 2, 3])).toEqual([true, true, true]);
      await world.until('who is dead is gone, before its lifetime', () => world.isNowhere(dead), SOON_MS);
      expect(await report(2, dead, [4])).toEqual([false]);
    });

    it('looks once in ten seconds, whatever is reported', async () => {
      const healthy = await world.joined(world.gateway(0));
      for (let second = 0; second < 9; second++) {
        await report(
          1,
          healthy,
          Array.from({ length: 50 }, (_, i) => second * 50 + i),
        );
        await world.pass(1000);
      }
      expect([looks(healthy), world.isEverywhere(healthy)]).toEqual([1, true]);
      await world.pass(2000);
      await report(1, healthy, [1, 2, 3]);
      await world.pass(1000);
      expect([looks(healthy), world.isEverywhere(healthy)]).toEqual([2, true]);
    });

    it('lets exactly one take over what a killed registrar had; the next registration elsewhere moves it', async () => {
      const some = Array.from({ length: 6 }, () => world.gateway(0));
      for (const gateway of some) await world.joined(gateway);
      const before = world.station(0).id;
      expect(some.flatMap((one) => world.homesOf(one))).toEqual(some.map(() => before));
      // As after the kill of all connections: none registers for a while, but all answer.
      for (const gateway of some) gateway.registers = false;
      world.kill(0);
      const isTaken = () => world.areEqual() && some.every(world.isEverywhere);
      await world.until('they are taken over', isTaken, EQUAL_MS);
      const homes = new Set(some.flatMap((one) => world.homesOf(one)));
      expect(homes.size).toBe(1);
      expect(homes.has(before)).toBe(false);
      const [mover] = some as [Gateway, ...Gateway[]];
      const other = world.stations.find(({ id }) => !homes.has(id));
      if (other === undefined) throw new Error('there is no other registrar');
      await other.registrar.register(world.registration(mover));
      await world.until('it has moved', () => world.homesOf(mover).join() === `${other.id}`, SOON_MS);
      expect(world.areEqual()).toBe(true);
    });

    it('takes a registrar started anew at the same address for the old one', async () => {
      const gateway = await world.joined(world.gateway(0));
      gateway.registers = false;
      const old = world.station(0);
      world.kill(0);
      const anew = world.start(0);
      let least = Number.POSITIVE_INFINITY;
      const isSame = () => {
        // At no registrar that has been there is it missing for a moment.
        least = Math.min(least, ...[1, 2].map((place) => world.station(place).space.table.elements(POOL).length));
        return world.areEqual() && world.isEverywhere(gateway);
      };
      await world.until('all know the new one', isSame, EQUAL_MS);
      expect(least).toBe(1);
      for (const place of [1, 2]) {
        const ids = world
          .station(place)
          .space.registrars()
          .map(({ id }) => id);
        expect([ids.includes(anew.id), ids.includes(old.id)]).toEqual([true, false]);
      }
      const { registrars, registrar } = await world.station(1).registrar.overview();
      expect(registrars.map(({ address }) => address).toSorted()).toEqual(REGISTRARS.map(addressOf));
      expect(registrar).toBe(world.station(1).id);
    });

    it('has equal tables after a registrar was frozen', async () => {
      const some: Gateway[] = [];
      for (const place of REGISTRARS) some.push(await world.joined(world.gateway(place)));
      world.freeze(1);
      const gone = some[1] as Gateway;
      await world.pass(8000);
      world.silence(gone);
      const late = world.gateway(2);
      await world.pass(LIFETIME_MS + 5000);
      world.thaw(1);
      await world.until('all are equal', () => world.areEqual(), EQUAL_MS);
      await world.until('who fell silent meanwhile is gone', () => world.isNowhere(gone), 2 * EQUAL_MS);
      expect([some[0], some[2], late].map((one) => world.knownBy(one as Gateway))).toEqual([3, 3, 3]);
    });

    it('has equal tables after all were frozen at once, and after a partition', async () => {
      for (const place of REGISTRARS) await world.joined(world.gateway(place));
      for (const place of REGISTRARS) world.freeze(place);
      await world.pass(60_000);
      for (const place of REGISTRARS) world.thaw(place);
      await world.until('all are equal', () => world.areEqual() && world.gateways.every(world.isEverywhere), EQUAL_MS);
      world.cut(0);
      const here = world.gateway(0);
      const there = world.gateway(1);
      await world.pass(20_000);
      world.heal();
      await world.until('all are equal', () => world.areEqual() && [here, there].every(world.isEverywhere), EQUAL_MS);
      expect([here, there].map((one) => world.knownBy(one))).toEqual([3, 3]);
    });

    it('gives a newcomer a thousand elements', async () => {
      world.kill(2);
      await world.pass(EQUAL_MS);
      const some = Array.from({ length: 1000 }, (_, i) => world.gateway(i % 2));
      await Promise.all(some.map(({ member }) => member.tick()));
      for (const gateway of some) gateway.registers = false;
      await world.pass(SOON_MS);
      world.start(2);
      const hasAll = () => world.station(2).space.table.elements(POOL).length === 1000 && world.areEqual();
      await world.until('it has them', hasAll, 5000);
      const overview = await world.station(2).registrar.overview();
      expect(overview.pools).toMatchObject([{ handle: POOL, count: 1000 }]);
      expect(overview.pools[0]?.elements).toHaveLength(200);
    });

    it('gives up an element for another of its address: its process was started anew', async () => {
      const old = await world.joined(world.gateway(0));
      const other = await world.joined(world.gateway(0));
      world.silence(old);
      await world.pass(1000);
      const anew = world.gateway(1, { address: old.address });
      await world.until('the new one alone is known', () => world.isEverywhere(anew) && world.isNowhere(old), SOON_MS);
      expect(world.isEverywhere(other)).toBe(true);
      // What the old one said before does not push the new one out.
      await world
        .station(2)
        .registrar.register(world.registration(old, { iat: world.now - 5000 }))
        .catch(() => {});
      await world.pass(SOON_MS);
      expect(world.isEverywhere(anew)).toBe(true);
      // With its number kept and another key, as a keymaster's gateway has after each start.
      world.silence(anew);
      await world.pass(1000);
      const again = world.gateway(2, { address: anew.address, id: anew.id });
      const hasKey = () => world.stations.every(({ space }) => space.table.get(POOL, anew.id)?.key === again.key.id);
      await world.until('the newest alone is known', hasKey, SOON_MS);
    });

    it('forgets soon whoever went down together with its home, and was started anew elsewhere', async () => {
      const old = await world.joined(world.gateway(0));
      world.freeze(0);
      world.silence(old);
      await world.pass(1000);
      world.cut(1);
      const anew = world.gateway(1, { address: old.address });
      await world.pass(2000);
      world.heal();
      world.thaw(0);
      const isAlone = () => world.isEverywhere(anew) && world.isNowhere(old);
      expect(await world.until('the new one alone is known', isAlone, 2 * EQUAL_MS)).toBeLessThan(EQUAL_MS);
    });

    it('has equal tables 10 s after any troubles, and every element that still registers', async () => {
      await fc.assert(
        fc.asyncProperty(troubles, fc.integer(), async (some, seed) => {
          const share = await open();
          try {
            const own = new PoolWorld(share.store, randomOf(seed));
            for (const place of REGISTRARS) own.start(place);
            for (const trouble of some) {
              apply(own, trouble);
              await own.pass(trouble.passMs);
            }
            own.heal();
            for (const place of REGISTRARS) {
              if (!own.isRunning(place)) own.start(place);
              own.thaw(place);
            }
            const alive = own.gateways.filter(({ registers }) => registers);
            const isWell = () => own.areEqual() && alive.every((one) => own.knownBy(one) === REGISTRARS.length);
            await own.until('all are equal', isWell, EQUAL_MS);
            // Who is gone is forgotten, and all stays so.
            const isClean = () => own.stations.every(({ space }) => space.table.elements(POOL).length === alive.length);
            await own.until('only those that live are left', isClean, 4 * LIFETIME_MS);
            await own.until('all are equal', () => own.areEqual(), SOON_MS);
            const ids = alive.map(({ id }) => id);
            for (const { space } of own.stations) expect(space.table.elements(POOL).map(({ id }) => id)).toEqual(ids);
          } finally {
            await share.close();
          }
        }),
        { numRuns: runs },
      );
    }, 120_000);
  });
}

/** Nothing of these changes anything, so they share their registrars. */
function refusals(name: string, open: () => Promise<Sharing>): void {
  describe(`${name} refuse`, () => {
    let sharing: Sharing;
    let world: PoolWorld;
    let gateway: Gateway;
    const strangers: [string, () => Vouched, string, RegExp][] = [
      [
        'a replayed older registration',
        () => world.registration(gateway, { iat: world.now - 1000 }),
        'conflict',
        /later registration/,
      ],
      [
        'another key for the same identifier',
        () => world.registration({ ...gateway, key: generateKey(), address: 'http://elsewhere' }),
        'conflict',
        /another key/,
      ],
      [
        'an address that nobody vouches for',
        () => world.registration(gateway, { addresses: [gateway.address, 'http://elsewhere'] }),
        'proof_false',
        /does not vouch for .*http:\/\/elsewhere/,
      ],
      [
        'a pool that nobody vouches for',
        () => world.registration(gateway, { handle: 'another' }),
        'proof_false',
        /does not vouch/,
      ],
      [
        'a voucher that has run out',
        () => world.registration(gateway, {}, world.voucherFor(gateway.key, [gateway.address], { exp: world.now })),
        'proof_false',
        /run out/,
      ],
      [
        'a voucher of an unknown keymaster',
        () => {
          const signer = generateKey();
          return world.registration(gateway, {}, world.voucherFor(gateway.key, [gateway.address], { signer }));
        },
        'proof_false',
        /not trusted here/,
      ],
      [
        'a voucher for another key',
        () => world.registration(gateway, {}, world.voucherFor(generateKey(), [gateway.address])),
        'proof_false',
        /for another key/,
      ],
      [
        'what another key signed',
        () => world.registration(gateway, {}, undefined, generateKey()),
        'proof_false',
        /for another key/,
      ],
      [
        'a signature of something else',
        () => {
          const { statement, voucher } = world.registration(gateway);
          const [head, , signature] = statement.split('.');
          const [, body] = world.registration(gateway, { load: 0.5 }).statement.split('.');
          return { statement: `${head}.${body}.${signature}`, voucher };
        },
        'proof_false',
        /signature/,
      ],
      [
        'a clock that is far off',
        () => world.registration(gateway, { iat: world.now + 3_600_000 }),
        'proof_false',
        /clocks/,
      ],
      ['a deregistration for a registration', () => world.deregistration(gateway), 'proof_false', /has to say/],
      [
        'what is no statement',
        () => ({ ...world.registration(gateway), statement: 'no' }),
        'proof_false',
        /no.* signed statement/,
      ],
    ];

    beforeAll(async () => {
      sharing = await open();
      world = new PoolWorld(sharing.store);
      for (const place of REGISTRARS) world.start(place);
      await world.pass(SOON_MS);
      gateway = await world.joined(world.gateway(0));
    });
    afterAll(() => sharing.close());

    it.each(strangers)('%s', async (_what, make, code, detail) => {
      const before = world.tables();
      for (const { registrar } of world.stations) {
        const refused: unknown = await registrar.register(make()).then(
          () => undefined,
          (error: unknown) => error,
        );
        expect(refused).toBeInstanceOf(RefusedError);
        expect(refused).toMatchObject({ code, message: expect.stringMatching(detail) });
      }
      expect(world.tables()).toEqual(before);
    });

    it('to let another key deregister it, and an older word of its own to', async () => {
      const { registrar } = world.station(1);
      await expect(registrar.deregister(world.deregistration(gateway, world.now, generateKey()))).rejects.toMatchObject(
        {
          code: 'conflict',
        },
      );
      await registrar.deregister(world.deregistration(gateway, world.now - LIFETIME_MS));
      await world.pass(SOON_MS);
      expect(world.isEverywhere(gateway)).toBe(true);
    });

    it('a registration from before it left, wherever it is replayed', async () => {
      const old = world.registration(gateway);
      await world.station(0).registrar.register(old);
      await world.pass(1000);
      gateway.registers = false;
      await gateway.member.close();
      await world.until('it is gone', () => world.isNowhere(gateway), SOON_MS);
      for (const { registrar } of world.stations) {
        await expect(registrar.register(old)).rejects.toMatchObject({ code: 'conflict' });
      }
      await world.pass(SOON_MS);
      expect(world.isNowhere(gateway)).toBe(true);
      // It comes back by a new one.
      await world.station(1).registrar.register(world.registration(gateway));
      await world.until('it is back', () => world.isEverywhere(gateway), SOON_MS);
    });

    it('a key that was revoked', async () => {
      const own = world.registration(gateway);
      world.revoked.add(gateway.key.id);
      await expect(world.station(1).registrar.register(own)).rejects.toThrow(/revoked/);
    });
  });
}

interface Trouble {
  kind: 'join' | 'leave' | 'die' | 'mute' | 'cut' | 'heal' | 'kill' | 'start' | 'freeze' | 'thaw' | 'restart';
  place: number;
  passMs: number;
}

const troubles: fc.Arbitrary<Trouble[]> = fc.array(
  fc.record({
    kind: fc.constantFrom<Trouble['kind'][]>(
      ...([
        'join',
        'join',
        'join',
        'leave',
        'die',
        'mute',
        'cut',
        'heal',
        'kill',
        'start',
        'freeze',
        'thaw',
        'restart',
      ] as const),
    ),
    place: fc.constantFrom(...REGISTRARS),
    passMs: fc.constantFrom(0, 500, 1000, 3000, 6000),
  }),
  { minLength: 4, maxLength: 20 },
);

function apply(world: PoolWorld, { kind, place }: Trouble): void {
  const gateway = world.gateways[place];
  switch (kind) {
    case 'join':
      world.gateway(place);
      return;
    case 'leave':
      if (gateway === undefined) return;
      world.gateways.splice(place, 1);
      world.silence(gateway);
      void gateway.member.close();
      return;
    case 'die':
      if (gateway !== undefined) world.silence(gateway);
      return;
    case 'mute':
      if (gateway !== undefined) gateway.registers = false;
      return;
    case 'cut':
      return world.cut(place);
    case 'heal':
      return world.heal(place);
    case 'kill':
      return world.kill(place);
    case 'start':
      if (!world.isRunning(place)) world.start(place);
      return;
    case 'restart':
      world.kill(place);
      world.start(place);
      return;
    case 'freeze':
      if (world.isRunning(place)) world.freeze(place);
      return;
    case 'thaw':
      if (world.isRunning(place)) world.thaw(place);
  }
}
