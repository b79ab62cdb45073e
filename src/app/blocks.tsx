/**
 * The blocks in hand: a row for every worker, also for one that waits, so that the page keeps its height while
 * blocks come and go.
 */
import type { BlockProgress, EngineSnapshot } from '../client/snapshot.ts';
import type { Contest } from '../domain/contest.ts';
import { formatRate, formatShare } from './format.ts';
import { texts } from './texts.ts';

export function Blocks({ snapshot }: { snapshot: EngineSnapshot }) {
  const { begun, blocks, contests, pause, workers } = snapshot;
  const waiting = pause === null || pause.reason === 'starting' ? Math.max(0, workers - blocks.length) : 0;
  return (
    <section class="section" aria-labelledby="in-hand">
      <h2 class="margin" id="in-hand">
        {texts.inHand}
      </h2>
      {blocks.length + waiting === 0 ? (
        <p class="empty">{begun > 0 ? texts.inHandBegun(begun) : texts.inHandNone}</p>
      ) : (
        <ol class="rows">
          {blocks.map((block, nth) => (
            <BlockRow key={block.lease} block={block} worker={nth + 1} step={stepOf(block, contests, snapshot.step)} />
          ))}
          {Array.from({ length: waiting }, (_, nth) => (
            <li key={`waits-${nth}`} class="row block">
              <span class="block-name muted">
                {texts.worker(blocks.length + nth + 1)} {texts.waitingForBlock}
              </span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

function BlockRow({ block, worker, step }: { block: BlockProgress; worker: number; step: 'keys' | 'nodes' }) {
  const { contest, count, first, fraction, lease, rate, secondsLeft, steps, unit } = block;
  return (
    <li class="row block" data-block={lease} data-contest={contest} data-steps={steps}>
      <span class="block-name">
        <b>{contest}</b>{' '}
        <span class="block-unit">{texts.unit(unit.toLocaleString('en'), unit - first + 1, count)}</span>
      </span>
      <progress max={1} value={fraction} aria-label={texts.blockProgress(worker, contest)} />
      <span class="block-share">{formatShare(fraction)}</span>
      <span class="block-rate">{formatRate(rate, step)}</span>
      <span class="block-left">
        {secondsLeft === undefined ? <span title={texts.leftUnknown}>–</span> : texts.left(secondsLeft)}
      </span>
    </li>
  );
}

function stepOf(block: BlockProgress, contests: Contest[], otherwise: 'keys' | 'nodes'): 'keys' | 'nodes' {
  const kind = contests.find(({ manifest }) => manifest.name === block.contest)?.manifest.search.kind;
  if (kind === undefined) return otherwise;
  return kind === 'rc5' ? 'keys' : 'nodes';
}
