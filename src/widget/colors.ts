/** The page's colours, as far as text in them can be read (WCAG 2.2, 1.4.3 and 1.4.11). */
import type { WidgetColors } from './messages.ts';

const TEXT_CONTRAST = 4.5;
const ACCENT_CONTRAST = 3;

type Rgb = [red: number, green: number, blue: number];

/** Sets those of them that can be used on the element; takes away the others. */
export function paint(element: HTMLElement, { background, text, accent }: WidgetColors): void {
  const { style } = element;
  for (const name of ['paper', 'ink', 'ink-soft', 'accent', 'on-accent']) style.removeProperty(`--${name}`);
  const [paper, ink] = [rgbOf(background), rgbOf(text)];
  const usable = paper !== undefined && ink !== undefined && contrast(paper, ink) >= TEXT_CONTRAST;
  if (usable) {
    style.setProperty('--paper', css(paper));
    for (const name of ['ink', 'ink-soft']) style.setProperty(`--${name}`, css(ink));
  }
  const mark = rgbOf(accent);
  const ground = usable ? paper : rgbOf(getComputedStyle(element).backgroundColor);
  if (mark === undefined || ground === undefined || contrast(mark, ground) < ACCENT_CONTRAST) return;
  style.setProperty('--accent', css(mark));
  style.setProperty('--on-accent', contrast(mark, WHITE) >= contrast(mark, BLACK) ? '#fff' : '#000');
}

const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [0, 0, 0];

const css = (rgb: Rgb): string => `rgb(${rgb.join(' ')})`;

/** Whatever CSS calls an opaque colour; undefined: it is none. */
function rgbOf(color: unknown): Rgb | undefined {
  if (typeof color !== 'string' || !CSS.supports('color', color)) return undefined;
  const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  if (context === null) return undefined;
  context.fillStyle = color;
  context.fillRect(0, 0, 1, 1);
  const [red = 0, green = 0, blue = 0, alpha = 0] = context.getImageData(0, 0, 1, 1).data;
  return alpha === 255 ? [red, green, blue] : undefined;
}

/** WCAG's contrast ratio, 1 to 21. */
export function contrast(a: Rgb, b: Rgb): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].toSorted((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

function luminance(rgb: Rgb): number {
  const [red = 0, green = 0, blue = 0] = rgb.map((value) => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
