/**
 * uPlot with this page's axes and colours: the part of the plot that is loaded late. Colours are the style
 * sheet's custom properties, read at every drawing, so that a change of theme needs no second set here.
 */
import 'uplot/dist/uPlot.min.css';
import uPlot from 'uplot';
import { type RateMean, SPANS, type Span } from '../client/rate-history.ts';
import { formatAxis } from './format.ts';
import { texts } from './texts.ts';

export interface Plot {
  draw(means: readonly RateMean[], span: Span, step: 'keys' | 'nodes'): void;
  close(): void;
}

const height = 132;
/** A longer hole than so many means is a pause, and is drawn as one. */
const holeMeans = 3.5;
/** Means of five minutes and more are drawn as the stairs they are; a short line would hide that. */
const stairsFrom = 300;

export function openPlot(place: HTMLElement): Plot {
  // A canvas knows no custom property, nor which of two colours a theme means: the style of an element does.
  const sample = document.createElement('i');
  sample.hidden = true;
  place.append(sample);
  const colour = (name: string) => () => {
    sample.style.color = `var(${name})`;
    return getComputedStyle(sample).color;
  };
  let shown: Span = 'minute';
  const font = () => `12px ${getComputedStyle(place).fontFamily}`;
  const scale: uPlot.Scale = { range: (_plot, _min, max) => [0, max > 0 ? max * 1.12 : 1] };
  const series = (scale: string, ink: string): uPlot.Series => ({
    scale,
    stroke: colour(ink),
    width: 1.75,
    points: { show: false },
  });
  const plot = new uPlot(
    {
      width: Math.max(1, place.clientWidth),
      height,
      padding: [8, 0, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      select: { show: false, left: 0, top: 0, width: 0, height: 0 },
      scales: { x: { time: false, range: () => [-secondsOf(shown), 0] }, rate: scale, other: scale },
      series: [{}, series('rate', '--accent'), series('other', '--rule-strong')],
      axes: [
        {
          size: 26,
          gap: 6,
          font: font(),
          stroke: colour('--ink-soft'),
          splits: () => [-secondsOf(shown), -secondsOf(shown) / 2, 0],
          values: () => [...texts.historyAgo[shown], texts.now],
          // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- a const enum, which has no value at run time
          align: 1,
          grid: { show: false },
          ticks: { stroke: colour('--rule-strong'), width: 1, size: 5 },
        },
        {
          scale: 'rate',
          // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- a const enum, which has no value at run time
          side: 1,
          size: 46,
          gap: 6,
          space: 36,
          font: font(),
          stroke: colour('--ink-soft'),
          grid: { stroke: colour('--rule'), width: 1 },
          ticks: { show: false },
          // Without any rate yet, the zero line alone.
          values: (_plot, splits) => splits.map((rate) => (rate > 0 && rate <= 1 ? '' : formatAxis(rate))),
        },
      ],
    },
    [[], [], []],
    place,
  );

  const resized = new ResizeObserver(() => plot.setSize({ width: Math.max(1, place.clientWidth), height }));
  resized.observe(place);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const recolour = () => plot.redraw(false);
  dark.addEventListener('change', recolour);

  return {
    draw(means, span, step) {
      shown = span;
      plot.setData(columns(means, span, step, Date.now()));
    },
    close() {
      dark.removeEventListener('change', recolour);
      sample.remove();
      resized.disconnect();
      plot.destroy();
    },
  };
}

const secondsOf = (span: Span): number => SPANS[span].every * SPANS[span].count;

/** Seconds from now, the rates counted in `step`, and the others; null where there is none. */
function columns(means: readonly RateMean[], span: Span, step: 'keys' | 'nodes', now: number): uPlot.AlignedData {
  const { every } = SPANS[span];
  const at: number[] = [];
  const rates: (number | null)[] = [];
  const others: (number | null)[] = [];
  let before: number | undefined;
  const add = (seconds: number, rate: number | null, other: number | null) => {
    at.push(Math.min(0, seconds));
    rates.push(rate);
    others.push(other);
  };
  for (const mean of means) {
    const from = (mean.at - now) / 1000;
    if (from < -secondsOf(span) - every || from > 0) continue;
    if (before !== undefined && from - before > holeMeans * every) add(before + every, null, null);
    const isStep = mean.step === step;
    const points = every < stairsFrom ? [from + every / 2] : [from, from + every];
    for (const point of points) add(point, isStep ? mean.rate : null, isStep ? null : mean.rate);
    before = from;
  }
  return [at, rates, others];
}
