/**
 * The maps that the gateway tells of a contest, as tiles of 64 × 64 cells: each a square of the curve, at every third depth from
 * the whole down to single units. What was told is kept while the page stands; the newest of it is asked for again while
 * it is looked at.
 */
import { FULL, MAX_CELLS, type MapQuery, type UnitMap } from '../../protocol/unit-map.ts';
import type { Camera } from './camera.ts';
import { indexOf, quadAt } from './hilbert.ts';
import type { Palette } from './stage.ts';

/** 64 cells a side. */
const TILE_DEPTH = 6;
/** Between two levels of tiles. */
const STEP = 3;
/** What is known is asked for again after this; what could not be had, sooner. A map takes some milliseconds to check. */
const FRESH_MS = 30_000;
const AGAIN_MS = 10_000;
const MOST_AT_ONCE = 4;

/** Where a tile is: a quad of the curve. */
export interface TilePlace {
  x: number;
  y: number;
  depth: number;
}

interface Tile extends TilePlace {
  map: UnitMap | undefined;
  askedAt: number;
  /** As it was last painted, and in which inks. */
  image?: { canvas: HTMLCanvasElement; palette: Palette };
}

export interface AtlasPorts {
  contest: string;
  units: number;
  ask: (query: MapQuery) => Promise<UnitMap>;
  onChange: () => void;
}

/** The depth at which a quad is one unit: the least at which there is a quad for each. */
export function orderOf(units: number): number {
  let order = 0;
  while (4 ** order < units) order += 1;
  return order;
}

export class Atlas {
  readonly order: number;
  readonly contest: string;
  readonly units: number;
  /** The depths at which there are tiles. */
  readonly depths: number[];
  readonly #ports: AtlasPorts;
  readonly #tiles = new Map<string, Tile>();
  #waiting: Tile[] = [];
  #asking = 0;
  /** Counts what was told. */
  version = 0;

  constructor(ports: AtlasPorts) {
    this.#ports = ports;
    this.contest = ports.contest;
    this.units = ports.units;
    this.order = orderOf(ports.units);
    const deepest = Math.max(0, this.order - TILE_DEPTH);
    const steps = Array.from({ length: Math.ceil(deepest / STEP) + 1 }, (_, nth) => Math.min(deepest, STEP * nth));
    this.depths = [...new Set(steps)];
  }

  /** Asks for what this sight needs: of every depth around its middle first, then all that it shows. */
  look(camera: Camera, now: number): void {
    const depths = this.depths.filter((depth) => isFineFor(camera, depth));
    const finest = depths.at(-1) ?? 0;
    const wanted = depths.flatMap((depth) => placesIn(camera, depth));
    const isMiddle = ({ x, y, depth }: TilePlace): boolean =>
      x === Math.floor(camera.x * 2 ** depth) && y === Math.floor(camera.y * 2 ** depth);
    const sorted = [...wanted.filter(isMiddle), ...wanted.filter((place) => !isMiddle(place))];
    this.#waiting = sorted
      .filter((place) => this.#firstOf(place) < this.units)
      .map((place) => this.#tile(place))
      .filter(({ map, askedAt, depth }) => {
        if (map === undefined) return now - askedAt > AGAIN_MS;
        // Coarser ones are under those that are seen.
        return depth === finest && now - askedAt > FRESH_MS;
      });
    this.#askMore(now);
  }

  /** Those of this depth in sight that were told. */
  *told(camera: Camera, depth: number): Generator<Tile & { map: UnitMap }> {
    for (const place of placesIn(camera, depth)) {
      const tile = this.#tiles.get(keyOf(place));
      if (tile?.map !== undefined) yield tile as Tile & { map: UnitMap };
    }
  }

  /** A pixel for each cell. */
  imageOf(tile: Tile, palette: Palette): HTMLCanvasElement {
    if (tile.image?.palette === palette) return tile.image.canvas;
    const canvas = tile.image?.canvas ?? document.createElement('canvas');
    tile.image = { canvas, palette };
    paintTile(canvas, tile, this.units, palette);
    return canvas;
  }

  #tile(place: TilePlace): Tile {
    const key = keyOf(place);
    let tile = this.#tiles.get(key);
    if (tile === undefined) {
      tile = { ...place, map: undefined, askedAt: Number.NEGATIVE_INFINITY };
      this.#tiles.set(key, tile);
    }
    return tile;
  }

  #firstOf(place: TilePlace): number {
    return indexOf(place) * 4 ** (this.order - place.depth);
  }

  #askMore(now: number): void {
    while (this.#asking < MOST_AT_ONCE) {
      const tile = this.#waiting.shift();
      if (tile === undefined) return;
      tile.askedAt = now;
      this.#asking += 1;
      void this.#ask(tile).finally(() => {
        this.#asking -= 1;
        this.#askMore(now);
      });
    }
  }

  async #ask(tile: Tile): Promise<void> {
    const levels = Math.min(TILE_DEPTH, this.order - tile.depth);
    const cells = 4 ** levels;
    const size = 4 ** (this.order - tile.depth - levels);
    try {
      const query = { contest: this.contest, first: this.#firstOf(tile), size, cells };
      const map = await this.#ports.ask(query);
      // A gateway of another version might tell of other cells.
      if (map.done.length !== cells || map.leased.length !== cells) return;
      const isSame = tile.map !== undefined && areSame(tile.map.done, map.done) && areSame(tile.map.leased, map.leased);
      tile.map = map;
      if (isSame) return;
      if (tile.image !== undefined) tile.image.palette = NONE;
      this.version += 1;
      this.#ports.onChange();
    } catch {
      // Without a network what was told before is drawn, and our own.
    }
  }
}

const areSame = (a: readonly number[], b: readonly number[]): boolean => a.every((share, cell) => share === b[cell]);

const NONE = {} as Palette;
const keyOf = ({ x, y, depth }: TilePlace): string => `${depth}/${x}/${y}`;

/** A tile that is much smaller than the sight has cells that nobody could see. */
export const isFineFor = ({ side }: Camera, depth: number): boolean => depth === 0 || 2 ** -depth > 0.8 * side;

function placesIn({ x, y, side }: Camera, depth: number): TilePlace[] {
  const count = 2 ** depth;
  const range = (at: number): number[] => {
    const from = Math.max(0, Math.floor((at - side / 2) * count));
    const to = Math.min(count - 1, Math.floor((at + side / 2) * count));
    return Array.from({ length: Math.max(0, to - from + 1) }, (_, nth) => from + nth);
  };
  return range(y).flatMap((row) => range(x).map((column) => ({ x: column, y: row, depth })));
}

function paintTile(canvas: HTMLCanvasElement, { x, y, depth, map }: Tile, units: number, palette: Palette): void {
  if (map === undefined) return;
  const levels = Math.round(Math.log(map.done.length) / Math.log(4));
  const side = 2 ** levels;
  canvas.width = side;
  canvas.height = side;
  const ctx = canvas.getContext('2d');
  if (ctx === null) return;
  const [sheet, leased, done, none] = [palette.sheet, palette.rule, palette.strong, palette.paper].map(channels);
  if (sheet === undefined || leased === undefined || done === undefined || none === undefined) return;
  const image = ctx.createImageData(side, side);
  const tile = quadAt(indexOf({ x, y, depth }), depth);
  const { first, size } = map;
  for (let cell = 0; cell < Math.min(map.done.length, MAX_CELLS); cell++) {
    const quad = quadAt(cell, levels, tile);
    const at = 4 * ((quad.y - y * side) * side + quad.x - x * side);
    const isOurs = first + cell * size < units;
    const [d, l] = [inked(map.done[cell] ?? 0, 0.3), inked(map.leased[cell] ?? 0, 0.5)];
    for (let channel = 0; channel < 3; channel++) {
      const paper = isOurs ? (sheet[channel] ?? 0) : (none[channel] ?? 0);
      const under = paper + ((leased[channel] ?? 0) - paper) * l;
      image.data[at + channel] = under + ((done[channel] ?? 0) - under) * d;
    }
    image.data[at + 3] = 255;
  }
  ctx.putImageData(image, 0, 0);
}

/** A share as an opacity: the least that there is can be seen. */
const inked = (share: number, least: number): number => (share === 0 ? 0 : least + (1 - least) * (share / FULL));

/** Of `rgb(1, 2, 3)`, `rgb(1 2 3 / 0.5)` or `color(srgb 0.1 0.2 0.3)`. */
export function channels(colour: string): [number, number, number] {
  const numbers = (colour.match(/[\d.]+/g) ?? []).map(Number);
  const scale = colour.startsWith('color(') ? 255 : 1;
  const [red = 0, green = 0, blue = 0] = numbers;
  return [red * scale, green * scale, blue * scale];
}
