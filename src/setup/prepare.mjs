/**
 * Brings a fresh clone to where the command after it can run, and says what it does: dependencies as the lock file
 * names them, a build newer than its sources, for the tests three browsers and a PostgreSQL. Plain Node, no dependencies: it
 * runs before there are any.
 *
 *   node src/setup/prepare.mjs start | quiet | dev | build | check | test | bench
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';

/** What all kernels together may weigh, compressed with brotli. */
const KERNEL_BUDGET = 40_000;

/** What a visitor downloads before the first page stands, kernels apart, compressed with gzip. */
const SHELL_BUDGET = 80_000;

/** What the widget adds to a site's pages, compressed with gzip. */
const LOADER_BUDGET = 5_000;

/** The oldest PostgreSQL that is supported. */
const LEAST_POSTGRES = 15;

/** Whether apt-get has fetched its lists. */
let updated = false;

const goal = process.argv[2] ?? 'start';
const say = (text) => process.stderr.write(`tabherd: ${text}\n`);

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  say(`Node ${process.versions.node} is too old: 20.19 or newer is needed.`);
  process.exit(1);
}

dependencies();
if (['start', 'quiet', 'test', 'bench'].includes(goal)) build(false);
if (goal === 'build') build(true);
if (['test', 'bench', 'build'].includes(goal)) buildBench(goal === 'build');
if (['test', 'bench'].includes(goal)) {
  browser();
  postgres();
}
if (goal === 'test') otherBrowsers();

function dependencies() {
  const wanted = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex');
  const stamp = join('node_modules', '.tabherd-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  say('installing the dependencies that package-lock.json names (npm install)');
  // Not `npm ci`: it refuses a lock file that lacks another platform's optional packages (npm/cli#4828).
  run('npm', ['install', '--no-save', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(stamp, wanted);
}

function build(always) {
  const stamp = join('dist', '.stamp');
  if (!always && isFresh(stamp)) return;
  say('building the PWA and the keyserver into dist/ (vite)');
  rmSync(stamp, { force: true });
  vite();
  vite('--mode', 'widget');
  vite('--mode', 'frame');
  types();
  vite('--ssr');
  weighKernels(join('dist', 'app', 'assets'));
  weighShell(join('dist', 'app'));
  weighLoader(join('dist', 'app', 'widget.js'));
  compress(join('dist', 'app'));
  writeFileSync(stamp, '');
}

/** The page that times cores in a browser: a build of its own, so that nothing of it is in the PWA. */
function buildBench(always) {
  const stamp = join('dist', '.stamp-bench');
  if (!always && isFresh(stamp)) return;
  say("building the bench's page into dist/bench (vite)");
  rmSync(stamp, { force: true });
  vite('--mode', 'bench');
  writeFileSync(stamp, '');
}

/** Of the widget's loader, for those who take it out of the package. */
function types() {
  const out = join('dist', 'types');
  rmSync(out, { recursive: true, force: true });
  const options = [
    '--declaration',
    '--emitDeclarationOnly',
    '--strict',
    '--skipLibCheck',
    '--types',
    'node',
    '--ignoreConfig',
  ];
  const modules = ['--target', 'es2022', '--module', 'nodenext', '--lib', 'es2023,dom', '--allowImportingTsExtensions'];
  const tsc = join('node_modules', 'typescript', 'bin', 'tsc');
  run(process.execPath, [
    tsc,
    join('src', 'widget', 'loader.ts'),
    ...options,
    ...modules,
    '--rewriteRelativeImportExtensions',
    '--rootDir',
    'src',
    '--outDir',
    out,
  ]);
}

function isFresh(stamp) {
  const sources = ['src', 'assembly', 'public', 'index.html', 'vite.config.ts', 'package-lock.json'];
  return existsSync(stamp) && statSync(stamp).mtimeMs > Math.max(...sources.map(newestIn));
}

function vite(...args) {
  const quiet = goal === 'build' ? [] : ['--logLevel', 'error'];
  run(process.execPath, [join('node_modules', 'vite', 'bin', 'vite.js'), 'build', ...args, ...quiet]);
}

/** Writes down what the kernels weigh (`tabherd bench` shows it), and fails where that is too much. */
function weighKernels(folder) {
  const weigh = (ending) =>
    readdirSync(folder)
      .filter((file) => file.endsWith(ending))
      .map((file) => {
        const content = readFileSync(join(folder, file));
        return { file, bytes: content.length, brotli: brotliCompressSync(content).length };
      });
  const kernels = weigh('.wasm');
  const total = kernels.reduce((sum, { brotli }) => sum + brotli, 0);
  const sizes = { kernels, total, budget: KERNEL_BUDGET, tables: weigh('.bin') };
  writeFileSync(join('dist', 'kernel-sizes.json'), `${JSON.stringify(sizes, null, 2)}\n`);
  if (total <= KERNEL_BUDGET) return;
  say(
    `the kernels weigh ${total} bytes compressed, ${total - KERNEL_BUDGET} more than their budget of ${KERNEL_BUDGET}:`,
  );
  for (const { file, brotli } of kernels) say(`  ${file}: ${brotli}`);
  process.exit(1);
}

/** Says what the first page weighs, with all that its HTML names, and fails where that is too much. */
function weighShell(folder) {
  const html = readFileSync(join(folder, 'index.html'), 'utf8');
  const files = ['index.html', ...new Set(html.match(/assets\/[^"]+\.(js|css)/g))];
  const weights = files.map((file) => ({
    file,
    bytes: gzipSync(readFileSync(join(folder, file)), { level: 9 }).length,
  }));
  const total = weights.reduce((sum, { bytes }) => sum + bytes, 0);
  if (goal === 'build' || total > SHELL_BUDGET)
    say(`the app shell weighs ${total} of ${SHELL_BUDGET} bytes compressed`);
  if (total <= SHELL_BUDGET) return;
  for (const { file, bytes } of weights) say(`  ${file}: ${bytes}`);
  process.exit(1);
}

/** Fails where the widget's loader, which a site's pages load, weighs too much. */
function weighLoader(file) {
  const { length } = gzipSync(readFileSync(file), { level: 9 });
  if (goal === 'build') say(`the widget's loader weighs ${length} of ${LOADER_BUDGET} bytes compressed`);
  if (length <= LOADER_BUDGET) return;
  say(`the widget's loader weighs ${length} bytes compressed, more than its budget of ${LOADER_BUDGET}`);
  process.exit(1);
}

/** Beside every text of the PWA its gzip, which the gateway serves to those who take it. */
function compress(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || !/\.(html|js|css|svg|wasm|webmanifest)$/.test(path)) continue;
    writeFileSync(`${path}.gz`, gzipSync(readFileSync(path), { level: 9 }));
  }
}

/** The time of the last change in a file or below a folder, in milliseconds. */
function newestIn(path) {
  const { mtimeMs } = statSync(path);
  if (!statSync(path).isDirectory()) return mtimeMs;
  return Math.max(mtimeMs, ...readdirSync(path).map((name) => newestIn(join(path, name))));
}

/** Looks for Chromium where the tests will (`src/cli/bench/chromium.ts`), and installs it where there is none. */
function browser() {
  const found = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
  if (found.some((path) => path !== undefined && existsSync(path))) return;
  if (canInstall()) {
    say('no Chromium found: installing the package chromium with apt-get');
    install(['chromium']);
    return;
  }
  say('no Chromium found: letting Playwright fetch one');
  run(process.execPath, [join('node_modules', 'playwright-core', 'cli.js'), 'install', 'chromium']);
}

/**
 * Looks for Firefox and WebKit where the tests will (`test/helpers/browsers.ts`), and installs what is missing. Where that
 * cannot be, it is said, and the tests of that browser are skipped.
 */
function otherBrowsers() {
  const has = (name) => (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)));
  if (process.env.FIREFOX === undefined && !has('firefox-esr'))
    otherBrowser('Firefox', ['firefox-esr'], 'or name one in FIREFOX');
  if (!has('WebKitWebDriver') || !has('Xvfb')) otherBrowser('WebKit', ['webkit2gtk-driver', 'xvfb']);
}

function otherBrowser(name, packages, otherwise = '') {
  const line = packages.join(' and ');
  const skipped = `the tests of ${name} will be skipped: install ${line} ${otherwise}`.trimEnd();
  if (!canInstall()) return say(`no ${name} found; ${skipped}`);
  say(`no ${name} found: installing ${line} with apt-get`);
  if (!install(['--no-install-recommends', ...packages], { optional: true })) say(`that failed; ${skipped}`);
}

/**
 * Looks for PostgreSQL's programs where the tests will (`src/cli/bench/postgres.ts`), and installs them where there are
 * none. Where that cannot be, it is said; the tests that need it then fail.
 */
function postgres() {
  if (findsPostgres()) return;
  if (!canInstall() || process.env.TABHERD_POSTGRES_BIN !== undefined) {
    say(
      `no PostgreSQL ${LEAST_POSTGRES} or newer found, and its tests will fail: install its server, ` +
        'or name the folder with initdb and postgres in TABHERD_POSTGRES_BIN',
    );
    return;
  }
  say('no PostgreSQL found: installing the package postgresql with apt-get, without a cluster and not started');
  // Tests bring up clusters of their own; Debian's would listen on 5432 from now on. Read by postgresql-common.
  const conf = '/etc/postgresql-common/createcluster.d';
  if (!existsSync('/usr/bin/pg_lsclusters'))
    asRoot('sh', ['-c', `mkdir -p ${conf} && echo 'create_main_cluster = false' > ${conf}/tabherd.conf`]);
  install(['--no-install-recommends', 'postgresql']);
  if (!findsPostgres()) say(`the package postgresql is older than ${LEAST_POSTGRES}: its tests will fail`);
}

function findsPostgres() {
  const told = process.env.TABHERD_POSTGRES_BIN;
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).map((version) => join(debian, version, 'bin')) : [];
  const places = told === undefined ? [...(process.env.PATH ?? '').split(delimiter), ...versions] : [told];
  return places.some((place) => {
    if (!existsSync(join(place, 'initdb')) || !existsSync(join(place, 'postgres'))) return false;
    const { stdout } = spawnSync(join(place, 'postgres'), ['--version'], { encoding: 'utf8' });
    return Number(/\d+/.exec(stdout ?? '')?.[0]) >= LEAST_POSTGRES;
  });
}

function canInstall() {
  return existsSync('/usr/bin/apt-get') && (process.getuid?.() === 0 || existsSync('/usr/bin/sudo'));
}

/** Whether it worked, where that is `optional`; ends the process where it is not. */
function install(args, { optional = false } = {}) {
  const done = updated || asRoot('apt-get', ['update', '-qq'], { optional });
  updated = done;
  return done && asRoot('apt-get', ['install', '-y', '-qq', ...args], { optional });
}

function asRoot(command, args, options) {
  // sudo drops the environment: `env` sets it behind it.
  const line = ['env', 'DEBIAN_FRONTEND=noninteractive', command, ...args];
  return process.getuid?.() === 0 ? run('env', line.slice(1), options) : run('sudo', line, options);
}

function run(command, args, { optional = false } = {}) {
  const { status, error } = spawnSync(command, args, { stdio: ['inherit', 2, 2] });
  if (error === undefined && status === 0) return true;
  if (optional) return false;
  say(`\`${command} ${args.join(' ')}\` failed${error === undefined ? '' : `: ${error.message}`}`);
  process.exit(status ?? 1);
}
