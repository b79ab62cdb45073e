/**
 * The picture's words and buttons beside what draws it: the key space as a map, or the ruler being tried. Where it cannot be
 * drawn the words remain.
 */
import './picture.css';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { BlockProgress, EngineSnapshot } from '../../client/snapshot.ts';
import type { Contest } from '../../domain/contest.ts';
import { formatCount, formatPowers, formatShare } from '../format.ts';
import { texts } from '../texts.ts';
import type { Picture as Drawn, SightInfo } from './open-picture.ts';
import { type KeysScene, type RulerScene, sceneOf } from './scene.ts';

const words = texts.picture;
/** One press shows sixteen times as many keys, or as few. */
const ZOOM = 4;

export interface PictureProps {
  snapshot: EngineSnapshot;
  contest: Contest;
}

export function SearchPicture({ snapshot, contest }: PictureProps) {
  const place = useRef<HTMLDivElement>(null);
  const drawn = useRef<Drawn | undefined>(undefined);
  const [sight, setSight] = useState<SightInfo>();
  const scene = sceneOf(snapshot, contest, useBlocks(snapshot, contest.manifest.name));
  const latest = useRef(scene);
  latest.current = scene;

  useEffect(() => {
    let isGone = false;
    const open = async () => {
      const { openPicture } = await import('./open-picture.ts');
      if (isGone || place.current === null) return;
      drawn.current = openPicture(place.current, latest.current, setSight);
    };
    open().catch((error: unknown) => console.warn('There is no picture:', error));
    return () => {
      isGone = true;
      drawn.current?.close();
      drawn.current = undefined;
    };
  }, []);
  // Before the frame is drawn in which the words change: a second one would cost as much again.
  useLayoutEffect(() => drawn.current?.show(latest.current), [snapshot]);

  return (
    <figure
      class="picture"
      aria-label={words.title}
      data-kind={scene.kind}
      data-testid="picture"
      data-cells-done={sight?.cellsDone}
    >
      <div
        class="picture-place"
        ref={place}
        role="img"
        aria-label={scene.kind === 'rc5' ? mapWords(scene) : rulerWords(scene)}
        style={scene.kind === 'ogr' ? { '--rows': Math.max(1, Math.min(4, scene.hands.length)) } : undefined}
      />
      {scene.kind === 'rc5' ? <KeysSide scene={scene} sight={sight} drawn={drawn} /> : <RulerSide scene={scene} />}
    </figure>
  );
}

/** The blocks in hand; while it is paused, those that were, as far as they are not finished. */
function useBlocks({ blocks, own }: EngineSnapshot, contest: string): BlockProgress[] {
  const last = useRef<BlockProgress[]>([]);
  const here = blocks.filter((block) => block.contest === contest);
  if (here.length > 0 || blocks.length > 0) last.current = here;
  const runs = own?.[contest] ?? [];
  const isFinished = (unit: number) => runs.some((from, i) => i % 2 === 0 && from <= unit && unit < (runs[i + 1] ?? 0));
  return last.current.filter((block) => block.contest === contest && !isFinished(block.unit));
}

interface KeysProps {
  scene: KeysScene;
  sight: SightInfo | undefined;
  drawn: { current: Drawn | undefined };
}

function KeysSide({ scene, sight, drawn }: KeysProps) {
  const [hand] = scene.hands;
  const own = unitsIn(scene.own);
  return (
    <figcaption class="picture-side">
      <p class="picture-scale" data-testid="picture-bits" data-bits={sight?.bits}>
        {formatPowers(`2^${sight?.bits ?? Math.floor(28 + Math.log2(scene.units))}`)} <small>{words.keysInSight}</small>
      </p>
      <div class="picture-buttons" role="group" aria-label={words.sight}>
        <SightButton
          is={sight?.isWhole ?? true}
          isPressed={sight?.sight === 'whole'}
          press={() => drawn.current?.look('whole')}
        >
          {words.whole}
        </SightButton>
        <SightButton
          is={sight?.hasFocus !== true}
          isPressed={sight?.sight === 'unit'}
          press={() => drawn.current?.look('unit')}
        >
          {words.unit}
        </SightButton>
        <Step
          label={words.closer}
          isOff={sight?.isClosest ?? true}
          sign="M1 8h14M8 1v14"
          press={() => drawn.current?.zoom(1 / ZOOM)}
        />
        <Step
          label={words.farther}
          isOff={sight?.isWhole ?? true}
          sign="M1 8h14"
          press={() => drawn.current?.zoom(ZOOM)}
        />
      </div>
      <dl class="picture-facts">
        <Fact name={words.unitNow} value={hand === undefined ? words.none : hand.unit.toLocaleString('en')} />
        <Fact name={words.searched} value={hand === undefined ? words.none : formatShare(hand.share)} />
        <Fact
          name={words.nearMatches}
          value={formatCount(scene.hands.reduce((sum, { nearMatches }) => sum + nearMatches.length, 0))}
        />
        <Fact name={words.own} value={words.units(own)} />
        <Fact name={words.done} value={words.of(scene.done, scene.units)} />
      </dl>
      <ul class="picture-legend" aria-label={words.legend}>
        {(['hand', 'own', 'done', 'leased', 'near'] as const).map((key) => (
          <li key={key} data-key={key}>
            {words.keys[key]}
          </li>
        ))}
      </ul>
    </figcaption>
  );
}

function RulerSide({ scene }: { scene: RulerScene }) {
  const [hand] = scene.hands;
  const best = scene.best?.at(-1);
  return (
    <figcaption class="picture-side">
      <dl class="picture-facts">
        <Fact name={words.placed} value={hand === undefined ? words.none : words.depth(hand.length, scene.marks)} />
        <Fact name={words.lengthNow} value={hand === undefined ? words.none : formatCount(hand.at(-1) ?? 0)} />
        <Fact name={words.best} value={best === undefined ? words.noBest(scene.maxLength) : words.long(best)} />
      </dl>
      <ul class="picture-legend" aria-label={words.legend}>
        {(['fixed', 'trying', 'distances', 'best'] as const).map((key) => (
          <li key={key} data-key={key}>
            {words.keys[key]}
          </li>
        ))}
      </ul>
    </figcaption>
  );
}

interface SightProps {
  /** It is so already, or cannot be: aria-disabled rather than disabled, so that the focus stays. */
  is: boolean;
  isPressed: boolean;
  press: () => void;
  children: string;
}

function SightButton({ is, isPressed, press, children }: SightProps) {
  return (
    <button type="button" class="quiet" aria-pressed={isPressed} aria-disabled={is && !isPressed} onClick={press}>
      {children}
    </button>
  );
}

function Step({ label, isOff, sign, press }: { label: string; isOff: boolean; sign: string; press: () => void }) {
  return (
    <button type="button" class="step" aria-label={label} aria-disabled={isOff} onClick={() => !isOff && press()}>
      <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
        <path d={sign} />
      </svg>
    </button>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

function unitsIn(runs: readonly number[]): number {
  return runs.reduce((sum, end, i) => sum + (i % 2 === 0 ? -end : end), 0);
}

function mapWords({ contest, units, done, own, hands }: KeysScene): string {
  const [hand] = hands;
  const now = hand === undefined ? '' : words.mapHand(hand.unit, formatShare(hand.share), hand.nearMatches.length);
  return `${words.map(contest, units, done, unitsIn(own))} ${now}`.trim();
}

function rulerWords({ contest, hands, marks, best, maxLength }: RulerScene): string {
  const [hand] = hands;
  const now = hand === undefined ? '' : words.rulerHand(hand.length, marks, hand.at(-1) ?? 0);
  const known = best?.at(-1);
  return `${words.ruler(contest)} ${now} ${known === undefined ? words.rulerNone(maxLength) : words.rulerBest(known)}`;
}
