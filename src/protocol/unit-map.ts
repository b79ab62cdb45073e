/**
 * A map of a contest's units: a stretch of its line cut into cells of one size, and how much of each is done or leased. For
 * pictures, which nobody should reckon with: it may be some seconds old.
 */
import { type Static, Type } from 'typebox';
import { ContestName } from '../domain/contest.ts';
import { UnitNumber } from '../domain/units.ts';

/** 64 × 64. */
export const MAX_CELLS = 4096;
/** A cell of which all is done or leased. */
export const FULL = 255;

export interface MapQuery {
  contest: string;
  /** The first unit of the first cell. */
  first: number;
  /** Units in a cell. */
  size: number;
  /** 1…MAX_CELLS. Cells past the contest's last unit are empty. */
  cells: number;
}

/** 0: none of the cell's units; 255: all of them; between 1 and 254: some, in proportion. */
const Shares = Type.Array(Type.Integer({ minimum: 0, maximum: FULL }), { minItems: 1, maxItems: MAX_CELLS });

export const UnitMap = Type.Object({
  contest: ContestName,
  first: UnitNumber,
  size: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  /** When it was so, by the keyserver's clock; milliseconds since 1970. */
  at: Type.Integer(),
  /** A share for each cell, in order. */
  done: Shares,
  leased: Shares,
});
export type UnitMap = Static<typeof UnitMap>;

/** Where a map is asked for, below the API's root. */
export const mapPath = ({ contest, first, size, cells }: MapQuery): string =>
  `contests/${contest}/map?first=${first}&size=${size}&cells=${cells}`;
