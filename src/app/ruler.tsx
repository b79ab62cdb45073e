/**
 * A Golomb ruler, drawn to scale: a tick at every mark, the differences between neighbours, and below it a comb
 * with a tooth for every distance that two marks measure. No distance comes twice, which is what makes it one.
 *
 * Ticks are SVG stretched to the width at hand; figures are HTML placed by percentage, so that they keep their
 * size on a phone. Figures that would collide move to a second row, and on a narrow page only the lists remain.
 */
import { texts } from './texts.ts';

export function Ruler({ marks, proved }: { marks: number[]; proved: boolean }) {
  const length = marks.at(-1) ?? 0;
  const differences = marks.slice(1).map((mark, nth) => mark - (marks[nth] ?? 0));
  const distances = marks.flatMap((mark, nth) => marks.slice(0, nth).map((before) => mark - before));
  return (
    <>
      <p class="ruler-title">{texts.rulerTitle(marks.length, length)}</p>
      <p class={proved ? 'ruler-proved' : 'muted'}>{proved ? texts.proved(marks.length) : texts.notProved}</p>
      <figure class="ruler" aria-label={texts.rulerDrawing(marks.length, length)}>
        <div class="ruler-figures" aria-hidden="true">
          {placed(marks, length).map(({ mark, row }) => (
            <span key={mark} data-row={row} style={{ left: `${(100 * mark) / length}%` }}>
              {mark}
            </span>
          ))}
        </div>
        <svg class="ruler-scale" viewBox={`0 0 ${length} 40`} preserveAspectRatio="none" aria-hidden="true">
          <path class="ruler-body" d={`M0 0H${length}V40H0Z`} />
          <path class="ruler-fine" d={Array.from({ length: length + 1 }, (_, at) => `M${at} 40v-5`).join('')} />
          <path class="ruler-mark" d={marks.map((mark) => `M${mark} 0v40`).join('')} />
        </svg>
        <div class="ruler-figures ruler-gaps" aria-hidden="true">
          {differences.map((difference, nth) =>
            difference / length < 0.035 ? null : (
              <span key={difference} style={{ left: `${(100 * ((marks[nth] ?? 0) + difference / 2)) / length}%` }}>
                {difference}
              </span>
            ),
          )}
        </div>
        <svg class="ruler-comb" viewBox={`0 0 ${length + 1} 12`} preserveAspectRatio="none" aria-hidden="true">
          <path d={distances.map((distance) => `M${distance} 0v12`).join('')} />
        </svg>
        <figcaption>{texts.comb(distances.length, length)}</figcaption>
      </figure>
      <dl class="find-facts">
        <div>
          <dt>{texts.marks}</dt>
          <dd>{marks.join(' ')}</dd>
        </div>
        <div>
          <dt>{texts.differences}</dt>
          <dd>{differences.join(' ')}</dd>
        </div>
      </dl>
    </>
  );
}

/** The figures of the marks, each in the first of two rows that has room for it; left out where neither has. */
function placed(marks: number[], length: number): { mark: number; row: number }[] {
  const room = 0.04 * length;
  const ends = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const result: { mark: number; row: number }[] = [];
  // From the end: the length of the ruler is the figure that must not be left out.
  for (const mark of marks.toReversed()) {
    const row = ends.findIndex((end) => end === Number.NEGATIVE_INFINITY || end - mark >= room);
    if (row < 0) continue;
    ends[row] = mark;
    result.push({ mark, row });
  }
  return result;
}
