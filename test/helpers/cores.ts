/** Cores as the tests want them: every RC5 core of the catalogue, each kernel compiled once a file. */
import rc5Scalar4 from '../../assembly/rc5/scalar4.ts?asc';
import { allowRelaxedSimd } from '../../src/cli/relaxed-simd.ts';
import type { Core } from '../../src/cores/core.ts';
import { loadWasm } from '../../src/cores/load.ts';
import { createRc5Core, Rc5Kernel } from '../../src/cores/rc5/rc5-core.ts';
import rc5Mixed from '../../src/kernels/rc5-mixed.ts?asc&enable=simd';
import rc5MixedRelaxed from '../../src/kernels/rc5-mixed.ts?asc&enable=simd,relaxed-simd';

allowRelaxedSimd();

export interface Rc5CoreUnderTest {
  name: string;
  module: WebAssembly.Module;
  kernel: () => Rc5Kernel;
  core: () => Core;
}

export const rc5Cores: Rc5CoreUnderTest[] = await Promise.all(
  Object.entries({ 'rc5-scalar4': rc5Scalar4, 'rc5-mixed': rc5Mixed, 'rc5-mixed-relaxed': rc5MixedRelaxed }).map(
    async ([name, url]) => {
      const module = await loadWasm(url);
      return { name, module, kernel: () => new Rc5Kernel(module), core: () => createRc5Core(name, module) };
    },
  ),
);

/** The plain one, for tests that want just some core. */
export const rc5Core = (): Core => (rc5Cores[0] as Rc5CoreUnderTest).core();
