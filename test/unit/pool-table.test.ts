/** The elements that a registrar knows, in memory. */
import { expect, test } from 'vitest';
import type { RegistrationClaims } from '../../src/protocol/pools.ts';
import { memberOf, Table } from '../../src/server/pools/table.ts';

const claims: RegistrationClaims = {
  aud: 'tabherd-registration',
  handle: 'eu',
  id: 1,
  addresses: ['https://g.example'],
  policy: { kind: 'round-robin', weight: 1, priority: 0, degradation: 0 },
  load: 0,
  successors: [],
  lifetimeSeconds: 15,
  iat: 1000,
};

const memberAt = (at: number, home = 7) =>
  memberOf({ statement: 's', voucher: 'v', home }, { ...claims, iat: at }, 'key', at);

test('an element is there since it first registered, until it leaves', () => {
  const table = new Table();
  table.put(memberAt(1000));
  table.put(memberAt(6000));
  table.rehome(7, 8);
  table.put(memberAt(11_000, 8));
  expect(table.get('eu', 1)).toMatchObject({ since: 1000, seenAt: 11_000, home: 8 });
  table.remove('eu', 1);
  table.put(memberAt(21_000));
  expect(table.get('eu', 1)).toMatchObject({ since: 21_000 });
});
