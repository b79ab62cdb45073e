/** Every keyserver there is, under the one suite. */
import { HttpKeyserver } from '../../src/protocol/http-keyserver.ts';
import { createGateway } from '../../src/server/http/gateway.ts';
import { openKeymaster, temporaryFolder } from '../helpers/keyservers.ts';
import { freshSchema, sharedPostgres } from '../helpers/postgres.ts';
import { Pyramid, TestProxy } from '../helpers/pyramid.ts';
import { keyserverConformance } from './keyserver.ts';

keyserverConformance('the keymaster', async (manifests) => {
  const folder = temporaryFolder();
  const { keymaster, clock, close } = await openKeymaster(folder.path, manifests);
  return {
    keyserver: keymaster,
    counts: 'own',
    advance: (ms) => {
      clock.now += ms;
    },
    close: () => close().finally(folder.remove),
  };
});

keyserverConformance('the keymaster on PostgreSQL', async (manifests) => {
  const home = { url: await sharedPostgres(), schema: freshSchema() };
  const { keymaster, clock, close } = await openKeymaster(home, manifests);
  return {
    keyserver: keymaster,
    counts: 'own',
    advance: (ms) => {
      clock.now += ms;
    },
    close,
  };
});

keyserverConformance('a gateway, reached over HTTP,', async (manifests) => {
  const folder = temporaryFolder();
  const { keymaster, clock, close } = await openKeymaster(folder.path, manifests);
  const gateway = await createGateway({ keyserver: keymaster, version: '0.0.0' });
  const url = await gateway.listen({ port: 0, host: '127.0.0.1' });
  return {
    keyserver: new HttpKeyserver(url, { fetch }),
    counts: 'own',
    advance: (ms) => {
      clock.now += ms;
    },
    async close() {
      await gateway.close();
      await close().finally(folder.remove);
    },
  };
});

keyserverConformance('a proxy', async (manifests) => {
  const pyramid = new Pyramid(manifests);
  await pyramid.top();
  const proxy = await pyramid.upper.start();
  return {
    keyserver: proxy,
    counts: 'upstream',
    settle: () => proxy.talk().then(() => proxy.talk()),
    advance: (ms) => {
      pyramid.clock.now += ms;
    },
    close: () => pyramid.close(),
  };
});

keyserverConformance('a proxy, reached over HTTP as its keymaster is,', async (manifests) => {
  const folders = [temporaryFolder(), temporaryFolder()] as const;
  const { keymaster, clock, close } = await openKeymaster(folders[0].path, manifests);
  const above = await createGateway({ keyserver: keymaster, version: '0.0.0' });
  const upstream = new HttpKeyserver(await above.listen({ port: 0, host: '127.0.0.1' }), { fetch });
  const proxy = new TestProxy(folders[1].path, () => upstream, { clock });
  const running = await proxy.start();
  const gateway = await createGateway({ keyserver: running, version: '0.0.0' });
  const url = await gateway.listen({ port: 0, host: '127.0.0.1' });
  return {
    keyserver: new HttpKeyserver(url, { fetch }),
    counts: 'upstream',
    settle: () => running.talk().then(() => running.talk()),
    advance: (ms) => {
      clock.now += ms;
    },
    async close() {
      await gateway.close();
      await proxy.stop({ keepStock: true });
      await above.close();
      await close();
      for (const folder of folders) folder.remove();
    },
  };
});
