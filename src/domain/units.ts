/** Runs of consecutive unit numbers. A block is one such run; the ledger is made of them. */
import { type Static, Type } from 'typebox';

/** Unit numbers are exact JavaScript integers: 2^44 for rc5-72 is far below 2^53. */
export const UnitNumber = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

/** The units first, first + 1, … first + count − 1. */
export const UnitRange = Type.Object({
  first: UnitNumber,
  count: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
});
export type UnitRange = Static<typeof UnitRange>;

/** The first unit number past the run. */
export const endOf = (range: UnitRange): number => range.first + range.count;
