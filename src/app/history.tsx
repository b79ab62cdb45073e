/**
 * The rate of the last ten minutes. uPlot draws it on a canvas; it is loaded after the first screen stands, and
 * if it cannot be (uPlot reads navigator.language at import, and throws where that is no language tag) the page
 * goes on without the picture. What it shows is also said in a sentence.
 *
 * The axis is that of what is counted now, keys or nodes; what was counted before in the other is a grey line on
 * a scale of its own.
 */
import { useEffect, useRef } from 'preact/hooks';
import type { RateSample } from '../client/snapshot.ts';
import { formatRate } from './format.ts';
import type { Plot } from './plot.ts';
import { texts } from './texts.ts';

const DRAW_EVERY_MS = 5000;

interface Props {
  history: RateSample[];
  rate: number;
  step: 'keys' | 'nodes';
}

export function History({ history, rate, step }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | undefined>(undefined);
  const latest = useRef({ history, step });
  latest.current = { history, step };

  useEffect(() => {
    let gone = false;
    const open = async () => {
      const { openPlot } = await import('./plot.ts');
      if (gone || place.current === null) return;
      plot.current = openPlot(place.current);
      plot.current.draw(latest.current.history, latest.current.step);
    };
    open().catch((error: unknown) => console.warn('The rate is not drawn:', error));
    return () => {
      gone = true;
      plot.current?.close();
      plot.current = undefined;
    };
  }, []);

  // A pixel is more than a second wide: to draw each would move nothing and take a hundredth of a CPU.
  const newest = Math.floor((history.at(-1)?.at ?? 0) / DRAW_EVERY_MS);
  useEffect(() => {
    if (!document.hidden) plot.current?.draw(latest.current.history, latest.current.step);
  }, [newest, step]);

  const highest = Math.max(0, ...history.filter((sample) => sample.step === step).map((sample) => sample.rate));
  const other = history.find((sample) => sample.step !== step)?.step;
  return (
    <figure class="history">
      <figcaption class="visually-hidden">
        {history.length === 0
          ? texts.historyEmpty
          : texts.historySummary(formatRate(rate, step), formatRate(highest, step))}
      </figcaption>
      <div class="plot" data-empty={history.length === 0} ref={place} aria-hidden="true" />
      {other !== undefined && <p class="plot-other">{texts.historyOther(other)}</p>}
      {history.length === 0 && (
        <p class="plot-empty" aria-hidden="true">
          {texts.historyEmpty}
        </p>
      )}
    </figure>
  );
}
