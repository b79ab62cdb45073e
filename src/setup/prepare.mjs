/**
 * Brings a fresh clone to where the command after it can run, and says what it does: dependencies as the lock file
 * names them, a build newer than its sources, for the tests a browser. Plain Node, no dependencies: it runs before
 * there are any.
 *
 *   node src/setup/prepare.mjs start | quiet | dev | build | check | test
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const goal = process.argv[2] ?? 'start';
const say = (text) => process.stderr.write(`tabherd: ${text}\n`);

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  say(`Node ${process.versions.node} is too old: 20.19 or newer is needed.`);
  process.exit(1);
}

dependencies();
if (['start', 'quiet', 'test'].includes(goal)) build(false);
if (goal === 'build') build(true);
if (goal === 'test') browser();

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
  const newest = Math.max(
    ...['src', 'assembly', 'public', 'index.html', 'vite.config.ts', 'package-lock.json'].map(newestIn),
  );
  if (!always && existsSync(stamp) && statSync(stamp).mtimeMs > newest) return;
  say('building the PWA and the keyserver into dist/ (vite)');
  rmSync(stamp, { force: true });
  const vite = join('node_modules', 'vite', 'bin', 'vite.js');
  const quiet = goal === 'build' ? [] : ['--logLevel', 'warn'];
  run(process.execPath, [vite, 'build', ...quiet]);
  run(process.execPath, [vite, 'build', '--ssr', ...quiet]);
  compress(join('dist', 'app'));
  writeFileSync(stamp, '');
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

/** Looks for Chromium where the tests will (`test/helpers/chromium.ts`), and installs it where there is none. */
function browser() {
  const found = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
  if (found.some((path) => path !== undefined && existsSync(path))) return;
  const apt = existsSync('/usr/bin/apt-get');
  const root = process.getuid?.() === 0;
  if (apt && (root || existsSync('/usr/bin/sudo'))) {
    say('no Chromium found: installing the package chromium with apt-get');
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    for (const args of [
      ['update', '-qq'],
      ['install', '-y', '-qq', 'chromium'],
    ]) {
      run(root ? 'apt-get' : 'sudo', root ? args : ['apt-get', ...args], env);
    }
    return;
  }
  say('no Chromium found: letting Playwright fetch one');
  run(process.execPath, [join('node_modules', 'playwright-core', 'cli.js'), 'install', 'chromium']);
}

function run(command, args, env = process.env) {
  const { status, error } = spawnSync(command, args, { stdio: ['inherit', 2, 2], env });
  if (error === undefined && status === 0) return;
  say(`\`${command} ${args.join(' ')}\` failed${error === undefined ? '' : `: ${error.message}`}`);
  process.exit(status ?? 1);
}
