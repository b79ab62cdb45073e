/** Cores as the tests want them: compiled once a file. */
import rc5Scalar4 from '../../assembly/rc5/scalar4.ts?asc';
import { loadWasm } from '../../src/cores/load.ts';
import { createRc5Core, Rc5Kernel } from '../../src/cores/rc5/rc5-core.ts';

export const rc5Module = await loadWasm(rc5Scalar4);
export const rc5Kernel = (): Rc5Kernel => new Rc5Kernel(rc5Module);
export const rc5Core = () => createRc5Core('rc5-scalar4', rc5Module);
