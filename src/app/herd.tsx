/**
 * The drawing on the first visit, where the rate and its plot will be: a herd of browser tabs walking along a
 * ruler. Their legs stand on the marks of an optimal Golomb ruler of seven marks, so no distance between two legs
 * comes twice.
 */
const marks = [0, 1, 7, 11, 20, 23, 25];
const unit = 18;
const ground = 150;
const legs = 26;

const herd = [
  { legs: [0, 1], from: -0.9, to: 1.9, height: 42, class: 'herd-calf' },
  { legs: [7, 11], from: 6, to: 12, height: 70, class: 'herd-tab' },
  { legs: [20, 23, 25], from: 18.7, to: 26.3, height: 104, class: 'herd-lead' },
];

/** A tab as browsers draw it: round above, with a flare to either side at its foot. */
function body(from: number, to: number, height: number): string {
  const width = (to - from) * unit;
  const round = Math.min(18, height / 3);
  const side = height - round - 9;
  return [
    `M${from * unit - 9} ${ground - legs}`,
    `q9 0 9 -9v${-side}q0 ${-round} ${round} ${-round}h${width - 2 * round}`,
    `q${round} 0 ${round} ${round}v${side}q0 9 9 9z`,
  ].join('');
}

export function Herd() {
  return (
    <svg class="herd" viewBox="-32 8 520 184" aria-hidden="true">
      {herd.map((tab) => (
        <g key={tab.class} class={tab.class}>
          <path d={body(tab.from, tab.to, tab.height)} />
          <path d={tab.legs.map((at) => `M${at * unit - 4} ${ground - legs - 1}h8V${ground}h-8z`).join('')} />
        </g>
      ))}
      <path class="herd-ruler" d={`M-32 ${ground}H488`} />
      <path class="herd-tick" d={Array.from({ length: 28 }, (_, at) => `M${(at - 1) * unit} ${ground}v7`).join('')} />
      <path class="herd-ruler" d={marks.map((at) => `M${at * unit} ${ground}v14`).join('')} />
      {marks.map((at) => (
        <text key={at} class="herd-figure" x={at * unit} y={ground + 32} text-anchor="middle">
          {at}
        </text>
      ))}
    </svg>
  );
}
