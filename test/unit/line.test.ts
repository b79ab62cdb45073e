/** The line of runs over a real table, against an array with an entry for every unit. */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { UnitRange } from '../../src/domain/units.ts';
import { DONE, FREE, Line } from '../../src/server/ledger/line.ts';
import { openSqliteStore } from '../../src/server/store/sqlite.ts';
import type { Store } from '../../src/server/store/store.ts';
import { temporaryFolder } from '../helpers/keyservers.ts';

const UNITS = 48;
/** The line begins where 32 bits do not reach. */
const BASE = 2 ** 40;

const someRange = fc.record({ first: fc.nat({ max: UNITS - 1 }), count: fc.integer({ min: 1, max: 12 }) });
const someStep = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('free', 'done', 'lease', 'remove'), range: someRange }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('lowest'), range: someRange }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('commit'), range: someRange }) },
);

function lowestFree(units: readonly (string | undefined)[], from: number, to: number): UnitRange | undefined {
  const first = units.findIndex((unit, i) => unit === 'free' && i >= from && i < to);
  if (first === -1) return undefined;
  let end = first;
  while (end < to && units[end] === 'free') end += 1;
  return { first: BASE + first, count: end - first };
}

describe('a line', () => {
  const folder = temporaryFolder();
  let store: Store;
  beforeAll(async () => {
    store = await openSqliteStore(folder.path);
  });
  afterAll(async () => {
    await store.close();
    folder.remove();
  });

  let trials = 0;
  it('is what an array of units would be, in memory and in the table', async () => {
    const property = fc.asyncProperty(fc.array(someStep, { maxLength: 25 }), async (steps) => {
      trials += 1;
      const contest = `contest ${trials}`;
      /** `free`, `done`, the id of a lease, or nothing. */
      const units: (string | undefined)[] = Array.from({ length: UNITS + 20 });
      const chunks: (typeof steps)[] = [[]];
      for (const step of steps) {
        if (step.do === 'commit') chunks.push([]);
        else chunks.at(-1)?.push(step);
      }
      let leases = 0;
      for (const chunk of chunks) {
        await store.transaction(async (ledger) => {
          const line = new Line(contest, ledger);
          for (const { do: what, range } of chunk) {
            const there = { first: BASE + range.first, count: range.count };
            const past = range.first + range.count;
            if (what === 'lowest') {
              const found = await line.lowestFree(there.first, BASE + past);
              assert.deepEqual(found, lowestFree(units, range.first, past));
              continue;
            }
            await line.load([there]);
            const seen = line.within(there).flatMap((run) => {
              const from = Math.max(run.first, there.first);
              const to = Math.min(run.past, BASE + past);
              return Array.from({ length: to - from }, (_, i) => [from + i - BASE, run.lease ?? run.state]);
            });
            const known = units.slice(range.first, past).map((unit, i) => [range.first + i, unit]);
            expect(seen).toEqual(known.filter(([, unit]) => unit !== undefined));
            if (what === 'free') line.set(there, FREE);
            else if (what === 'done') line.set(there, DONE);
            else if (what === 'lease') {
              leases += 1;
              const lease = { lease: `lease ${leases}`, holder: 'someone', expires_at: 1, recycle_at: 2 };
              line.set(there, { state: 'leased', ...lease });
            } else line.remove(there);
            units.fill(what === 'lease' ? `lease ${leases}` : what === 'remove' ? undefined : what, range.first, past);
          }
          await line.write();
        });
        const rows = await store.read((ledger) => ledger.runs(contest));
        const drawn: (string | undefined)[] = Array.from({ length: units.length });
        for (const { first, past, lease, state } of rows) drawn.fill(lease ?? state, first - BASE, past - BASE);
        expect(drawn).toEqual(units);
        // Free and done runs have no neighbour of their state.
        for (const [i, row] of rows.entries()) {
          const next = rows[i + 1];
          const isWhole = next?.first !== row.past || row.state === 'leased' || next.state !== row.state;
          expect(isWhole).toBe(true);
        }
      }
    });
    await fc.assert(property, { numRuns: 150 });
  });
});
