/**
 * The JavaScript side of the RC5 cores: writes first key and target into the wasm memory (laid out in
 * `assembly/rc5/layout.ts`), runs slices, gathers near matches. All of a unit's state is how many keys are done and
 * what was found, so any core resumes any other's checkpoint.
 */
import {
  FOUND,
  KEY,
  KEY_BYTES,
  KEY_LAST,
  MASK,
  OFFSETS,
  PLAIN_HI,
  PLAIN_LO,
  TARGET,
  WIDTH,
} from '../../../assembly/rc5/layout.ts';
import type { Block } from '../../contests/rc5/cipher.ts';
import { firstBlocks, keyBytes, NEAR_MASK } from '../../contests/rc5/keys.ts';
import { keySearch } from '../../contests/rc5/rc5.ts';
import { KEYS_PER_UNIT } from '../../domain/work.ts';
import type { Core, UnitSearch } from '../core.ts';

interface Rc5Exports {
  memory: WebAssembly.Memory;
  init(): void;
  search(count: number): number;
}

/** A run of keys that need not be a unit: for units, known answers and benchmarks. */
export interface KeyRun {
  /** K0…K(b−1) of the first key. */
  key: Uint8Array;
  /** First plaintext block XOR IV. */
  plain: Block;
  /** First ciphertext word. */
  target: number;
  /** Which bits of it must agree. */
  mask: number;
}

export class Rc5Kernel {
  readonly #exports: Rc5Exports;
  readonly #view: DataView;
  /** The next key, as a big-endian number. */
  #next = 0n;

  constructor(module: WebAssembly.Module) {
    this.#exports = new WebAssembly.Instance(module).exports as unknown as Rc5Exports;
    this.#exports.init();
    this.#view = new DataView(this.#exports.memory.buffer);
  }

  /** @throws RangeError the key is not 7, 8 or 9 bytes. */
  begin({ key, plain, target, mask }: KeyRun): void {
    if (key.length < 7 || key.length > 9)
      throw new RangeError(`a key of ${key.length} bytes: only 7, 8 and 9 can be searched`);
    const view = this.#view;
    view.setUint32(KEY_BYTES, key.length, true);
    view.setUint32(PLAIN_LO, plain[0], true);
    view.setUint32(PLAIN_HI, plain[1], true);
    view.setUint32(TARGET, target, true);
    view.setUint32(MASK, mask, true);
    this.#next = 0n;
    for (const byte of key) this.#next = (this.#next << 8n) | BigInt(byte);
  }

  /**
   * Tries the next `count` keys; `offsets` count from the first of them, ascending. Fewer are tried only when more keys
   * agree than there is room for. The kernel tries whole groups of WIDTH keys; what it finds outside the run is not
   * of it.
   */
  search(count: number): { tried: number; offsets: number[] } {
    const before = Number(this.#next % BigInt(WIDTH));
    const first = this.#next - BigInt(before);
    this.#view.setBigUint64(KEY, first >> 8n, true);
    this.#view.setUint32(KEY_LAST, Number(first & 0xffn), true);
    const groups = Math.ceil((before + count) / WIDTH);
    const tried = Math.min(count, (this.#exports.search(groups * WIDTH) >>> 0) - before);
    const found = this.#view.getUint32(FOUND, true);
    const offsets = Array.from({ length: found }, (_, i) => this.#view.getUint32(OFFSETS + 4 * i, true) - before)
      .filter((offset) => offset >= 0 && offset < tried)
      .toSorted((a, b) => a - b);
    this.#next += BigInt(tried);
    return { tried, offsets };
  }
}

/** A core over a compiled kernel. `name` as in the catalogue. */
export function createRc5Core(name: string, module: WebAssembly.Module): Core {
  const kernel = new Rc5Kernel(module);
  return {
    name,
    kind: 'rc5',
    open(manifest, unit, checkpoint): UnitSearch {
      const search = keySearch(manifest);
      if (checkpoint !== undefined && (checkpoint.format !== 'rc5-1' || checkpoint.unit !== unit)) {
        throw new TypeError(`checkpoint ${checkpoint.format} of unit ${checkpoint.unit}: rc5-1 of unit ${unit} wanted`);
      }
      let keysDone = checkpoint?.keysDone ?? 0;
      const nearMatches = [...(checkpoint?.nearMatches ?? [])];
      const { plain, near } = firstBlocks(search);
      kernel.begin({ key: keyBytes(search, unit, keysDone), plain, target: near, mask: NEAR_MASK });
      return {
        run(budget) {
          const want = Math.max(1, Math.floor(budget));
          const { tried, offsets } = kernel.search(Math.min(want, KEYS_PER_UNIT - keysDone));
          for (const offset of offsets) nearMatches.push(keysDone + offset);
          keysDone += tried;
          return keysDone === KEYS_PER_UNIT;
        },
        get steps() {
          return keysDone;
        },
        get fraction() {
          return keysDone / KEYS_PER_UNIT;
        },
        checkpoint: () => ({ format: 'rc5-1', unit, keysDone, nearMatches: [...nearMatches] }),
        evidence: () => ({ kind: 'rc5', nearMatches: [...nearMatches] }),
      };
    },
  };
}
