/** Settings: which source wins, how each mistake is named, that what is printed can be read back, and what stays hidden. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import fc from 'fast-check';
import { parse } from 'smol-toml';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { type Configured, withSettings } from '../../src/cli/config/options.ts';
import { printConfig } from '../../src/cli/config/print-config.ts';
import { ConfigError, differences, readConfig } from '../../src/cli/config/read-config.ts';
import { settingsOf } from '../../src/cli/config/setting.ts';
import { type ProxyConfig, SETTINGS, type SettingsCommand } from '../../src/cli/config/settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'tabherd-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Sources {
  flags?: Record<string, unknown>;
  environment?: Record<string, string>;
  toml?: string;
}

function read<Name extends SettingsCommand>(command: Name, { flags = {}, environment = {}, toml }: Sources = {}) {
  const file = toml === undefined ? undefined : join(folder, 'tabherd.toml');
  if (file !== undefined && toml !== undefined) writeFileSync(file, toml);
  return readConfig(command, { flags: new Map(Object.entries(flags)), environment, file });
}

test('flags win over the environment, that over the file, that over defaults', async () => {
  const toml = 'port = 1\nhost = "::1"\ndatabaseSchema = "a"\n[blockLog]\nkeep = 3\nrotation = "yearly"\n';
  const environment = {
    TABHERD_PORT: '2',
    TABHERD_HOST: '127.0.0.1',
    TABHERD_BLOCK_LOG_KEEP: '4',
    TABHERD_DATA_DIR: '',
  };
  const { config, sources } = await read('serve', { flags: { port: '3' }, environment, toml });
  expect(config).toMatchObject({
    port: 3,
    host: '127.0.0.1',
    databaseSchema: 'a',
    dataDir: 'data',
    blockLog: { keep: 4, rotation: 'yearly', address: 'hashed' },
  });
  expect(['port', 'host', 'dataDir', 'blockLog.keep'].map((name) => sources.get(name))).toEqual([
    '--port',
    'TABHERD_HOST',
    'default',
    'TABHERD_BLOCK_LOG_KEEP',
  ]);
  expect(sources.get('databaseSchema')).toContain('tabherd.toml');
});

test('texts become what their settings are', async () => {
  const environment = {
    DATABASE_URL: 'postgres://a:b@localhost/c',
    TABHERD_UPSTREAMS: 'http://a.test, https://b.test/',
    TABHERD_FALLBACK: 'false',
    TABHERD_MIN_STOCK: 'rc5-72=10,ogr-29=2',
    TABHERD_TRUST_PROXY_HEADERS: '127.0.0.1,10.0.0.0/8',
    TABHERD_MAX_BUFFER_DAYS: '0.5',
    TABHERD_MOTD: 'Hello, all\nCome back',
    TABHERD_SCHEDULE: 'mon-fri 22:00-06:00,sat 00:00-24:00',
  };
  const flags = { maxStock: ['rc5-72=20', 'ogr-29=4'] };
  expect((await read('proxy', { environment, flags })).config).toMatchObject({
    databaseUrl: 'postgres://a:b@localhost/c',
    upstreams: ['http://a.test', 'https://b.test/'],
    fallback: false,
    minStock: { 'rc5-72': 10, 'ogr-29': 2 },
    maxStock: { 'rc5-72': 20, 'ogr-29': 4 },
    trustProxyHeaders: ['127.0.0.1', '10.0.0.0/8'],
    maxBufferDays: 0.5,
    motd: ['Hello, all', 'Come back'],
    schedule: ['mon-fri 22:00-06:00', 'sat 00:00-24:00'],
  });
});

describe('a mistake is named by where it stands', () => {
  test.each<[SettingsCommand, Sources, RegExp]>([
    ['serve', { flags: { port: 'x' } }, /^--port: must be a whole number from 0 to 65535, not "x"$/],
    ['serve', { environment: { TABHERD_PORT: '65536' } }, /^TABHERD_PORT: must be a whole number/],
    ['serve', { toml: 'port = "80"' }, /tabherd\.toml: port: must be a whole number/],
    ['serve', { toml: 'port = \n' }, /tabherd\.toml: line 1, column \d/],
    ['serve', { toml: 'prot = 80' }, /tabherd\.toml: prot is not a setting/],
    ['serve', { toml: 'data-dir = "x"' }, /data-dir is not a setting; dataDir is/],
    ['serve', { toml: '[blockLog]\nfolder = "x"' }, /blockLog\.folder is not a setting/],
    ['serve', { toml: 'blockLog = 3' }, /blockLog must be a table/],
    ['serve', { toml: 'mode = "offline"' }, /mode is a setting of tabherd proxy, not of tabherd serve/],
    ['serve', { environment: { TABHERD_PROT: '1' } }, /^TABHERD_PROT is not a setting/],
    ['serve', { environment: { TABHERD_LOG_LEVEL: 'loud' } }, /^TABHERD_LOG_LEVEL: must be one of: debug, .*"loud"/],
    ['serve', { toml: 'allowedIp = ["10.0.0.0/8", "10.0.0.0/33"]' }, /allowedIp: item 2 must be an address/],
    ['serve', { environment: { TABHERD_TRUST_PROXY_HEADERS: 'maybe' } }, /^TABHERD_TRUST_PROXY_HEADERS: /],
    [
      'serve',
      { environment: { DATABASE_URL: 'mysql://a:s3cret@b' } },
      /^DATABASE_URL: must be an address that begins with/,
    ],
    ['serve', { environment: { TABHERD_ADMIN_TOKEN: 's3cret' } }, /^TABHERD_ADMIN_TOKEN: must be 16 to 256/],
    [
      'serve',
      { environment: { TABHERD_ADMIN_TOKEN_FILE: '/nowhere' } },
      /^adminTokenFile \(TABHERD_ADMIN_TOKEN_FILE\): ENOENT/,
    ],
    ['serve', { environment: { TABHERD_CONFIG: '/nowhere.toml' } }, /^\/nowhere\.toml: ENOENT/],
    ['proxy', {}, /^upstreams: a proxy needs the address of a keyserver/],
    ['proxy', { flags: { upstreams: ['a.test:80'] } }, /^--upstreams: item 1 must be an address that begins with http/],
    ['proxy', { flags: { schedule: ['mon-fri'] } }, /^--schedule: item 1 must be a window like/],
    ['proxy', { environment: { TABHERD_MIN_STOCK: 'rc5-72=x' } }, /^TABHERD_MIN_STOCK: .*/],
    ['proxy', { flags: { mode: 'offline', minStock: ['a=9'], maxStock: ['a=8'] } }, /^maxStock\.a: 8 is less than/],
  ])('%s %j', async (command, sources, sentence) => {
    const failed = read(command, sources);
    await expect(failed).rejects.toThrow(sentence);
    await expect(failed).rejects.toBeInstanceOf(ConfigError);
    await expect(failed).rejects.not.toThrow('s3cret');
  });
});

test('the admin token comes from a file, too, but from one place only', async () => {
  const path = join(folder, 'token');
  writeFileSync(path, 'abcdefghijklmnop\n');
  const environment = { TABHERD_ADMIN_TOKEN_FILE: path };
  const { config } = await read('serve', { environment });
  expect(config.adminToken).toBe('abcdefghijklmnop');
  const both = read('serve', { environment, flags: { adminToken: 'abcdefghijklmnop' } });
  await expect(both).rejects.toThrow(/^adminTokenFile \(TABHERD_ADMIN_TOKEN_FILE\) and adminToken \(--admin-token\)/);
});

test('what is printed reads back as the same configuration', async () => {
  const text = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' });
  const units = fc.dictionary(fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,9}$/), fc.nat(), { noNullPrototype: true });
  const flags = fc.record(
    {
      port: fc.nat(65_535),
      host: text,
      motd: fc.array(text, { maxLength: 3 }),
      'blockLog.dir': text,
      'blockLog.keep': fc.nat(),
      trustProxyHeaders: fc.oneof(fc.boolean(), fc.constant(['10.0.0.0/8'])),
      minStock: units,
      maxBufferDays: fc.double({ min: 0.1, max: 365, noNaN: true }),
    },
    { requiredKeys: [] },
  );
  await fc.assert(
    fc.asyncProperty(flags, async (given) => {
      const first = await read('proxy', { flags: { mode: 'offline', ...given } });
      const again = await read('proxy', { toml: printConfig('proxy', first) });
      expect(again.config).toEqual(first.config);
    }),
  );
});

test('what is printed has sources, and no secrets', async () => {
  const environment = {
    DATABASE_URL: 'postgres://someone:s3cret@db.test/x?password=s3cret',
    TABHERD_ADMIN_TOKEN: 's3crets3crets3cret',
    TABHERD_UPSTREAMS: 'https://someone:s3cret@up.test/',
  };
  const printed = printConfig('proxy', await read('proxy', { environment }));
  expect(printed).not.toContain('s3cret');
  expect(printed).toContain('someone:hidden@db.test');
  expect(printed).toMatch(/^port = 2064 # default$/m);
  expect(printed).toMatch(/^upstreams = \[.*\] # TABHERD_UPSTREAMS$/m);
  expect(printed).toMatch(/^# host is not set$/m);
  expect(parse(printed)).not.toHaveProperty('adminToken');
});

test('a reload knows what has to wait for a start', async () => {
  const before = await read('serve');
  const after = await read('serve', { toml: 'port = 1\nmotd = ["x"]\n[blockLog]\nkeep = 1\n' });
  expect(differences('serve', before.config, after.config)).toEqual({
    live: ['motd'],
    atNextStart: ['port', 'blockLog.keep'],
  });
});

describe('on the command line', () => {
  async function typed(...args: string[]): Promise<Configured<ProxyConfig>> {
    let got: Configured<ProxyConfig> | undefined;
    const command = withSettings(new Command('proxy'), 'proxy', async (configured) => {
      got = configured;
    });
    await command.exitOverride().parseAsync(args, { from: 'user' });
    if (got === undefined) throw new Error('was not run');
    return got;
  }

  test('every setting has its flag; a list has as many values as follow', async () => {
    const { config, sources } = await typed(
      ...'-p 80 -d x -u http://a.test http://b.test --no-fallback --min-stock rc5-72=5 --trust-proxy-headers --block-log-dir logs'.split(
        ' ',
      ),
    );
    expect(config).toMatchObject({
      port: 80,
      dataDir: 'x',
      upstreams: ['http://a.test', 'http://b.test'],
      fallback: false,
      minStock: { 'rc5-72': 5 },
      trustProxyHeaders: true,
      blockLog: { dir: 'logs' },
    });
    expect(sources.get('fallback')).toBe('--fallback');
    expect(sources.get('mode')).toBe('default');
  });

  test('a reload reads the file anew, under the same flags', async () => {
    const path = join(folder, 'reload.toml');
    writeFileSync(path, 'port = 1\nmode = "offline"\nmotd = ["before"]\n');
    const { config, reread } = await typed('--config', path, '--port', '2');
    expect(config).toMatchObject({ port: 2, motd: ['before'] });
    writeFileSync(path, 'port = 1\nmode = "offline"\nmotd = ["after"]\n');
    expect((await reread()).config).toMatchObject({ port: 2, motd: ['after'] });
  });

  test('--print-config shows and does not run', async () => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    try {
      await expect(typed('--mode', 'offline', '--print-config')).rejects.toThrow('was not run');
      expect(write.mock.calls.join('')).toContain('mode = "offline" # --mode');
    } finally {
      write.mockRestore();
    }
  });
});

test('every setting says what it is for, and is alone with its names', () => {
  for (const schema of Object.values(SETTINGS)) {
    const settings = settingsOf(schema);
    const undescribed = settings.filter(({ note }) => !/\w{3}/.test(note.description ?? ''));
    expect(undescribed.map(({ name }) => name)).toEqual([]);
    for (const key of ['name', 'variable', 'long'] as const) {
      expect(new Set(settings.map((setting) => setting[key])).size).toBe(settings.length);
    }
  }
});
