/**
 * One config for all builds: the PWA (`vite build`), the Node command line (`vite build --ssr`), the page that times
 * cores in a browser (`vite build --mode bench`), and the tests (vitest). The only code of ours here is the plugin that
 * compiles kernels.
 */
import { readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import * as asc from 'assemblyscript/asc';
import type { BuildOptions, Plugin } from 'vite';
import { VitePWA } from 'vite-plugin-pwa';
import { defineConfig } from 'vitest/config';
import { rc5MixedSource } from './src/kernels/rc5-mixed.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

/**
 * `import url from './kernel.ts?asc'` compiles the AssemblyScript file and gives the address of its wasm;
 * `?asc&enable=simd,relaxed-simd` turns features on. A file of src/kernels/ writes its AssemblyScript first. `import url from './table.bin?bytes'` gives that of a file as it is.
 * The address is that of a file in the PWA, so that it is cached and precached; a data: URL in Node, which its
 * `fetch` can read.
 */
function kernels(): Plugin {
  let toFile = false;
  return {
    name: 'tabherd:kernels',
    enforce: 'pre',
    configResolved(config) {
      toFile = config.command === 'build' && !config.build.ssr && !process.env['VITEST'];
    },
    async load(id) {
      const [file, query] = id.split('?');
      const parameters = new URLSearchParams(query);
      if (file === undefined || !(parameters.has('asc') || parameters.has('bytes'))) return null;
      let source: Uint8Array;
      let name = basename(file);
      if (parameters.has('bytes')) {
        source = readFileSync(file);
      } else {
        const enable = parameters.get('enable') ?? '';
        const { wasm, imports } = await compile(file, enable);
        for (const path of imports) this.addWatchFile(resolve(path));
        source = wasm;
        name = `${basename(dirname(file))}-${basename(file, '.ts')}${enable.includes('relaxed') ? '-relaxed' : ''}.wasm`;
      }
      if (!toFile) return `export default 'data:;base64,${Buffer.from(source).toString('base64')}';`;
      return `export default import.meta.ROLLUP_FILE_URL_${this.emitFile({ type: 'asset', name, source })};`;
    },
  };
}

/**
 * Keeps the minifier from moving the statement before a loop into its `for (`: WebKit (WebKitGTK 2.50.6 at least) takes an `in`
 * inside an arrow function there for a syntax error (https://bugs.webkit.org/show_bug.cgi?id=313669), and then nothing
 * of the file runs. Costs a quarter of a percent. To be dropped when that is mended and gone from use.
 */
function readableByWebKit(): Plugin {
  return {
    name: 'tabherd:readable-by-webkit',
    outputOptions(options) {
      if (options.minify !== true && typeof options.minify !== 'object') return options;
      const minify = options.minify === true ? {} : options.minify;
      const compress = typeof minify.compress === 'object' ? minify.compress : {};
      return { ...options, minify: { ...minify, compress: { ...compress, sequences: false } } };
    },
  };
}

/** Kernels that a program writes: where their text stands among the sources, and what it is. */
const written: Record<string, { entry: string; source: (relaxed: boolean) => string }> = {
  'rc5-mixed.ts': { entry: 'assembly/rc5/mixed.ts', source: rc5MixedSource },
};

async function compile(file: string, enable: string): Promise<{ wasm: Uint8Array; imports: string[] }> {
  const { entry, source } = written[basename(file)] ?? { entry: file };
  const text = source?.(enable.includes('relaxed'));
  let wasm: Uint8Array | undefined;
  const imports = new Set<string>();
  const flags = enable === '' ? [] : ['--enable', enable];
  const { error, stderr } = await asc.main(
    [entry, '--outFile', 'kernel.wasm', '-Ospeed', '--noAssert', '--runtime', 'stub', ...flags],
    {
      readFile(name) {
        if (name === entry && text !== undefined) return text;
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

/** That kernels take most of a build is no news, and no warning to a person who types `npm start`. */
const quietChecks = { pluginTimings: false };

const server: BuildOptions = {
  outDir: 'dist/server',
  target: 'node20',
  copyPublicDir: false,
  rolldownOptions: {
    checks: quietChecks,
    input: {
      tabherd: 'src/cli/tabherd.ts',
      'node-worker': 'src/cli/node-worker.ts',
      'check-thread': 'src/cli/check-thread.ts',
      'bench-node': 'src/cli/bench/node-entry.ts',
    },
    output: { entryFileNames: '[name].js', chunkFileNames: '[name].js' },
  },
};

const benchPage: BuildOptions = {
  outDir: 'dist/bench',
  target: 'es2022',
  copyPublicDir: false,
  assetsInlineLimit: 0,
  rolldownOptions: {
    checks: quietChecks,
    input: { page: 'src/bench/page.ts' },
    output: { entryFileNames: '[name].js' },
  },
};

/** One file each, into what the app's build has made: the widget's loader, and the script of its frame. */
const widget = (name: string, entry: string): BuildOptions => ({
  outDir: 'dist/app',
  emptyOutDir: false,
  target: 'es2022',
  copyPublicDir: false,
  rolldownOptions: {
    checks: quietChecks,
    input: { [name]: entry },
    preserveEntrySignatures: 'strict',
    output: { entryFileNames: '[name].js', codeSplitting: false },
  },
});

const builds: Readonly<Record<string, BuildOptions>> = {
  bench: benchPage,
  widget: widget('widget', 'src/widget/loader.ts'),
  frame: widget('widget-frame', 'src/widget/frame.tsx'),
};

export default defineConfig(({ isSsrBuild, mode }) => ({
  define: { __TABHERD_VERSION__: JSON.stringify(version) },
  plugins: [
    kernels(),
    readableByWebKit(),
    VitePWA({
      strategies: 'injectManifest',
      srcDir: 'src/sw',
      filename: 'sw.ts',
      injectRegister: false,
      manifest: false,
      disable: isSsrBuild === true || mode in builds,
      injectManifest: {
        globPatterns: ['**/*.{html,js,css,wasm,bin,svg,png,webmanifest}'],
        // Only whoever installs the app looks at these.
        globIgnores: ['screenshot-*.png', 'widget*.js'],
        buildPlugins: { vite: [readableByWebKit()] },
      },
    }),
  ],
  // They come in hundreds of files: to read those takes most of a second at every start of the command line.
  ...(isSsrBuild === true && { ssr: { noExternal: ['kysely', 'typebox', '@fastify/type-provider-typebox'] } }),
  worker: { format: 'es', plugins: () => [kernels(), readableByWebKit()] },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build:
    builds[mode] ??
    (isSsrBuild
      ? server
      : {
          outDir: 'dist/app',
          target: 'es2022',
          sourcemap: true,
          assetsInlineLimit: 0,
          rolldownOptions: {
            checks: quietChecks,
            // A schema that nobody looks at is left out.
            treeshake: { manualPureFunctions: ['Type'] },
            // The engine of the widget's frame, by a name that the frame knows.
            input: { index: 'index.html', 'widget-engine': 'src/widget/engine.ts' },
            preserveEntrySignatures: 'strict',
            // What the first page and others share, in one file: each of its own has a beginning that gzip finds nothing in.
            output: {
              entryFileNames: ({ name }) => (name === 'widget-engine' ? '[name].js' : 'assets/[name]-[hash].js'),
              codeSplitting: {
                groups: [
                  {
                    name: 'shared',
                    test: /\/src\/(app\/(format|use-snapshot)|domain\/points|client\/rate-history|contests\/steps|contests\/ogr\/rulers|protocol\/(gzip|fault|http-keyserver))\.tsx?$/,
                  },
                ],
              },
            },
          },
        }),
  server: { port: 2065, proxy: { '/api': 'http://localhost:2064', '/admin': 'http://localhost:2064' } },
  test: {
    environment: 'node',
    reporters: ['default', './test/helpers/closing-line.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/{unit,conformance}/**/*.test.ts'],
          testTimeout: 30_000,
          maxWorkers: 2,
          // Files share what they import: a fifth of the time goes into that otherwise.
          isolate: false,
          globalSetup: './test/helpers/postgres-setup.ts',
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: ['test/e2e/*storm.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 60_000,
          // Two browsers at work leave the page little of two cores: what it shows may take longer than a second.
          expect: { poll: { timeout: 20_000 } },
          globalSetup: './test/helpers/postgres-setup.ts',
          // A client takes all CPUs but one: of two CPUs, two files use both.
          maxWorkers: 2,
          // After the others: real browsers at work leave little of two cores.
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'storms',
          include: ['test/e2e/*storm.test.ts'],
          testTimeout: 300_000,
          globalSetup: './test/helpers/postgres-setup.ts',
          // Alone: what they promise in seconds holds for keyservers and clients that are run, and there are hundreds of those.
          maxWorkers: 1,
          sequence: { groupOrder: 2 },
        },
      },
      { extends: true, test: { name: 'soak', include: ['test/soak/**/*.test.ts'] } },
    ],
  },
}));
