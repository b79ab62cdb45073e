/** The part of the picture that is loaded late: a stage, and the painter of whatever is searched. */
import { HttpKeyserver } from '../../protocol/http-keyserver.ts';
import type { MapQuery, UnitMap } from '../../protocol/unit-map.ts';
import { Atlas } from './atlas.ts';
import { KeysPainter, type Sight } from './keys-painter.ts';
import { RulerPainter } from './ruler-painter.ts';
import type { KeysScene, Scene } from './scene.ts';
import { Stage } from './stage.ts';

/** What the words and buttons beside the picture need to know of it. */
export interface SightInfo {
  sight: Sight;
  /** Keys in sight, as a whole power of two. */
  bits: number;
  isWhole: boolean;
  isClosest: boolean;
  hasFocus: boolean;
  cellsDone: number;
}

export interface Picture {
  show(scene: Scene): void;
  look(sight: 'whole' | 'unit'): void;
  zoom(factor: number): void;
  close(): void;
}

/** While it is seen, maps are looked at as often, whether or not anything else happens. */
const LOOK_MS = 15_000;

export function openPicture(place: HTMLElement, first: Scene, onSight: (info: SightInfo) => void): Picture {
  let painter: KeysPainter | RulerPainter = painterOf(first);
  let contest = first.contest;
  let told = '';
  const stage = new Stage(place, (surface) => painter.paint(surface));
  const timer = setInterval(() => stage.draw(), LOOK_MS);

  function painterOf(scene: Scene): KeysPainter | RulerPainter {
    return scene.kind === 'rc5' ? keysPainterOf(scene) : new RulerPainter(scene);
  }

  function keysPainterOf(scene: KeysScene): KeysPainter {
    const atlas = new Atlas({ contest: scene.contest, units: scene.units, ask: askMap, onChange: () => stage.draw() });
    const opened: KeysPainter = new KeysPainter(atlas, scene, () => tell(opened));
    // Where there is work in hand already, the way leads there by itself.
    if (scene.hands.length > 0) opened.look('unit');
    return opened;
  }

  function tell(of: KeysPainter): void {
    const { sight, isWhole, isClosest, hasFocus, cellsDone } = of;
    const info: SightInfo = { sight, bits: Math.floor(of.bits + 1e-6), isWhole, isClosest, hasFocus, cellsDone };
    const words = JSON.stringify(info);
    if (words === told) return;
    told = words;
    onSight(info);
  }

  const change = (work: (keys: KeysPainter) => void): void => {
    if (painter instanceof KeysPainter) work(painter);
    stage.draw();
  };
  return {
    show(scene) {
      if (scene.contest !== contest || (scene.kind === 'rc5') !== painter instanceof KeysPainter) {
        painter = painterOf(scene);
        contest = scene.contest;
      } else if (scene.kind === 'rc5' && painter instanceof KeysPainter) {
        const wasIdle = !painter.hasHands;
        painter.show(scene);
        if (wasIdle && painter.hasHands && painter.sight === 'whole' && !painter.isChosen) painter.look('unit');
      } else if (scene.kind === 'ogr' && painter instanceof RulerPainter) {
        painter.show(scene);
      }
      stage.draw();
    },
    look: (sight) =>
      change((keys) => {
        keys.isChosen = true;
        keys.look(sight);
      }),
    zoom: (factor) =>
      change((keys) => {
        keys.isChosen = true;
        keys.zoom(factor);
      }),
    close() {
      clearInterval(timer);
      stage.close();
    },
  };
}

/**
 * Through the browser's cache, which keeps a map for the seconds that the gateway says; and without a network for as long
 * as it will, so that what was told at the last visit is drawn again.
 */
const gateway = new HttpKeyserver('', {
  fetch: (address, init) =>
    fetch(address, { ...init, cache: 'default' }).catch(() => fetch(address, { ...init, cache: 'force-cache' })),
});

const askMap = (query: MapQuery): Promise<UnitMap> => gateway.map(query);
