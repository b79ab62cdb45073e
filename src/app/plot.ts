/**
 * uPlot with this page's axes and colours: the part of the plot that is loaded late. Colours are the style
 * sheet's custom properties, read at every drawing, so that a change of theme needs no second set here.
 */
import 'uplot/dist/uPlot.min.css';
import uPlot from 'uplot';
import type { RateSample } from '../client/snapshot.ts';
import { formatAxis } from './format.ts';
import { texts } from './texts.ts';

export interface Plot {
  draw(history: RateSample[], step: 'keys' | 'nodes'): void;
  close(): void;
}

const minutes = 10;
const height = 132;
/** Samples come once a second; a longer hole than this is a pause, and is drawn as one. */
const holeMs = 3500;

export function openPlot(place: HTMLElement): Plot {
  // A canvas knows no custom property, nor which of two colours a theme means: the style of an element does.
  const sample = document.createElement('i');
  sample.hidden = true;
  place.append(sample);
  const colour = (name: string) => () => {
    sample.style.color = `var(${name})`;
    return getComputedStyle(sample).color;
  };
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
      scales: { x: { time: false, range: [-minutes, 0] }, rate: scale, other: scale },
      series: [{}, series('rate', '--accent'), series('other', '--rule-strong')],
      axes: [
        {
          size: 26,
          gap: 6,
          font: font(),
          stroke: colour('--ink-soft'),
          splits: [-10, -5, 0],
          values: () => [texts.tenMinutesAgo, texts.fiveMinutesAgo, texts.now],
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
    draw(history, step) {
      plot.setData(columns(history, step));
    },
    close() {
      dark.removeEventListener('change', recolour);
      sample.remove();
      resized.disconnect();
      plot.destroy();
    },
  };
}

/** Minutes before the newest sample, the rates counted in `step`, and the others; null where there is none. */
function columns(history: RateSample[], step: 'keys' | 'nodes'): uPlot.AlignedData {
  const at: number[] = [];
  const rates: (number | null)[] = [];
  const others: (number | null)[] = [];
  const newest = history.at(-1)?.at ?? 0;
  let before: number | undefined;
  const add = (ms: number, rate: number | null, other: number | null) => {
    at.push((ms - newest) / 60_000);
    rates.push(rate);
    others.push(other);
  };
  for (const sample of history) {
    if (before !== undefined && sample.at - before > holeMs) add(before + 1, null, null);
    add(sample.at, sample.step === step ? sample.rate : null, sample.step === step ? null : sample.rate);
    before = sample.at;
  }
  return [at, rates, others];
}
