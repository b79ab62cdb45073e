/**
 * A canvas that draws only while something moves and somebody can see it. A painter says after each drawing whether it needs
 * another frame; otherwise the next drawing is that of the next snapshot, in a second. Hidden, out of sight or without a size it draws nothing at all; for those
 * who ask for reduced motion it draws when it is told to, and never by itself.
 */

/** `moves`: again in the next frame. `rests`: not until `draw` is called. */
export type Next = 'moves' | 'rests';

export interface Surface {
  ctx: CanvasRenderingContext2D;
  /** CSS pixels; the canvas has `scale` times as many. */
  width: number;
  height: number;
  scale: number;
  palette: Palette;
  /** Milliseconds, of `performance.now()`. */
  now: number;
  /** Nothing is to move: what would be animated is drawn as it will be. */
  isStill: boolean;
}

export type Paint = (surface: Surface) => Next;

/** More pixels than that in a CSS pixel nobody sees, and each costs. */
const MOST_SCALE = 2;

const INKS = {
  sheet: '--sheet',
  paper: '--paper',
  bar: '--bar',
  ink: '--ink',
  soft: '--ink-soft',
  rule: '--rule',
  strong: '--rule-strong',
  accent: '--accent',
} as const;
export type Palette = Record<keyof typeof INKS | 'font', string>;

export class Stage {
  readonly #place: HTMLElement;
  readonly #canvas = document.createElement('canvas');
  readonly #ctx: CanvasRenderingContext2D;
  readonly #paint: Paint;
  readonly #closing = new AbortController();
  readonly #observers: { disconnect(): void }[];
  readonly #reduced = matchMedia('(prefers-reduced-motion: reduce)');
  #palette: Palette | undefined;
  #isInView = false;
  #frame = 0;
  #isClosed = false;

  constructor(place: HTMLElement, paint: Paint) {
    // Without transparency, and (in the style sheet) a layer of its own: half the work for the compositor.
    const ctx = this.#canvas.getContext('2d', { alpha: false });
    if (ctx === null) throw new Error('this browser draws nothing');
    this.#place = place;
    this.#ctx = ctx;
    this.#paint = paint;
    place.append(this.#canvas);
    const { signal } = this.#closing;
    document.addEventListener('visibilitychange', () => this.draw(), { signal });
    this.#reduced.addEventListener('change', () => this.draw(), { signal });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#recolour(), { signal });
    const sized = new ResizeObserver(() => this.#resize());
    sized.observe(place);
    // A little before it comes into sight, so that nobody who scrolls fast meets an empty sheet.
    const seen = new IntersectionObserver(
      ([entry]) => {
        this.#isInView = entry?.isIntersecting ?? false;
        this.draw();
      },
      { rootMargin: '20%' },
    );
    seen.observe(place);
    const themed = new MutationObserver(() => this.#recolour());
    themed.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    this.#observers = [sized, seen, themed];
    this.#resize();
  }

  get isStill(): boolean {
    return this.#reduced.matches;
  }

  /** Whether anybody can see it now. */
  get isSeen(): boolean {
    return this.#isInView && !document.hidden && !this.#isClosed;
  }

  /** Something changed: draws in the next frame, or at once where nothing may move, or when it is seen again. */
  draw(): void {
    if (!this.isSeen) return this.#rest();
    if (this.isStill) {
      this.#rest();
      this.#draw(performance.now());
    } else if (this.#frame === 0) {
      this.#frame = requestAnimationFrame((now) => this.#draw(now));
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#rest();
    this.#closing.abort();
    for (const observer of this.#observers) observer.disconnect();
    this.#canvas.remove();
  }

  #rest(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }

  #draw(now: number): void {
    this.#rest();
    if (!this.isSeen) return;
    const { width: pixels, height: lines } = this.#canvas;
    if (pixels === 0 || lines === 0) return;
    const scale = scaleOf();
    this.#palette ??= paletteOf(this.#place);
    this.#ctx.setTransform(scale, 0, 0, scale, 0, 0);
    const next = this.#paint({
      ctx: this.#ctx,
      width: pixels / scale,
      height: lines / scale,
      scale,
      palette: this.#palette,
      now,
      isStill: this.isStill,
    });
    if (next === 'moves' && !this.isStill) this.draw();
  }

  #resize(): void {
    const scale = scaleOf();
    const [width, height] = [this.#place.clientWidth, this.#place.clientHeight].map((side) => Math.round(side * scale));
    if (width === this.#canvas.width && height === this.#canvas.height) return;
    this.#canvas.width = width ?? 0;
    this.#canvas.height = height ?? 0;
    // Black until something is drawn, otherwise.
    this.#palette ??= paletteOf(this.#place);
    this.#ctx.fillStyle = this.#palette.sheet;
    this.#ctx.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
    this.draw();
  }

  #recolour(): void {
    this.#palette = undefined;
    this.draw();
  }
}

const scaleOf = (): number => Math.min(MOST_SCALE, devicePixelRatio || 1);

/** A canvas knows no custom property, nor which of two colours a theme means: the style of an element does. */
function paletteOf(place: HTMLElement): Palette {
  const sample = document.createElement('i');
  sample.hidden = true;
  place.append(sample);
  const colours = Object.entries(INKS).map(([name, property]) => {
    sample.style.color = `var(${property})`;
    return [name, getComputedStyle(sample).color];
  });
  sample.remove();
  return { ...(Object.fromEntries(colours) as Palette), font: getComputedStyle(place).fontFamily };
}
