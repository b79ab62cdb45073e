/** Packing who finished what, and getting it back. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packBlocks, unpackBlocks } from '../../src/server/ledger/packed-blocks.ts';

const someUnit = fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 2 ** 33 }), fc.nat({ max: 2 ** 52 }));
const someBlock = fc.record({
  client: fc.oneof(fc.nat({ max: 200 }), fc.nat({ max: 2 ** 40 })),
  first: someUnit,
  count: fc.oneof(fc.integer({ min: 1, max: 256 }), fc.integer({ min: 1, max: 2 ** 45 })),
});

describe('packed blocks', () => {
  it('come back as they were, units past 2^32 too, and in parts', () => {
    fc.assert(
      fc.property(fc.array(someBlock, { maxLength: 20 }), fc.array(someBlock, { maxLength: 20 }), (some, more) => {
        const packed = packBlocks(some);
        expect(unpackBlocks(packed)).toEqual(some);
        const last = some.at(-1);
        const added = packBlocks(more, last === undefined ? 0 : last.first + last.count);
        expect(unpackBlocks(Buffer.concat([packed, added]))).toEqual([...some, ...more]);
      }),
    );
  });

  it('are about five bytes each', () => {
    const blocks = Array.from({ length: 1000 }, (_, i) => ({ client: i % 500, first: 2 ** 43 + i * 40, count: 32 }));
    expect(packBlocks(blocks).length).toBeLessThan(5000);
  });

  it('that are cut off within a block are an error', () => {
    const packed = packBlocks([{ client: 300, first: 2 ** 40, count: 300 }]);
    for (let length = 1; length < packed.length; length++) {
      expect(() => unpackBlocks(packed.slice(0, length))).toThrow(RangeError);
    }
  });
});
