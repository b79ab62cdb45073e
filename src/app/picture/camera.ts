/**
 * What of the unit square is looked at, and the way from one sight to another: the smooth and efficient path of van Wijk and
 * Nuij (Smooth and efficient zooming and panning, 2003), which draws back as far as it must and no farther. From the whole
 * key space to one unit is a factor of four million in width, which plain interpolation of a position does not survive.
 */

/** A square: its centre and side, as shares of the whole. */
export interface Camera {
  x: number;
  y: number;
  side: number;
}

/** All of it, with a margin. */
export const WHOLE: Camera = { x: 0.5, y: 0.5, side: 1.03 };

export interface Flight {
  ms: number;
  /** @param share of the time, 0…1. */
  at: (share: number) => Camera;
}

/** How much is zoomed for how much is moved. */
const RHO = Math.SQRT2;
const MS_A_STEP = 460;
const LEAST_MS = 300;
const MOST_MS = 6000;

export function flight(from: Camera, to: Camera): Flight {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const far = Math.hypot(dx, dy);
  const [w0, w1] = [from.side, to.side];
  let length: number;
  let at: (s: number) => Camera;
  if (far < 1e-6 * Math.min(w0, w1)) {
    length = Math.abs(Math.log(w1 / w0)) / RHO;
    at = (s) => ({ x: from.x, y: from.y, side: w0 * Math.exp(Math.sign(w1 - w0) * RHO * s) });
  } else {
    const turnOf = (w: number, sign: number): number =>
      Math.asinh(-(w1 * w1 - w0 * w0 + sign * RHO ** 4 * far * far) / (2 * w * RHO * RHO * far));
    const r0 = turnOf(w0, 1);
    const r1 = turnOf(w1, -1);
    length = (r1 - r0) / RHO;
    at = (s) => {
      const way = (w0 / (RHO * RHO)) * (Math.cosh(r0) * Math.tanh(RHO * s + r0) - Math.sinh(r0));
      const share = way / far;
      return { x: from.x + share * dx, y: from.y + share * dy, side: (w0 * Math.cosh(r0)) / Math.cosh(RHO * s + r0) };
    };
  }
  return {
    ms: Math.min(MOST_MS, Math.max(LEAST_MS, length * MS_A_STEP)),
    at: (share) => {
      if (share <= 0) return from;
      // Rounding would leave it a little beside.
      return share >= 1 ? to : at(eased(share) * length);
    },
  };
}

/** Slow at both ends. */
const eased = (t: number): number => (t < 0.5 ? 4 * t ** 3 : 1 - 4 * (1 - t) ** 3);

/** A sight no larger than the whole, and not beside it. */
export function within({ x, y, side }: Camera): Camera {
  const width = Math.min(side, WHOLE.side);
  // In proportion to what is seen: a corner looked at closely is not lost in it.
  const margin = (((WHOLE.side - 1) / 2) * width) / WHOLE.side;
  const most = 1 + margin - width / 2;
  const clamp = (at: number): number => Math.min(most, Math.max(1 - most, at));
  return { x: clamp(x), y: clamp(y), side: width };
}

export const isSame = (a: Camera, b: Camera): boolean =>
  Math.hypot(a.x - b.x, a.y - b.y) < 1e-3 * a.side && Math.abs(Math.log(a.side / b.side)) < 1e-3;
