/** The keyservers that `bench pools` measures: the built ones, each a process of its own. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { kinds } from '../../../contests/kinds.ts';
import { startProxy } from '../../../server/serve.ts';
import { type KeyserverChild, startProgram, UNCHECKED } from '../keyserver-child.ts';

export interface Programs {
  /** A keymaster that is a registrar. */
  registrar(token: string): Promise<KeyserverChild>;
  /** The key of the proxy that will be the newcomer. */
  newcomerKey(upstream: string): Promise<string>;
  /** A registrar without elements. */
  newcomer(upstream: string, address: string, voucher: string): Promise<KeyserverChild>;
}

/** @param folder an empty one. */
export function builtPrograms(folder: string, version: string, profile: string | undefined): Programs {
  const newcomer = join(folder, 'newcomer');
  return {
    async registrar(token) {
      // Registrars find each other at the address that they say, so it has to be known before.
      const port = await freePort();
      const own = ['--registrar', '--pool-addresses', `http://127.0.0.1:${port}`];
      const environment = { ...UNCHECKED, TABHERD_ADMIN_TOKEN: token };
      return startProgram(['serve', '--data', join(folder, 'top'), ...own], { profile, environment, port });
    },
    async newcomerKey(upstream) {
      const proxy = await startProxy({
        dataDir: newcomer,
        upstreams: [upstream],
        settings: { mode: 'offline' },
        host: '127.0.0.1',
        port: 0,
        kinds,
        version,
        logLevel: 'silent',
      });
      await proxy.close();
      return proxy.id;
    },
    newcomer(upstream, address, voucher) {
      const own = ['--registrar', '--registrars', upstream, '--pool-addresses', address];
      const environment = { TABHERD_POOL_VOUCHER: voucher };
      return startProgram(['proxy', '-u', upstream, '--data', newcomer, ...own], { environment });
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
