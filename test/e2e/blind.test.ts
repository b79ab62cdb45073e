/**
 * A blind contest as its operator runs it: a keymaster, a proxy over it, and the real engine over that, each in a process of its
 * own. All that crosses a wire is recorded, and so is what is left on the disks of those who must not know.
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { manifests } from '../../src/contests/manifests.ts';
import { rc5Search } from '../../src/contests/rc5/rc5.ts';
import type { ContestManifest } from '../../src/domain/contest.ts';
import type { Status } from '../../src/protocol/keyserver.ts';
import { type StartedKeyserver, startKeyserver, tabherd } from '../helpers/command.ts';
import { type Relay, relayTo } from '../helpers/relay.ts';

const env = { ...process.env, TABHERD_ADMIN_TOKEN: 'a-token-for-this-test-alone' };
const warmUp = manifests.find(({ name }) => name === 'rc5-56') as ContestManifest;
const open = rc5Search(warmUp);
/** The unit with the answer, alone. */
const hidden: ContestManifest = {
  ...warmUp,
  name: 'hidden',
  units: 1,
  search: { ...open, blind: true, firstUnit: open.firstUnit + 5 },
};
const key = '532b744cc20999';
const message = "It's time to move to a longer key length.";
/** A word of the ciphertext betrays the answer as well as all of it. */
const secrets = [open.iv, ...(open.ciphertext.match(/.{8}/g) ?? []), key, message];

const WAIT = { timeout: 60_000, interval: 500 };

let folder: string;
const started: StartedKeyserver[] = [];
const relays: Relay[] = [];

async function start(...args: string[]): Promise<Relay> {
  const keyserver = await startKeyserver(args, env);
  started.push(keyserver);
  const relay = await relayTo(keyserver.url);
  relays.push(relay);
  return relay;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tabherd-'));
});
afterAll(async () => {
  for (const { kill } of started) kill();
  for (const { close } of relays) close();
  await rm(folder, { recursive: true, force: true });
});

test('a blind contest: searched by the real engine through a proxy, and read by nobody but the keymaster', async () => {
  const at = (name: string): string => join(folder, name);
  await writeFile(at('hidden.json'), JSON.stringify(hidden));
  const top = await start('serve', '--data', at('top'), '--contests', at('hidden.json'));
  const proxy = await start('proxy', '--upstreams', top.url, '--report-age-seconds', '1', '--data', at('below'));

  const crunch = (data: string, ...args: string[]): Promise<string> =>
    tabherd(['crunch', proxy.url, '--workers', '1', '--data', at(data), ...args]);
  const finder = await crunch('finder.json', '--name', 'Ada', '--blocks', '1');
  const statusOf = async ({ url }: Relay): Promise<Status> =>
    (await (await fetch(`${url}/api/v1/status`)).json()) as Status;
  const closedByHit = { closedBy: 'hit', done: 1, hits: [{ kind: 'found', by: 'Ada' }] };
  for (const keyserver of [top, proxy]) {
    await expect.poll(async () => (await statusOf(keyserver)).contests, WAIT).toMatchObject([closedByHit]);
    for (const path of ['api/v1/contests', 'status', 'metrics', 'api/v1/openapi.json']) {
      expect((await fetch(`${keyserver.url}/${path}`)).status).toBe(200);
    }
  }
  const late = await crunch('late.json', '--until', 'hidden');
  expect(late).toMatch(/^hidden: found on 20\d\d-\d\d-\d\d by Ada; the keymaster keeps it$/m);
  await started[1]?.stop();

  const left = [...(await readdir(at('below'))).map((name) => join('below', name)), 'finder.json', 'late.json'];
  const kept = await Promise.all(left.map((name) => readFile(at(name), 'latin1')));
  const told = [...relays.flatMap((relay) => relay.said), ...kept, finder, late].join('\n');
  expect(told).toContain('"nearMatches":[');
  expect(secrets.filter((secret) => told.includes(secret))).toEqual([]);

  const known = await tabherd(['admin', 'contests', '--at', started[0]?.url ?? ''], env);
  expect(known).toContain(`hidden: key ${key}: The unknown message is: ${message}`);
});
