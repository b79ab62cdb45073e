/**
 * The rate of the last minute, hour, day or month. uPlot draws it on a canvas; it is loaded after the first screen stands,
 * and if it cannot be (uPlot reads navigator.language at import, and throws where that is no language tag) the page
 * goes on without the picture. What it shows is also said in a sentence.
 *
 * The axis is that of what is counted now, keys or nodes; what was counted before in the other is a grey line on
 * a scale of its own.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import { SPANS, type Span } from '../client/rate-history.ts';
import type { EngineControl } from '../client/snapshot.ts';
import { formatRate } from './format.ts';
import type { Plot } from './plot.ts';
import { texts } from './texts.ts';
import { useNow } from './use-snapshot.ts';

const spans = Object.keys(SPANS) as Span[];

interface Props {
  history: EngineControl['history'];
  rate: number;
  step: 'keys' | 'nodes';
}

export function History({ history, rate, step }: Props) {
  const [span, setSpan] = useState<Span>('minute');
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | undefined>(undefined);
  const means = history.of(span);
  const draw = () => plot.current?.draw(means, span, step);
  const latest = useRef(draw);
  latest.current = draw;

  useEffect(() => {
    let gone = false;
    const open = async () => {
      const { openPlot } = await import('./plot.ts');
      if (gone || place.current === null) return;
      plot.current = openPlot(place.current);
      latest.current();
    };
    open().catch((error: unknown) => console.warn('The rate is not drawn:', error));
    return () => {
      gone = true;
      plot.current?.close();
      plot.current = undefined;
    };
  }, []);

  // The picture moves with the clock, a pixel or two at a time: to draw each second would take a hundredth of a CPU.
  const moment = Math.floor(useNow(true) / (2000 * SPANS[span].every));
  useEffect(() => {
    if (!document.hidden) latest.current();
  }, [moment, span, step]);

  const oldest = Date.now() - 1000 * SPANS[span].every * SPANS[span].count;
  const shown = means.filter(({ at }) => at >= oldest);
  const isEmpty = shown.length === 0;
  const highest = Math.max(0, ...shown.filter((mean) => mean.step === step).map((mean) => mean.rate));
  const other = shown.find((mean) => mean.step !== step)?.step;
  const emptyText = history.of('month').length === 0 ? texts.historyEmpty(span) : texts.historyNone(span);
  return (
    <figure class="history" data-testid="history" data-means={shown.length}>
      <figcaption class="visually-hidden">
        {isEmpty ? emptyText : texts.historySummary(span, formatRate(rate, step), formatRate(highest, step))}
      </figcaption>
      <div class="plot" data-empty={isEmpty} ref={place} aria-hidden="true" />
      {other !== undefined && <p class="plot-other">{texts.historyOther(other)}</p>}
      {isEmpty && (
        <p class="plot-empty" aria-hidden="true">
          {emptyText}
        </p>
      )}
      <fieldset class="spans">
        <legend class="visually-hidden">{texts.history}</legend>
        {spans.map((name) => (
          <label key={name}>
            <input type="radio" name="span" checked={name === span} onChange={() => setSpan(name)} />
            <span>{texts.historySpans[name]}</span>
          </label>
        ))}
      </fieldset>
    </figure>
  );
}
