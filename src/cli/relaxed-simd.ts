/** Relaxed SIMD is on by itself since V8 11.4; Node 20 has 11.3 and must be told before it compiles a kernel. */
import { setFlagsFromString } from 'node:v8';

export function allowRelaxedSimd(): void {
  const [major = 0, minor = 0] = process.versions.v8.split('.').map(Number);
  if (major < 11 || (major === 11 && minor < 4)) setFlagsFromString('--experimental-wasm-relaxed-simd');
}
