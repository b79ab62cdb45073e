/** Buffers carried by hand, as a person types it: a keymaster and machines that never speak with it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSqliteStore } from '../../src/server/store/sqlite.ts';
import { tabherd as command, type StartedKeyserver, startKeyserver } from '../helpers/command.ts';
import { ogrContest } from '../helpers/ogr-contest.ts';

const env = { ...process.env, TABHERD_ADMIN_TOKEN: 'a-token-for-this-test-alone' };

const tabherd = (...args: string[]): Promise<string> => command(args, env);

const running: StartedKeyserver[] = [];

async function start(...args: string[]): Promise<StartedKeyserver> {
  const started = await startKeyserver(args, env);
  running.push(started);
  return started;
}

let folder: string;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabherd-'));
  await writeFile(at('ogr-12.json'), JSON.stringify(short));
});
afterAll(async () => {
  for (const { kill } of running) kill();
  await rm(folder, { recursive: true, force: true });
});

/** Units by the names of those who did them. */
async function credited(data: string): Promise<Record<string, number>> {
  const store = await openSqliteStore(data);
  try {
    return await store.read(async (ledger) => {
      const credits = await ledger.counting.credits();
      const clients = await ledger.clients(credits.map(({ client }) => client));
      return Object.fromEntries(
        credits.map(({ client, units }) => [clients.find(({ id }) => id === client)?.name ?? client, units]),
      );
    });
  } finally {
    await store.close();
  }
}

/** The warm-up in two marks less, of which a block takes a moment. */
const short = ogrContest('ogr-12', { marks: 12, maxLength: 85 });

test('an offline proxy and its keymaster, running and stopped', async () => {
  const keymaster = await start('serve', '--data', at('top'), '--contests', at('ogr-12.json'));
  const proxy = await start('proxy', '--mode', 'offline', '--data', at('below'));
  expect(proxy.said).toContain('It is fed by hand');

  // Both run: by their addresses.
  const asked = await tabherd('export', at('up'), '--at', proxy.url, '--units', '6');
  expect(asked).toContain('0 reports of proxy');
  const given = await tabherd('import', at('up'), '--at', keymaster.url);
  expect(given).toContain('(6 units) of ogr-12');
  const taken = await tabherd('import', at('up.answer'), '--at', proxy.url);
  expect(taken).toMatch(/blocks \(6 units\) of ogr-12 taken\./);
  expect(await tabherd('import', at('up.answer'), '--at', proxy.url)).toContain('No blocks taken.');
  await expect(tabherd('export', at('up'), '--data', at('below'))).rejects.toThrow(/speak with it by --at/);
  await expect(tabherd('import', at('up'), '--at', keymaster.url, '--token', 'wrong')).rejects.toThrow(/token/);

  const worked = ['--blocks', '6', '--workers', '2', '--data', at('crunch.json'), '--name', 'a hermit'];
  await tabherd('crunch', proxy.url, ...worked);
  await proxy.stop();
  await keymaster.stop();

  // Neither runs: by their data folders.
  const reports = await tabherd('export', at('up'), '--data', at('below'));
  expect(reports).toMatch(/^[1-6] reports? of proxy/);
  expect(await credited(at('top'))).toEqual({});
  expect(await tabherd('import', at('up'), '--data', at('top'))).toMatch(/reports?: [1-6] accepted\./);
  expect(await credited(at('top'))).toEqual({ 'a hermit': 6 });
  expect(await tabherd('import', at('up'), '--data', at('top'))).toMatch(/reports?: [1-6] duplicate\./);
  expect(await credited(at('top'))).toEqual({ 'a hermit': 6 });
  expect(await tabherd('import', at('up.answer'), '--data', at('below'))).toMatch(/Verdicts of [1-6] reports?/);
  expect(await tabherd('export', at('up'), '--data', at('below'))).toContain('0 reports of proxy');

  // Without a question, by the identity that the proxy printed.
  const id = /Its identity there: (\w+)/.exec(proxy.said)?.[1] ?? '';
  const gift = await tabherd('export', at('gift'), '--data', at('top'), '--for', id, '--units', '2');
  expect(gift).toContain('(2 units) of ogr-12 for proxy');
  expect(await tabherd('import', at('gift'), '--data', at('below'))).toContain('(2 units) of ogr-12 taken.');
});

test('a client without a network', async () => {
  const keymaster = await start('serve', '--data', at('open'), '--contests', at('ogr-12.json'));
  const data = ['--data', at('hermit.json')];
  await tabherd('export', at('mine'), ...data, '--units', '3');
  // What a client hands in needs no token.
  const given = await tabherd('import', at('mine'), '--at', keymaster.url, '--token', '');
  expect(given).toContain('(3 units) of ogr-12');
  await tabherd('import', at('mine.answer'), ...data);
  const done = await tabherd('crunch', '--offline', ...data, '--workers', '2', '--name', 'without a wire');
  expect(done).toContain('3 blocks to report');
  await tabherd('export', at('mine'), ...data);
  const reply = await tabherd('import', at('mine'), '--at', keymaster.url, '--answer', at('back'));
  expect(reply).toContain('From client without a wire');
  expect(reply).toContain('3 reports: 3 accepted.');
  expect(await tabherd('import', at('back'), ...data)).toContain('Verdicts of 3 reports: 3 accepted.');
  await keymaster.stop();
  expect(await credited(at('open'))).toEqual({ 'without a wire': 3 });
});

test('what goes wrong is said in a sentence', async () => {
  await writeFile(at('letter'), 'Dear reader');
  const sentences: [string[], RegExp][] = [
    [['import', at('letter')], /letter: it was not made by tabherd export/],
    [['import', at('nowhere')], /no such file/],
    [['export', at('x'), '--data', at('nothing')], /there is no ledger in/],
    [['export', at('letter'), '--data', at('fresh.json')], /letter is there already, and is no file of buffers/],
    [['export', at('x'), '--for', 'me', '--data', at('top')], /--for: me is no identity/],
    [['export', at('x'), '--at', 'there'], /--at: there is not the address/],
    [['export', at('x'), '--at', 'http://localhost:9'], /does not answer/],
    [['crunch'], /the address of a gateway is missing; without a network: --offline/],
  ];
  await Promise.all(sentences.map(([args, sentence]) => expect(tabherd(...args)).rejects.toThrow(sentence)));
});
