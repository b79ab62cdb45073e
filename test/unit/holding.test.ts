/** Which of a proxy's leases a unit is under, against an array of units. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Holding } from '../../src/server/proxy/holding.ts';
import type { UpstreamLeaseRow } from '../../src/server/store/schema.ts';

const UNITS = 40;
const someStep = fc.record({
  do: fc.constantFrom('add', 'add', 'add', 'remove'),
  contest: fc.constantFrom('a', 'b'),
  first: fc.nat({ max: UNITS - 1 }),
  count: fc.integer({ min: 1, max: 15 }),
});

describe('a holding', () => {
  it('is what an array of units would be, and so are the rows it tells to write', () => {
    fc.assert(
      fc.property(fc.array(someStep, { maxLength: 30 }), (steps) => {
        const holding = new Holding();
        /** The lease of every unit. */
        const units: Record<string, (string | undefined)[]> = { a: [], b: [] };
        const table = new Map<string, UpstreamLeaseRow>();
        const keyOf = ({ contest, first }: { contest: string; first: number }) => `${contest} ${first}`;
        for (const [n, { do: what, contest, first, count }] of steps.entries()) {
          const line = units[contest] ?? [];
          if (what === 'add') {
            const row = { id: `lease ${n}`, contest, first, past: first + count, expires_at: n, proof: null };
            const { gone, put } = holding.add(row);
            for (const one of gone) table.delete(keyOf(one));
            for (const one of put) table.set(keyOf(one), one);
            for (let unit = first; unit < row.past; unit++) line[unit] = row.id;
          } else {
            const lease = holding.at(contest, first);
            if (lease === undefined) continue;
            holding.remove(lease);
            // Another lease's part that begins there is not meant.
            holding.remove({ ...lease, id: 'another' });
            table.delete(keyOf(lease));
            for (let unit = lease.first; unit < lease.past; unit++) line[unit] = undefined;
          }
          for (const name of ['a', 'b']) {
            for (let unit = 0; unit < UNITS + 20; unit++) expect(holding.at(name, unit)?.id).toBe(units[name]?.[unit]);
          }
          expect(new Set(holding.all())).toEqual(new Set(table.values()));
          const again = new Holding([...table.values()]);
          expect(new Set(again.all())).toEqual(new Set(holding.all()));
        }
      }),
    );
  });
});
