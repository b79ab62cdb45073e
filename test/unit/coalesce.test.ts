/** Joining finished neighbours loses nothing, mixes nothing up and makes no report too long. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_REPORT_UNITS, type Report } from '../../src/domain/work.ts';
import { coalesce } from '../../src/server/proxy/coalesce.ts';
import type { OutboxRow } from '../../src/server/store/schema.ts';
import { client } from '../helpers/keyservers.ts';
import { trueReport } from '../helpers/test-contest.ts';

const someReport = fc
  .record({
    contest: fc.constantFrom('a', 'b'),
    lease: fc.constantFrom('one', 'two'),
    proof: fc.constantFrom('p', 'q', undefined),
    core: fc.constantFrom('slow', 'fast'),
    client: fc.constantFrom(1, 2),
    count: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 100, max: 256 })),
    /** Most follow one another. */
    gap: fc.constantFrom(0, 0, 0, 1),
    urgent: fc.constantFrom(0, 0, 0, 1),
  })
  .map((one) => one);

/** Never two of one unit: the first that is accepted is the only one in an out-buffer. */
const someRows = fc.array(someReport, { maxLength: 30 }).chain((some) => {
  let next = 2 ** 40;
  const rows = some.map(({ contest, lease, proof, core, client: n, count, gap, urgent }, i): OutboxRow => {
    const first = next + gap;
    next = first + count;
    const { proof: _, ...bare } = trueReport({ id: lease, contest, first, count, expiresAt: 0 });
    const report: Report = { ...bare, core, seconds: i + 1, client: client(n), finishedAt: i };
    return {
      id: `row ${i}`,
      contest,
      first,
      at: i,
      urgent,
      body: JSON.stringify(proof === undefined ? report : { ...report, proof }),
    };
  });
  return fc.shuffledSubarray(rows, { minLength: rows.length });
});

const reportIn = ({ body }: OutboxRow): Report => JSON.parse(body) as Report;

describe('coalesce', () => {
  it('keeps every unit, its evidence, its worker and its lease, and every row once', () => {
    fc.assert(
      fc.property(someRows, (rows) => {
        const parcels = coalesce(rows);
        expect(parcels.flatMap(({ ids }) => ids).toSorted()).toEqual(rows.map(({ id }) => id).toSorted());
        for (const { ids, report } of parcels) {
          const parts = ids.map((id) => reportIn(rows.find((row) => row.id === id) as OutboxRow));
          expect(report.evidence).toEqual(parts.flatMap(({ evidence }) => evidence));
          expect(report.evidence.length).toBeLessThanOrEqual(MAX_REPORT_UNITS);
          expect(report.seconds).toBe(parts.reduce((sum, { seconds }) => sum + seconds, 0));
          expect(report.finishedAt).toBe(Math.max(...parts.map(({ finishedAt = 0 }) => finishedAt)));
          let next = report.first;
          for (const part of parts) {
            expect(part.first).toBe(next);
            next += part.evidence.length;
            const { contest, lease, proof, core, client: by } = part;
            expect(report).toMatchObject({ contest, lease, core, client: by });
            expect(report.proof).toBe(proof);
          }
        }
      }),
    );
  });

  it('joins all that may be joined, and puts hits first', () => {
    fc.assert(
      fc.property(someRows, (rows) => {
        const parcels = coalesce(rows);
        const urgent = parcels.map(({ ids }) => rows.some(({ id, urgent: yes }) => yes === 1 && ids.includes(id)));
        expect(urgent).toEqual(urgent.toSorted((a, b) => Number(b) - Number(a)));
        for (const [i, { report }] of parcels.entries()) {
          const next = parcels[i + 1]?.report;
          if (next === undefined || urgent[i] !== urgent[i + 1]) continue;
          const isSame = (['contest', 'lease', 'proof', 'core'] as const).every(
            (field) => next[field] === report[field],
          );
          const isNeighbour = report.first + report.evidence.length === next.first;
          const fits = report.evidence.length + next.evidence.length <= MAX_REPORT_UNITS;
          expect(isSame && isNeighbour && fits && next.client?.id === report.client?.id).toBe(false);
        }
      }),
    );
  });
});
