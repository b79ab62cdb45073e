/**
 * Hilbert's curve through a square, as a tree of quads: a quad has four quarters, which the curve visits in an order that the
 * quad's turn says. What is near on the line is near on the map, at every scale, and any aligned power of four of the
 * line is a square. (D. Hilbert, Ueber die stetige Abbildung einer Linie auf ein Flächenstück, 1891.)
 *
 * Nothing here counts past 2^53: a quad deeper than 26 is reached from one above it.
 */

/** A square of side 2^−depth; x and y count such squares from the left and from the top. */
export interface Quad {
  x: number;
  y: number;
  depth: number;
  /** 0…3: in which order its quarters are visited. */
  turn: number;
}

export const ROOT: Quad = { x: 0, y: 0, depth: 0, turn: 0 };

/** By turn, in the order of the curve: the quarter (1: right, 2: lower), and its own turn. */
const QUARTERS = [
  [0, 2, 3, 1],
  [0, 1, 3, 2],
  [3, 2, 0, 1],
  [3, 1, 0, 2],
] as const;
const TURNS = [
  [1, 0, 0, 2],
  [0, 1, 1, 3],
  [3, 2, 2, 0],
  [2, 3, 3, 1],
] as const;

export function quarterOf({ x, y, depth, turn }: Quad, nth: number): Quad {
  const quarter = QUARTERS[turn]?.[nth] ?? 0;
  return { x: 2 * x + (quarter & 1), y: 2 * y + (quarter >> 1), depth: depth + 1, turn: TURNS[turn]?.[nth] ?? 0 };
}

/** The index-th of the 4^levels quads so far below `from`. */
export function quadAt(index: number, levels: number, from: Quad = ROOT): Quad {
  let quad = from;
  for (let size = 4 ** (levels - 1); size >= 1; size /= 4) quad = quarterOf(quad, Math.floor(index / size) % 4);
  return quad;
}

/** The inverse: where on the curve the square is. */
export function indexOf({ x, y, depth }: Pick<Quad, 'x' | 'y' | 'depth'>): number {
  let index = 0;
  let turn = 0;
  for (let half = 2 ** (depth - 1); half >= 1; half /= 2) {
    const quarter = (Math.floor(x / half) % 2) + 2 * (Math.floor(y / half) % 2);
    const nth = (QUARTERS[turn] as readonly number[]).indexOf(quarter);
    index = index * 4 + nth;
    turn = TURNS[turn]?.[nth] ?? 0;
  }
  return index;
}

/** Whether anything of a square is wanted; x, y and side as shares of the whole. */
export type Sees = (x: number, y: number, side: number) => boolean;

/** Calls for every quad of this depth that is seen, in order; `isNext`: it comes right after the one before. */
export function walk(depth: number, sees: Sees, visit: (x: number, y: number, isNext: boolean) => void): void {
  let isNext = false;
  const go = (x: number, y: number, at: number, turn: number): void => {
    const side = 2 ** -at;
    if (!sees(x * side, y * side, side)) {
      isNext = false;
    } else if (at === depth) {
      visit(x, y, isNext);
      isNext = true;
    } else {
      for (let nth = 0; nth < 4; nth++) {
        const quarter = QUARTERS[turn]?.[nth] ?? 0;
        go(2 * x + (quarter & 1), 2 * y + (quarter >> 1), at + 1, TURNS[turn]?.[nth] ?? 0);
      }
    }
  };
  go(0, 0, 0, 0);
}

/**
 * The squares that runs of the curve (first, past, first, past, …, ascending) cover, as large as they can be. `quad` is the
 * stretch [0, length). A quad of the depth `finest` that is covered in part is given whole, with its share.
 */
export function cover(
  runs: readonly number[],
  { quad, length, finest }: { quad: Quad; length: number; finest: number },
  sees: Sees,
  put: (x: number, y: number, depth: number, share: number) => void,
): void {
  const go = (x: number, y: number, depth: number, turn: number, first: number, size: number): void => {
    const share = shareOf(runs, first, size);
    if (share === 0) return;
    const side = 2 ** -depth;
    if (!sees(x * side, y * side, side)) return;
    if (share === 1 || depth >= finest) {
      put(x, y, depth, share);
      return;
    }
    for (let nth = 0; nth < 4; nth++) {
      const quarter = QUARTERS[turn]?.[nth] ?? 0;
      const part = size / 4;
      go(2 * x + (quarter & 1), 2 * y + (quarter >> 1), depth + 1, TURNS[turn]?.[nth] ?? 0, first + nth * part, part);
    }
  };
  go(quad.x, quad.y, quad.depth, quad.turn, 0, length);
}

/** How much of [first, first + size) is in the runs, 0…1. */
export function shareOf(runs: readonly number[], first: number, size: number): number {
  let low = 0;
  let high = runs.length / 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((runs[2 * middle + 1] as number) <= first) low = middle + 1;
    else high = middle;
  }
  let units = 0;
  for (let i = 2 * low; i < runs.length && (runs[i] as number) < first + size; i += 2) {
    units += Math.min(runs[i + 1] as number, first + size) - Math.max(runs[i] as number, first);
  }
  return units / size;
}
