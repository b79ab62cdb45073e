/** However many reports wait, and however long they are, the next batch fits into one request and gets on. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KEYS_PER_UNIT, type Report } from '../../src/domain/work.ts';
import { MAX_REPORTS } from '../../src/protocol/keyserver.ts';
import { MAX_BODY_BYTES, reportBatch } from '../../src/protocol/report-batch.ts';

const report = (units: number): Report => ({
  lease: '00000000-0000-4000-8000-000000000000',
  contest: 'rc5-72',
  first: 0,
  evidence: Array.from({ length: units }, () => ({
    kind: 'rc5',
    nearMatches: Array(24).fill(KEYS_PER_UNIT - 1) as number[],
  })),
  core: 'rc5-scalar4',
  seconds: 1234.5678,
});

test('every batch fits, is in order, and is not empty', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 256 }), { maxLength: 100 }), fc.nat(4096), (sizes, leases) => {
      const reports = sizes.map(report);
      const holding = Array.from({ length: leases }, () => '00000000-0000-4000-8000-000000000000');
      const batch = reportBatch(reports, holding);
      expect(batch).toEqual(reports.slice(0, batch.length));
      expect(batch.length).toBeGreaterThanOrEqual(Math.min(1, reports.length));
      expect(batch.length).toBeLessThanOrEqual(MAX_REPORTS);
      expect(JSON.stringify({ batch, holding }).length).toBeLessThan(MAX_BODY_BYTES - 8192);
    }),
    { numRuns: 30 },
  );
});
