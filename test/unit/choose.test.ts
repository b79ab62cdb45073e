/** Which core gets the work, with real kernels and with ones made wrong. */
import { describe, expect, test } from 'vitest';
import { allowRelaxedSimd } from '../../src/cli/relaxed-simd.ts';
import { type CoreEntry, catalogue } from '../../src/cores/catalogue.ts';
import { chooseCore } from '../../src/cores/choose.ts';

allowRelaxedSimd();

function entry(name: string): CoreEntry {
  const found = catalogue.find((entry) => entry.name === name);
  if (found === undefined) throw new Error(`no core ${name}`);
  return found;
}

/** The same core, which has one known answer wrong. */
const wrong = (name: string): CoreEntry => ({
  ...entry(name),
  async load() {
    const loaded = await entry(name).load();
    return { ...loaded, difference: (row) => (row === loaded.rows[3] ? 'row 4: found nothing' : undefined) };
  },
});

/** One that traps at its first known answer. */
const trapping = (name: string): CoreEntry => ({
  ...entry(name),
  async load() {
    const loaded = await entry(name).load();
    return {
      ...loaded,
      difference: () => {
        throw new WebAssembly.RuntimeError('memory access out of bounds');
      },
    };
  },
});

const tooNew = (name: string): CoreEntry => ({
  ...entry(name),
  async load() {
    // A version of WebAssembly that is not yet.
    await WebAssembly.compile(new Uint8Array([0, 0x61, 0x73, 0x6d, 9, 0, 0, 0]));
    throw new Error('compiled');
  },
});

const plain = entry('rc5-scalar4');

describe('choice', () => {
  test('every core of the kind is right here, is timed, and the fastest gets the work', async () => {
    const { core, tried } = await chooseCore('rc5');
    const names = catalogue.filter(({ kind }) => kind === 'rc5').map(({ name }) => name);
    expect(tried.map(({ name }) => name)).toEqual(names);
    expect(tried.map(({ state }) => state).toSorted()).toEqual(['chosen', 'slower', 'slower']);
    const fastest = tried.toSorted((a, b) => b.stepsPerSecond - a.stepsPerSecond)[0];
    expect(fastest).toMatchObject({ state: 'chosen', name: core?.name });
    expect(tried.every(({ stepsPerSecond }) => stepsPerSecond > 1e5)).toBe(true);
  });

  test('a core that is wrong, one that traps and one that does not compile are left out, each with its reason', async () => {
    const { core, tried } = await chooseCore('rc5', [], [wrong('rc5-mixed'), tooNew('rc5-mixed-relaxed'), plain]);
    expect(core?.name).toBe('rc5-scalar4');
    expect(tried).toMatchObject([
      { name: 'rc5-mixed', state: 'wrong', detail: 'row 4: found nothing', stepsPerSecond: 0 },
      { name: 'rc5-mixed-relaxed', state: 'unsupported', detail: 'WebAssembly, simd, relaxed-simd', stepsPerSecond: 0 },
      { name: 'rc5-scalar4', state: 'chosen' },
    ]);
    const trap = await chooseCore('rc5', [], [trapping('rc5-mixed'), plain]);
    expect(trap.tried[0]).toMatchObject({ state: 'wrong', detail: 'memory access out of bounds' });
  });

  test('no core that is right: none is chosen', async () => {
    const { core, tried } = await chooseCore('rc5', [], [wrong('rc5-scalar4')]);
    expect(core).toBeUndefined();
    expect(tried).toMatchObject([{ state: 'wrong' }]);
  });
});

describe('what is remembered', () => {
  test('only the core chosen before is loaded, and nothing is timed again', async () => {
    const before = await chooseCore('rc5', [], [entry('rc5-mixed'), plain]);
    const loaded: string[] = [];
    const watched = [entry('rc5-mixed'), plain].map((entry) => ({
      ...entry,
      load: () => {
        loaded.push(entry.name);
        return entry.load();
      },
    }));
    const after = await chooseCore('rc5', before.tried, watched);
    expect(after.tried).toEqual(before.tried);
    expect(loaded).toEqual([before.core?.name]);
    expect(after.core?.name).toBe(before.core?.name);
  });

  test('one that has become wrong since is replaced', async () => {
    const known = [{ name: 'rc5-mixed', state: 'chosen' as const, stepsPerSecond: 1e9 }];
    const { core, tried } = await chooseCore('rc5', known, [wrong('rc5-mixed'), plain]);
    expect(core?.name).toBe('rc5-scalar4');
    expect(tried.map(({ state }) => state)).toEqual(['wrong', 'chosen']);
  });

  test('one that is no longer in the catalogue is forgotten', async () => {
    const known = [{ name: 'rc5-old', state: 'chosen' as const, stepsPerSecond: 1e9 }];
    expect((await chooseCore('rc5', known, [plain])).core?.name).toBe('rc5-scalar4');
  });
});
