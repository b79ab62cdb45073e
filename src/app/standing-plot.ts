/** uPlot for the standing: bars over hours or days in this page's colours, which are read at every drawing as in `plot.ts`. */
import 'uplot/dist/uPlot.min.css';
import uPlot from 'uplot';
import { formatAxis, formatClock, formatDate, formatUtcDate } from './format.ts';

export interface SpanBar {
  /** When it begins, milliseconds since 1970. */
  at: number;
  seconds: number;
  value: number;
}

export interface SpanPlot {
  draw(bars: readonly SpanBar[]): void;
  close(): void;
}

const height = 148;
const DAY = 86_400;

/** @param days each bar is a day of UTC's; otherwise an hour. */
export function openSpanPlot(place: HTMLElement, days: boolean): SpanPlot {
  const every = days ? DAY : 3600;
  const sample = document.createElement('i');
  sample.hidden = true;
  place.append(sample);
  const colour = (name: string) => () => {
    sample.style.color = `var(${name})`;
    return getComputedStyle(sample).color;
  };
  const font = () => `12px ${getComputedStyle(place).fontFamily}`;
  const label = (at: number, range: number): string => {
    const text = days ? formatUtcDate(at * 1000) : formatDate(at * 1000);
    const short = text.replace(/ \d+$/, '');
    return range > 2 * DAY ? short : formatClock(at * 1000);
  };
  const bars = uPlot.paths.bars?.({ align: 1, size: [0.86, 40] });
  const plot = new uPlot(
    {
      width: Math.max(1, place.clientWidth),
      height,
      padding: [8, 0, 0, 20],
      legend: { show: false },
      cursor: { show: false },
      select: { show: false, left: 0, top: 0, width: 0, height: 0 },
      scales: {
        // A single bar among a few places, and not as wide as the page. By the data: of one alone uPlot says that it lasts a thousand days.
        x: {
          time: true,
          range: ({ data: [at] }, min, max) => {
            const last = at.at(-1) ?? max;
            return [Math.min(min, last - 6 * every), last + every];
          },
        },
        y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.1 : 1] },
      },
      series: [
        {},
        {
          stroke: colour('--accent'),
          fill: colour('--accent'),
          width: 0,
          points: { show: false },
          ...(bars === undefined ? {} : { paths: bars }),
        },
      ],
      axes: [
        {
          size: 26,
          gap: 6,
          space: 64,
          font: font(),
          stroke: colour('--ink-soft'),
          values: (self, splits) => {
            const { min = 0, max = 0 } = self.scales['x'] ?? {};
            const texts = splits.map((at) => label(at, (max ?? 0) - (min ?? 0)));
            return texts.map((text, i) => (text === texts[i - 1] ? '' : text));
          },
          grid: { show: false },
          ticks: { stroke: colour('--rule-strong'), width: 1, size: 5 },
        },
        {
          // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- a const enum, which has no value at run time
          side: 1,
          size: 52,
          gap: 6,
          space: 36,
          font: font(),
          stroke: colour('--ink-soft'),
          grid: { stroke: colour('--rule'), width: 1 },
          ticks: { show: false },
          values: (_plot, splits) =>
            splits.map((value) => (value > 0 && value < 1 ? String(value) : formatAxis(value))),
        },
      ],
    },
    [[], []],
    place,
  );
  const resized = new ResizeObserver(() => plot.setSize({ width: Math.max(1, place.clientWidth), height }));
  resized.observe(place);
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const recolour = () => plot.redraw(false);
  dark.addEventListener('change', recolour);
  return {
    draw(some) {
      plot.setData([some.map(({ at }) => at / 1000), some.map(({ value }) => value)]);
    },
    close() {
      dark.removeEventListener('change', recolour);
      sample.remove();
      resized.disconnect();
      plot.destroy();
    },
  };
}
