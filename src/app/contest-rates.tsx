/** How fast each contest goes, how far it is and until when; of one of them, the rate over time as a plot. */
import { useEffect, useRef } from 'preact/hooks';
import type { EngineSnapshot } from '../client/snapshot.ts';
import type { Contest } from '../domain/contest.ts';
import { pointsPerUnit } from '../domain/points.ts';
import { KEYS_PER_UNIT } from '../domain/work.ts';
import { ratesPath } from '../protocol/http-standings.ts';
import type { ContestRates, RateSpan } from '../protocol/standing.ts';
import { formatRate, formatShare } from './format.ts';
import { Files } from './standing-parts.tsx';
import type { SpanPlot } from './standing-plot.ts';
import { standingTexts as t } from './standing-texts.ts';
import { standings } from './standings.ts';
import { texts } from './texts.ts';
import { useAnswer } from './use-answer.ts';

interface RowsProps {
  snapshot: EngineSnapshot;
  /** The one that is looked at; undefined: all. */
  contest: string | undefined;
  span: RateSpan;
}

export function ContestRows({ snapshot, contest, span }: RowsProps) {
  const reached = snapshot.gateway.state === 'reached';
  const some = snapshot.contests.filter(({ manifest }) => contest === undefined || manifest.name === contest);
  // Where all are looked at, the open one in which most was done.
  const worth = ({ manifest, state }: Contest) =>
    (state.state === 'open' ? 1 : 0) + state.done * pointsPerUnit(manifest);
  const drawn = some.toSorted((a, b) => worth(b) - worth(a))[0];
  if (drawn === undefined) return null;
  return (
    <section class="section" aria-labelledby="rates">
      <h2 class="margin" id="rates">
        {t.contests}
      </h2>
      <div class="standing">
        <ul class="rows">
          {some.map((one) => (
            <RateRow key={one.manifest.name} contest={one} span={span} reached={reached} drawn={one === drawn} />
          ))}
        </ul>
      </div>
    </section>
  );
}

interface RowProps {
  contest: Contest;
  span: RateSpan;
  reached: boolean;
  drawn: boolean;
}

function RateRow({ contest: { manifest, state }, span, reached, drawn }: RowProps) {
  const { name, title, closes, search } = manifest;
  const { value, isOther } = useAnswer<ContestRates>(`${name} ${span}`, () => standings.rates(name, span), reached);
  const open = state.state === 'open';
  const done = value?.done ?? state.done;
  const rate = (unitsPerSecond: number): string =>
    search.kind === 'rc5' ? formatRate(unitsPerSecond * KEYS_PER_UNIT, 'keys') : t.unitsAnHour(3600 * unitsPerSecond);
  return (
    <li class="row contest" data-rates={name} data-state={state.state}>
      <div class="contest-head">
        <h3>{title}</h3>
        {!drawn && <a href={`/standing?contest=${name}&span=${span === 'day' ? 'today' : span}`}>{t.rateOver[span]}</a>}
      </div>
      <progress max={state.units} value={done} aria-label={texts.contestProgress(title)} />
      <p class="contest-figures">
        <span>{state.closedBy === 'hit' ? texts.enough(done, state.units) : texts.done(done, state.units)}</span>
        {open && <span>{formatShare(done / state.units)}</span>}
        {open && value !== undefined && (
          <span>{value.unitsPerSecond > 0 ? t.rate(rate(value.unitsPerSecond)) : t.standsStill}</span>
        )}
        {open && value?.secondsLeft !== undefined && (
          <span>{t.end(value.secondsLeft, value.at, closes === 'hit')}</span>
        )}
      </p>
      {drawn && value !== undefined && !isOther && (
        <RateFigure rates={value} title={title} rate={rate} isKeys={search.kind === 'rc5'} />
      )}
    </li>
  );
}

interface FigureProps {
  rates: ContestRates;
  title: string;
  rate: (unitsPerSecond: number) => string;
  isKeys: boolean;
}

function RateFigure({ rates, title, rate, isKeys }: FigureProps) {
  const { contest, span, spans } = rates;
  const highest = Math.max(0, ...spans.map(({ unitsPerSecond }) => unitsPerSecond));
  // On the axis: keys a second, or units an hour.
  const scale = isKeys ? KEYS_PER_UNIT : 3600;
  const what = t.rateOf(t.rateOver[span], title);
  return (
    <figure class="rate-figure">
      <figcaption>
        {t.rateOver[span]}
        <span class="visually-hidden">{t.rateSummary(title, spans.length, rate(highest))}</span>
      </figcaption>
      {spans.length === 0 ? (
        <p class="muted">{t.rateEmpty}</p>
      ) : (
        <Bars
          bars={spans.map(({ at, seconds, unitsPerSecond }) => ({ at, seconds, value: unitsPerSecond * scale }))}
          days={span === 'all'}
        />
      )}
      <Files what={what} csv={ratesPath(contest, span, '.csv')} json={ratesPath(contest, span)} />
    </figure>
  );
}

/** Bars over time. uPlot comes late, and where it does not the page goes on: the figures are in the table, too. */
export function Bars({
  bars,
  days,
}: {
  bars: readonly { at: number; seconds: number; value: number }[];
  days: boolean;
}) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<SpanPlot | undefined>(undefined);
  const latest = useRef(bars);
  latest.current = bars;
  useEffect(() => {
    let gone = false;
    const open = async (): Promise<void> => {
      const { openSpanPlot } = await import('./standing-plot.ts');
      if (gone || place.current === null) return;
      plot.current = openSpanPlot(place.current, days);
      plot.current.draw(latest.current);
    };
    open().catch((error: unknown) => console.warn('The rate is not drawn:', error));
    return () => {
      gone = true;
      plot.current?.close();
      plot.current = undefined;
    };
  }, [days]);
  useEffect(() => plot.current?.draw(bars), [bars]);
  return <div class="span-plot" ref={place} aria-hidden="true" />;
}
