/**
 * The rulers being tried, one below the other, to one scale with the best that was found. Marks move from where they stood when
 * they were last told of to where they stand now; thousands of places between are never seen, as the search is faster.
 */
import { texts } from '../texts.ts';
import type { RulerScene } from './scene.ts';
import type { Next, Surface } from './stage.ts';

/** Five frames: a longer way cost a tenth of a core, and the marks have moved a million times meanwhile anyway. */
const MOVE_MS = 80;
const MARGIN = 12;
export const MOST_ROWS = 4;
/** Heights in CSS pixels, which the style sheet repeats: `--rows`. */
const ROW = 46;
const COMB = 30;
const SCALE = 24;

interface Mark {
  at: number;
  /** 0…1 */
  ink: number;
}

export class RulerPainter {
  #scene: RulerScene;
  /** Where the marks were, row by row, when the last ones were told. */
  #before: Mark[][] = [];
  #movedAt = Number.NEGATIVE_INFINITY;

  constructor(scene: RulerScene) {
    this.#scene = scene;
  }

  show(scene: RulerScene): void {
    const now = performance.now();
    this.#before = this.#scene.hands.map((_, row) => this.#marks(row, now));
    const isSame = scene.hands.join('/') === this.#scene.hands.join('/');
    this.#scene = scene;
    if (!isSame) this.#movedAt = now;
  }

  paint(surface: Surface): Next {
    const { ctx, width, height, palette, now, isStill } = surface;
    const { hands, best, maxLength, fixed } = this.#scene;
    ctx.fillStyle = palette.sheet;
    ctx.fillRect(0, 0, width, height);
    const length = Math.max(maxLength, best?.at(-1) ?? 0, 1);
    const placed = (at: number): number => MARGIN + (at / length) * (width - 2 * MARGIN);
    // On a phone marks would run together.
    const thick = placed(1) - placed(0) < 0.8 ? 1 : 2;
    const moment = isStill ? Number.POSITIVE_INFINITY : now;
    const rows = Math.max(1, Math.min(MOST_ROWS, hands.length));
    for (let row = 0; row < rows; row++) {
      const top = row * ROW + 6;
      this.#paintBody(surface, top, placed(0), placed(length));
      for (const [nth, { at, ink }] of this.#marks(row, moment).entries()) {
        ctx.globalAlpha = ink;
        ctx.fillStyle = nth < fixed ? palette.ink : palette.accent;
        ctx.fillRect(Math.round(placed(at)) - thick / 2, top, thick, ROW - 14);
      }
      ctx.globalAlpha = 1;
    }
    const below = rows * ROW;
    this.#paintComb(surface, below, placed, this.#marks(0, moment));
    this.#paintScale(surface, below + COMB, placed, length);
    this.#paintBest(surface, below + COMB + SCALE, placed);
    return !isStill && now - this.#movedAt < MOVE_MS ? 'moves' : 'rests';
  }

  /** The marks of a row at a moment: each on its way, new ones appearing, old ones going. */
  #marks(row: number, now: number): Mark[] {
    const share = Math.min(1, Math.max(0, (now - this.#movedAt) / MOVE_MS));
    const eased = 1 - (1 - share) ** 3;
    const after = this.#scene.hands[row] ?? [];
    const before = this.#before[row] ?? [];
    return Array.from({ length: Math.max(after.length, share < 1 ? before.length : 0) }, (_, nth) => {
      const [to, from] = [after[nth], before[nth]];
      if (to === undefined) return { at: from?.at ?? 0, ink: (from?.ink ?? 0) * (1 - eased) };
      if (from === undefined) return { at: to, ink: eased };
      return { at: from.at + (to - from.at) * eased, ink: from.ink + (1 - from.ink) * eased };
    });
  }

  #paintBody({ ctx, palette }: Surface, top: number, left: number, right: number): void {
    ctx.fillStyle = palette.paper;
    ctx.fillRect(left, top, right - left, ROW - 14);
    ctx.strokeStyle = palette.rule;
    ctx.lineWidth = 1;
    ctx.strokeRect(Math.round(left) + 0.5, top + 0.5, Math.round(right - left) - 1, ROW - 15);
  }

  /** A tooth for every distance that two marks of the first ruler measure: none comes twice. */
  #paintComb({ ctx, palette }: Surface, top: number, placed: (at: number) => number, marks: Mark[]): void {
    ctx.fillStyle = palette.strong;
    for (const [nth, mark] of marks.entries()) {
      for (const other of marks.slice(0, nth)) {
        ctx.globalAlpha = 0.75 * Math.min(mark.ink, other.ink);
        ctx.fillRect(Math.round(placed(mark.at - other.at)) - 0.5, top, 1, COMB - 14);
      }
    }
    ctx.globalAlpha = 1;
  }

  #paintScale({ ctx, width, palette }: Surface, top: number, placed: (at: number) => number, length: number): void {
    const step = [10, 20, 50, 100, 200].find((size) => (size / length) * width > 44) ?? 500;
    ctx.font = `11px ${palette.font}`;
    ctx.textBaseline = 'top';
    ctx.textAlign = 'center';
    ctx.fillStyle = palette.soft;
    for (let at = 0; at <= length; at += step / 10) {
      const isLong = at % step === 0;
      ctx.fillRect(Math.round(placed(at)), top - 6, 1, isLong ? 5 : 3);
      if (isLong && placed(at) < width - MARGIN - 2) ctx.fillText(`${at}`, Math.max(placed(at), MARGIN), top + 2);
    }
    ctx.textAlign = 'start';
  }

  #paintBest(surface: Surface, top: number, placed: (at: number) => number): void {
    const { best, maxLength } = this.#scene;
    const { ctx, palette } = surface;
    this.#paintBody(surface, top, placed(0), placed(best?.at(-1) ?? maxLength));
    ctx.fillStyle = palette.ink;
    for (const at of best ?? []) ctx.fillRect(Math.round(placed(at)) - 1, top, 2, ROW - 14);
    if (best !== undefined) return;
    ctx.fillStyle = palette.soft;
    ctx.textBaseline = 'middle';
    ctx.fillText(texts.picture.noBest(maxLength), placed(0) + 8, top + (ROW - 14) / 2 + 1);
  }
}
