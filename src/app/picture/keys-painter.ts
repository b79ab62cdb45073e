/**
 * The key space on a Hilbert curve. What stands still while a unit is searched (tiles, curve, own units, the frames of every
 * third depth) is drawn once and kept; on it comes what moves: the block, the unit as far as it is searched, near matches.
 */
import { KEYS_PER_UNIT } from '../../domain/work.ts';
import { formatPowers } from '../format.ts';
import { type Atlas, isFineFor } from './atlas.ts';
import { type Camera, type Flight, flight, isSame, WHOLE, within } from './camera.ts';
import { cover, indexOf, type Quad, quadAt, ROOT, type Sees, walk } from './hilbert.ts';
import type { KeysHand, KeysScene } from './scene.ts';
import type { Next, Surface } from './stage.ts';

/** A unit of 2^28 keys is as many quads of one key. */
const KEY_DEPTH = 14;
/** How many units wide the closest sight is: still 2^28 keys, rounded down. */
const UNIT_SIGHT = 1.38;
/**
 * The unit is followed with its three neighbours of one quad: the camera moves on with every fourth unit only. To follow
 * each costs as much again as all other drawing, and is for those who ask for it.
 */
const FOLLOW_SIGHT = 2.2;
/** A quad of the finest curve has so many pixels at least. */
const CURVE_PIXELS = 11;
const CURVE_INK = 0.24;
/** A unit smaller than this is shown by a ring round its place. */
const MARK_PIXELS = 9;

export type Sight = 'whole' | 'unit' | 'free';

interface Place {
  hand: KeysHand;
  quad: Quad;
  /** Shares of the whole square. */
  near: { x: number; y: number }[];
}

export class KeysPainter {
  readonly #atlas: Atlas;
  readonly #onSight: () => void;
  #scene: KeysScene;
  #places: Place[] = [];
  /** Of the unit in hand, or the last one that was. */
  #focus: Quad | undefined;
  #camera: Camera = WHOLE;
  #flight: { way: Flight; from: number } | undefined;
  #goal: Camera = WHOLE;
  #free: Camera = WHOLE;
  #isClose = false;
  sight: Sight = 'whole';
  /** A person has chosen what to look at. */
  isChosen = false;
  #kept: { canvas: HTMLCanvasElement; key: string } | undefined;

  constructor(atlas: Atlas, scene: KeysScene, onSight: () => void) {
    this.#atlas = atlas;
    this.#onSight = onSight;
    this.#scene = scene;
    this.show(scene);
  }

  /** Keys in sight, as a power of two: 72 … 28. */
  get bits(): number {
    const all = Math.log2(this.#atlas.units);
    return 28 + Math.max(0, Math.min(all, 2 * (this.#atlas.order + Math.log2(this.#camera.side))));
  }

  get hasHands(): boolean {
    return this.#places.length > 0;
  }

  get hasFocus(): boolean {
    return this.#focus !== undefined;
  }

  get isWhole(): boolean {
    return this.#goal.side >= WHOLE.side;
  }

  get isClosest(): boolean {
    return this.#goal.side <= this.#closest * 1.001;
  }

  get #closest(): number {
    return within({ x: 0, y: 0, side: UNIT_SIGHT * 2 ** -this.#atlas.order }).side;
  }

  show(scene: KeysScene): void {
    this.#scene = scene;
    const { order } = this.#atlas;
    this.#places = scene.hands.map((hand) => {
      const near = hand.nearMatches.map((key) => {
        const unit = quadAt(hand.first + Math.floor(key / KEYS_PER_UNIT), order);
        const { x, y, depth } = quadAt(key % KEYS_PER_UNIT, KEY_DEPTH, unit);
        return { x: (x + 0.5) * 2 ** -depth, y: (y + 0.5) * 2 ** -depth };
      });
      return { hand, quad: quadAt(hand.unit, order), near };
    });
    const last = scene.own.at(-1);
    const here = this.#places[0]?.quad ?? (last === undefined ? undefined : quadAt(last - 1, order));
    if (here !== undefined) this.#focus = here;
  }

  /** Where the camera should be by now. @param isStill it is there at once. */
  follow(now: number, isStill: boolean): void {
    const goal = this.#goalOf();
    if (isSame(goal, this.#goal)) return;
    this.#goal = goal;
    this.#flight = isStill ? undefined : { way: flight(this.#camera, goal), from: now };
    if (isStill) this.#camera = goal;
    this.#atlas.look(goal, now);
  }

  look(sight: Sight): void {
    this.sight = sight;
    this.#isClose = false;
  }

  /** @param factor of the sight's side. */
  zoom(factor: number): void {
    this.sight = 'free';
    const at = this.#focus === undefined ? this.#goal : middleOf(this.#focus);
    const side = Math.max(this.#closest, Math.min(WHOLE.side, this.#goal.side * factor));
    this.#free = within({ x: at.x, y: at.y, side });
    if (side >= WHOLE.side) this.sight = 'whole';
    else if (side <= this.#closest && this.hasFocus) this.sight = 'unit';
    this.#isClose = this.sight === 'unit';
  }

  #goalOf(): Camera {
    if (this.sight === 'free') return this.#free;
    if (this.sight === 'whole' || this.#focus === undefined) return WHOLE;
    if (this.#isClose) return within({ ...middleOf(this.#focus), side: this.#closest });
    const { x, y, depth } = this.#focus;
    const above = middleOf({ x: Math.floor(x / 2), y: Math.floor(y / 2), depth: depth - 1 });
    return within({ ...above, side: FOLLOW_SIGHT * 2 ** -depth });
  }

  paint(surface: Surface): Next {
    const { now, isStill } = surface;
    this.follow(now, isStill);
    if (this.#flight !== undefined) {
      const share = (now - this.#flight.from) / this.#flight.way.ms;
      this.#camera = within(this.#flight.way.at(share));
      if (share >= 1) this.#flight = undefined;
    }
    this.#onSight();
    const isMoving = this.#flight !== undefined;
    if (isMoving) {
      this.#paintGround(surface.ctx, surface);
      this.#paintWork(surface);
      return 'moves';
    }
    this.#atlas.look(this.#camera, now);
    this.#paintKept(surface);
    this.#paintWork(surface);
    return 'rests';
  }

  /** Cells of which some are done, of those that were told of the whole; for those who cannot see. */
  get cellsDone(): number {
    let cells = 0;
    for (const { map } of this.#atlas.told(WHOLE, 0)) cells += map.done.filter((share) => share > 0).length;
    return cells;
  }

  #unitPixels({ width }: Surface): number {
    return (width * 2 ** -this.#atlas.order) / this.#camera.side;
  }

  // ── what stands still ─────────────────────────────────────────────────────────────────────────────────────────

  #paintKept(surface: Surface): void {
    const { ctx, width, height, scale, palette } = surface;
    const { x, y, side } = this.#camera;
    const { own, hands } = this.#scene;
    const ours = [own.length, own.at(-1), own.at(-2), ...hands.flatMap(({ first, count }) => [first, count])];
    const key = [x, y, side, width, scale, palette.sheet, this.#atlas.version, ...ours].join();
    const canvas = this.#kept?.canvas ?? document.createElement('canvas');
    if (this.#kept?.key !== key) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
      const kept = canvas.getContext('2d', { alpha: false });
      if (kept === null) return this.#paintGround(ctx, surface);
      kept.setTransform(scale, 0, 0, scale, 0, 0);
      this.#paintGround(kept, surface);
      this.#kept = { canvas, key };
    }
    ctx.drawImage(canvas, 0, 0, width, height);
  }

  #paintGround(ctx: CanvasRenderingContext2D, surface: Surface): void {
    const { width, height, palette } = surface;
    ctx.globalAlpha = 1;
    ctx.fillStyle = palette.paper;
    ctx.fillRect(0, 0, width, height);
    this.#paintTiles(ctx, surface);
    // What is ours is told by our own ink: the gateway's under it would only muddy it.
    ctx.fillStyle = palette.sheet;
    this.#coverUnits(ctx, surface, this.#scene.own);
    for (const { first, count } of this.#scene.hands) this.#coverUnits(ctx, surface, [first, first + count]);
    this.#paintCurve(ctx, surface);
    this.#paintOwn(ctx, surface);
    this.#paintFrames(ctx, surface);
  }

  #paintTiles(ctx: CanvasRenderingContext2D, surface: Surface): void {
    const { palette } = surface;
    const atlas = this.#atlas;
    ctx.imageSmoothingEnabled = false;
    // What was never told is blank paper, as far as the contest goes.
    ctx.fillStyle = palette.sheet;
    const rest = (depth: number) => ({ quad: ROOT, length: 4 ** atlas.order, finest: Math.min(atlas.order, depth) });
    cover([0, atlas.units], rest(10), this.#seesOf(0), (x, y, depth) => this.#fill(ctx, surface, x, y, depth));
    for (const depth of atlas.depths) {
      if (!isFineFor(this.#camera, depth)) break;
      ctx.globalAlpha = depth === 0 ? 1 : Math.min(1, (2 ** -depth / this.#camera.side - 0.8) / 0.5);
      for (const tile of atlas.told(this.#camera, depth)) {
        const [left, top, size] = this.#squareOf(surface, tile.x, tile.y, depth);
        ctx.drawImage(atlas.imageOf(tile, palette), left, top, size, size);
      }
    }
    ctx.globalAlpha = 1;
  }

  #paintCurve(ctx: CanvasRenderingContext2D, surface: Surface): void {
    const { width, palette } = surface;
    const { order, units } = this.#atlas;
    const depth = Math.min(order + KEY_DEPTH, Math.floor(Math.log2(width / this.#camera.side / CURVE_PIXELS)));
    const pixels = (width * 2 ** -depth) / this.#camera.side;
    ctx.strokeStyle = palette.ink;
    ctx.lineJoin = 'round';
    for (const [at, opacity] of [
      [depth - 1, CURVE_INK],
      [depth, CURVE_INK * Math.min(1, pixels / CURVE_PIXELS - 1)],
    ] as const) {
      if (at < 1 || opacity <= 0.02) continue;
      ctx.globalAlpha = opacity;
      ctx.lineWidth = at === depth ? 1 : 1.25;
      ctx.beginPath();
      const half = 0.5 * 2 ** -at;
      const isWhole = units === 4 ** order;
      walk(at, this.#seesOf(1.5 * 2 ** -at), (x, y, isNext) => {
        const [left, top] = this.#pointOf(surface, x * 2 ** -at + half, y * 2 ** -at + half);
        // The line ends with the contest.
        const isOver = !isWhole && this.#unitAt(x, y, at) >= units;
        if (isNext && !isOver) ctx.lineTo(left, top);
        else ctx.moveTo(left, top);
      });
      ctx.stroke();
    }
    ctx.globalAlpha = 1;
  }

  #unitAt(x: number, y: number, depth: number): number {
    const { order } = this.#atlas;
    const up = Math.max(0, depth - order);
    const quad = { x: Math.floor(x / 2 ** up), y: Math.floor(y / 2 ** up), depth: depth - up };
    return indexOf(quad) * 4 ** (order - quad.depth);
  }

  #paintOwn(ctx: CanvasRenderingContext2D, surface: Surface): void {
    ctx.fillStyle = surface.palette.accent;
    ctx.globalAlpha = 0.42;
    this.#coverUnits(ctx, surface, this.#scene.own);
    ctx.globalAlpha = 1;
  }

  /** Frames of every third depth round the unit in hand, each with how many keys are in it. */
  #paintFrames(ctx: CanvasRenderingContext2D, surface: Surface): void {
    const focus = this.#focus;
    if (focus === undefined) return;
    const { width, palette } = surface;
    const { order } = this.#atlas;
    ctx.strokeStyle = palette.accent;
    ctx.fillStyle = palette.accent;
    ctx.font = `600 12px ${palette.font}`;
    ctx.textBaseline = 'top';
    for (let depth = order; depth >= 0; depth -= 3) {
      const up = 2 ** (order - depth);
      const [left, top, size] = this.#squareOf(surface, Math.floor(focus.x / up), Math.floor(focus.y / up), depth);
      if (size < 2 * MARK_PIXELS || size > 2.5 * width) continue;
      ctx.globalAlpha = Math.min(1, size / 40 - 0.4);
      ctx.lineWidth = depth === order ? 2 : 1;
      ctx.strokeRect(left, top, size, size);
      const words = formatPowers(`2^${28 + 2 * (order - depth)}`);
      if (size > 56 && size < 1.2 * width)
        this.#label(ctx, surface, words, Math.max(left, 0) + 6, Math.max(top, 0) + 5);
    }
    ctx.globalAlpha = 1;
  }

  #label(ctx: CanvasRenderingContext2D, { palette }: Surface, words: string, left: number, top: number): void {
    ctx.save();
    ctx.lineWidth = 4;
    ctx.lineJoin = 'round';
    ctx.strokeStyle = palette.sheet;
    ctx.strokeText(words, left, top);
    ctx.fillText(words, left, top);
    ctx.restore();
  }

  // ── what moves ────────────────────────────────────────────────────────────────────────────────────────────────

  #paintWork(surface: Surface): void {
    const { ctx, palette } = surface;
    const unitPixels = this.#unitPixels(surface);
    ctx.fillStyle = palette.accent;
    for (const { hand, quad } of this.#places) {
      ctx.globalAlpha = 0.16;
      this.#coverUnits(ctx, surface, [hand.unit, hand.first + hand.count]);
      ctx.globalAlpha = 0.42;
      if (hand.unit > hand.first) this.#coverUnits(ctx, surface, [hand.first, hand.unit]);
      ctx.globalAlpha = 0.62;
      const finest = Math.min(quad.depth + 6, quad.depth + Math.floor(Math.log2(Math.max(1, unitPixels / 2))));
      if (unitPixels >= 2) {
        cover([0, hand.share], { quad, length: 1, finest }, this.#seesOf(0), (x, y, depth, part) => {
          if (part > 0.5) this.#fill(ctx, surface, x, y, depth);
        });
      }
    }
    ctx.globalAlpha = 1;
    if (unitPixels < MARK_PIXELS) this.#paintRings(surface);
    else if (unitPixels > 3 * MARK_PIXELS) this.#paintNear(surface, Math.min(4, 1 + unitPixels / 100));
  }

  #paintRings(surface: Surface): void {
    const { ctx, palette } = surface;
    const quads = this.#places.length > 0 ? this.#places.map(({ quad }) => quad) : [];
    if (quads.length === 0 && this.#focus !== undefined) quads.push(this.#focus);
    for (const quad of quads) {
      const { x, y } = middleOf(quad);
      const [left, top] = this.#pointOf(surface, x, y);
      ctx.beginPath();
      ctx.arc(left, top, 2.5, 0, 2 * Math.PI);
      ctx.fillStyle = palette.accent;
      ctx.fill();
      for (const [colour, line] of [
        [palette.sheet, 5],
        [palette.accent, 2],
      ] as const) {
        ctx.beginPath();
        ctx.arc(left, top, MARK_PIXELS, 0, 2 * Math.PI);
        for (const [across, down] of [
          [1, 0],
          [-1, 0],
          [0, 1],
          [0, -1],
        ] as const) {
          ctx.moveTo(left + across * (MARK_PIXELS + 1), top + down * (MARK_PIXELS + 1));
          ctx.lineTo(left + across * (MARK_PIXELS + 6), top + down * (MARK_PIXELS + 6));
        }
        ctx.strokeStyle = colour;
        ctx.lineWidth = line;
        ctx.stroke();
      }
    }
  }

  #paintNear(surface: Surface, radius: number): void {
    const { ctx, palette } = surface;
    const sees = this.#seesOf(0);
    ctx.beginPath();
    for (const { near } of this.#places) {
      for (const { x, y } of near) {
        if (!sees(x, y, 0)) continue;
        const [left, top] = this.#pointOf(surface, x, y);
        ctx.moveTo(left + radius, top);
        ctx.arc(left, top, radius, 0, 2 * Math.PI);
      }
    }
    ctx.strokeStyle = palette.sheet;
    ctx.lineWidth = radius > 2 ? 3 : 1.5;
    ctx.stroke();
    ctx.fillStyle = palette.ink;
    ctx.fill();
  }

  // ── from shares to pixels ─────────────────────────────────────────────────────────────────────────────────────

  #coverUnits(ctx: CanvasRenderingContext2D, surface: Surface, runs: readonly number[]): void {
    const { order } = this.#atlas;
    const finest = Math.max(0, Math.min(order, Math.floor(Math.log2(surface.width / this.#camera.side / 2))));
    cover(runs, { quad: ROOT, length: 4 ** order, finest }, this.#seesOf(0), (x, y, depth) =>
      this.#fill(ctx, surface, x, y, depth),
    );
  }

  /** To whole pixels, so that neighbours neither overlap nor leave a seam. */
  #fill(ctx: CanvasRenderingContext2D, surface: Surface, x: number, y: number, depth: number): void {
    const [left, top] = this.#pointOf(surface, x * 2 ** -depth, y * 2 ** -depth);
    const [right, bottom] = this.#pointOf(surface, (x + 1) * 2 ** -depth, (y + 1) * 2 ** -depth);
    const { scale, width, height } = surface;
    const snap = (at: number, most: number): number => Math.round(Math.max(-1, Math.min(most + 1, at)) * scale) / scale;
    const [l, t] = [snap(left, width), snap(top, height)];
    ctx.fillRect(l, t, snap(right, width) - l, snap(bottom, height) - t);
  }

  #pointOf({ width }: Surface, x: number, y: number): [left: number, top: number] {
    const { x: cx, y: cy, side } = this.#camera;
    return [((x - cx) / side + 0.5) * width, ((y - cy) / side + 0.5) * width];
  }

  #squareOf(surface: Surface, x: number, y: number, depth: number): [left: number, top: number, size: number] {
    const [left, top] = this.#pointOf(surface, x * 2 ** -depth, y * 2 ** -depth);
    return [left, top, (surface.width * 2 ** -depth) / this.#camera.side];
  }

  #seesOf(margin: number): Sees {
    const { x: cx, y: cy, side } = this.#camera;
    const half = side / 2 + margin;
    return (x, y, size) => x + size > cx - half && x < cx + half && y + size > cy - half && y < cy + half;
  }
}

const middleOf = ({ x, y, depth }: Omit<Quad, 'turn'>): { x: number; y: number } => ({
  x: (x + 0.5) * 2 ** -depth,
  y: (y + 0.5) * 2 ** -depth,
});
