/** What registrars that tell each other say and believe (ENRP): takeover, audit, and what has no effect. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { EnrpClaims, EnrpMessage, Vouched } from '../../src/protocol/pools.ts';
import { PeerHandlespace } from '../../src/server/pools/peers.ts';
import { memberOf } from '../../src/server/pools/table.ts';
import { readJws } from '../../src/server/proof/jws.ts';
import { generateKey } from '../../src/server/proof/key.ts';
import { addressOf, type Gateway, POOL, PoolWorld, SOON_MS } from '../helpers/pools.ts';

const [LOW, MIDDLE, HIGH] = [100, 200, 300] as const;

let world: PoolWorld;
let gateway: Gateway;

beforeEach(async () => {
  world = new PoolWorld();
});

/** Registrars with these numbers, at the places 0, 1, 2; the gateway is the first one's. */
async function begin(...ids: number[]): Promise<void> {
  for (const [place, id] of ids.entries()) world.start(place, id);
  await world.pass(SOON_MS);
  gateway = await world.joined(world.gateway(0));
  // It stays where it is.
  gateway.registers = false;
}

const space = (place: number): PeerHandlespace => {
  const found = world.station(place).space;
  if (found instanceof PeerHandlespace) return found;
  throw new Error('it is no peer');
};
const sent = (is: EnrpMessage['is']): EnrpClaims[] => world.sent.filter(({ message }) => message.is === is);
const answerIn = (answer: Vouched | string): EnrpMessage | string =>
  typeof answer === 'string' ? answer : (readJws(answer.statement) as { claims: EnrpClaims }).claims.message;

test('a registration does not wait for a registrar that is frozen', async () => {
  await begin(LOW, HIGH);
  world.freeze(1);
  const { statement, voucher } = world.registration(world.gateway(0));
  // No time passes meanwhile.
  expect(await world.station(0).registrar.register({ statement, voucher })).toMatchObject({ home: LOW });
});

describe('takeover', () => {
  test('of two who want to, the lower identifier does', async () => {
    await begin(HIGH, MIDDLE, LOW);
    world.kill(0);
    await world.until('it is taken over', () => world.homesOf(gateway).join() === `${LOW}`, 6000);
    const wanted = sent('init-takeover').map(({ from }) => from);
    expect(new Set(wanted)).toEqual(new Set([LOW, MIDDLE]));
    expect(sent('takeover').map(({ from }) => from)).toEqual([LOW]);
  });

  test('asks the silent one first, and the others', async () => {
    await begin(HIGH, MIDDLE, LOW);
    // Two do not hear each other; the third hears both, and does not agree.
    world.unlink(0, 2);
    await world.pass(20_000);
    expect(sent('init-takeover').map(({ from, to }) => [from, to])).toContainEqual([LOW, MIDDLE]);
    expect(sent('takeover')).toEqual([]);
    expect(world.homesOf(gateway)).toEqual([HIGH]);
  });

  test('is denied by a target that lives', async () => {
    await begin(LOW, HIGH);
    const ask = (target: number) =>
      space(1).receive(world.enrp({ from: LOW, to: HIGH, message: { is: 'init-takeover', target } }));
    expect(answerIn(await ask(HIGH))).toEqual({ is: 'takeover-ack', target: HIGH, agrees: false });
    expect(answerIn(await ask(LOW))).toMatchObject({ agrees: false });
    expect(answerIn(await ask(MIDDLE))).toMatchObject({ agrees: true });
  });

  test('of elements whose home nobody knows is by whoever has them', async () => {
    await begin(LOW, HIGH);
    const stranger = space(0).table.get(POOL, gateway.id);
    if (stranger === undefined) throw new Error('it is not there');
    for (const place of [0, 1]) space(place).table.put({ ...stranger, home: 999 });
    await world.until('it has a home', () => world.areEqual(), 10_000);
    expect(world.homesOf(gateway)).toEqual([LOW]);
  });
});

describe('audit', () => {
  test('what a registrar lacks of another it gets, when the checksum differs twice', async () => {
    await begin(LOW, HIGH);
    const requests = sent('table-request').length;
    await world.pass(5000);
    expect(sent('table-request')).toHaveLength(requests);
    space(1).table.remove(POOL, gateway.id);
    const took = await world.until('it is back', () => world.knownBy(gateway) === 2, 4000);
    expect(took).toBeGreaterThan(500);
    expect(sent('table-request').length).toBeGreaterThan(requests);
  });

  test('what a registrar has of another, and that one has not, goes', async () => {
    await begin(LOW, HIGH);
    const known = space(1).table.get(POOL, gateway.id);
    if (known === undefined) throw new Error('it is not there');
    const claims = { ...known.claims, id: 7 };
    space(1).table.put(memberOf({ ...known, home: LOW }, claims, known.key, world.now));
    await world.until('it is gone', () => space(1).table.get(POOL, 7) === undefined, 8000);
    expect(world.areEqual()).toBe(true);
  });
});

describe('has no effect and an answer that says why', () => {
  const update = (home: number, vouched = world.registration({ ...gateway, id: 77 })): EnrpMessage => ({
    is: 'update',
    entry: { ...vouched, home },
  });
  const presence: EnrpMessage = { is: 'presence', address: addressOf(9), checksum: 0, count: 0 };
  /** @returns the refusal; all is as before. */
  const receive = async (message: Vouched): Promise<EnrpMessage | string> => {
    const before = [world.tables(), space(1).registrars()];
    const answer = answerIn(await space(1).receive(message));
    await world.until('it is settled', () => true, 0);
    expect([world.tables(), space(1).registrars()]).toEqual(before);
    return answer;
  };

  beforeEach(() => begin(LOW, HIGH));

  test('a message that was altered', async () => {
    const key = generateKey();
    const [, , signature] = world.enrp({ from: 9, to: HIGH, message: presence }, key).statement.split('.');
    const { statement, voucher } = world.enrp({ from: 9, to: HIGH, message: update(9) }, key);
    const [head, body] = statement.split('.');
    expect(await receive({ statement: `${head}.${body}.${signature}`, voucher })).toMatch(/signature/);
  });

  test.each([
    [
      'who is no registrar',
      () => world.enrp({ from: 9, to: 0, message: presence }, generateKey(), { registrar: false }),
      /no registrar/,
    ],
    [
      'for whom another keymaster vouches',
      () => world.enrp({ from: 9, to: 0, message: presence }, generateKey(), { signer: generateKey() }),
      /not trusted/,
    ],
    [
      'who speaks to another registrar',
      () => world.enrp({ from: 9, to: LOW, message: presence }),
      /for another registrar/,
    ],
    [
      'who spoke an hour ago',
      () => world.enrp({ from: 9, to: 0, message: presence, iat: world.now - 3_600_000 }),
      /another time/,
    ],
  ])('of one %s', async (_who, make, why) => {
    expect(await receive(make())).toMatch(why);
  });

  test('an element of which another registrar is the home', async () => {
    expect(await receive(world.enrp({ from: 9, to: HIGH, message: update(LOW) }))).toEqual({ is: 'ok' });
    expect(await receive(world.enrp({ from: 9, to: HIGH, message: update(HIGH) }))).toEqual({ is: 'ok' });
  });

  test('an element whose registration is not what it has to be', async () => {
    const stranger = { ...gateway, id: 77 };
    const bad = [
      world.registration(stranger, { addresses: ['http://elsewhere'] }),
      world.registration(stranger, { handle: 'another' }),
      world.registration(stranger, {}, undefined, generateKey()),
      world.registration(stranger, {}, world.voucherFor(gateway.key, [gateway.address], { exp: world.now })),
      world.registration({ ...gateway, key: generateKey(), address: 'http://elsewhere' }),
      world.registration(gateway, { iat: world.now - 60_000 }),
    ];
    for (const one of bad) {
      expect(await receive(world.enrp({ from: 9, to: HIGH, message: update(9, one) }))).toEqual({ is: 'ok' });
    }
  });

  test('a removal that is older than the registration', async () => {
    const message: EnrpMessage = {
      is: 'removal',
      handle: POOL,
      id: gateway.id,
      iat: world.now - 60_000,
      reason: 'left',
    };
    expect(await receive(world.enrp({ from: 9, to: HIGH, message }))).toEqual({ is: 'ok' });
  });
});
