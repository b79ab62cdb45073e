/**
 * One config for the three builds: the PWA (`vite build`), the Node command line (`vite build --ssr`), and the
 * tests (vitest). The only code of ours here is the plugin that compiles AssemblyScript.
 */
import { readFileSync } from 'node:fs';
import * as asc from 'assemblyscript/asc';
import type { Plugin } from 'vite';
import { VitePWA } from 'vite-plugin-pwa';
import { defineConfig } from 'vitest/config';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

/**
 * `import url from './kernel.ts?asc'` compiles the AssemblyScript file and gives the address of its wasm: a file of
 * its own in the PWA, so that it is cached and precached; a data: URL in Node, which its `fetch` can read.
 * `?asc&enable=simd,relaxed-simd` turns features on.
 */
function assemblyScript(): Plugin {
  let asFile = false;
  return {
    name: 'tabherd:assemblyscript',
    enforce: 'pre',
    configResolved(config) {
      asFile = config.command === 'build' && !config.build.ssr && !process.env['VITEST'];
    },
    async load(id) {
      const [file, query] = id.split('?');
      const parameters = new URLSearchParams(query);
      if (file === undefined || !parameters.has('asc')) return null;
      const { wasm, imports } = await compile(file, parameters.get('enable') ?? '');
      for (const source of imports) this.addWatchFile(source);
      if (!asFile) return `export default 'data:application/wasm;base64,${Buffer.from(wasm).toString('base64')}';`;
      const name = file
        .replace(/^.*\/assembly\//, '')
        .replace(/\//g, '-')
        .replace(/\.ts$/, '.wasm');
      const reference = this.emitFile({ type: 'asset', name, source: wasm });
      return `export default import.meta.ROLLUP_FILE_URL_${reference};`;
    },
  };
}

async function compile(file: string, enable: string): Promise<{ wasm: Uint8Array; imports: string[] }> {
  let wasm: Uint8Array | undefined;
  const imports = new Set<string>();
  const flags = enable === '' ? [] : ['--enable', enable];
  const { error, stderr } = await asc.main(
    [file, '--outFile', 'kernel.wasm', '-Ospeed', '--noAssert', '--runtime', 'stub', ...flags],
    {
      readFile(name) {
        try {
          const text = readFileSync(name, 'utf8');
          imports.add(name);
          return text;
        } catch {
          return null;
        }
      },
      writeFile(_name, contents) {
        wasm = contents as Uint8Array;
      },
      listFiles: () => [],
    },
  );
  if (error !== null || wasm === undefined) throw new Error(`${file}: ${String(stderr)}`, { cause: error });
  return { wasm, imports: [...imports] };
}

export default defineConfig(({ isSsrBuild }) => ({
  define: { __TABHERD_VERSION__: JSON.stringify(version) },
  plugins: [
    assemblyScript(),
    VitePWA({
      strategies: 'injectManifest',
      srcDir: 'src/sw',
      filename: 'sw.ts',
      injectRegister: false,
      manifest: false,
      disable: isSsrBuild === true,
      injectManifest: { globPatterns: ['**/*.{html,js,css,wasm,bin,svg,png,webmanifest}'] },
    }),
  ],
  worker: { format: 'es', plugins: () => [assemblyScript()] },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: isSsrBuild
    ? {
        outDir: 'dist/server',
        target: 'node20',
        copyPublicDir: false,
        rolldownOptions: {
          input: { tabherd: 'src/cli/tabherd.ts', 'node-worker': 'src/cli/node-worker.ts' },
          output: { entryFileNames: '[name].js', chunkFileNames: '[name].js' },
        },
      }
    : { outDir: 'dist/app', target: 'es2022', sourcemap: true, assetsInlineLimit: 0 },
  server: { port: 2065, proxy: { '/api': 'http://localhost:2064' } },
  test: {
    environment: 'node',
    reporters: ['default', './test/helpers/closing-line.ts'],
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/{unit,conformance}/**/*.test.ts'], testTimeout: 30_000 } },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
}));
