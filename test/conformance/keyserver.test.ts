/** Every keyserver there is, under the one suite. */
import { HttpKeyserver } from '../../src/protocol/http-keyserver.ts';
import { createGateway } from '../../src/server/http/gateway.ts';
import { openKeymaster, temporaryFolder } from '../helpers/keyservers.ts';
import { freshSchema, sharedPostgres } from '../helpers/postgres.ts';
import { keyserverConformance } from './keyserver.ts';

keyserverConformance('the keymaster', async (manifests) => {
  const folder = temporaryFolder();
  const { keymaster, clock, close } = await openKeymaster(folder.path, manifests);
  return {
    keyserver: keymaster,
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
    advance: (ms) => {
      clock.now += ms;
    },
    async close() {
      await gateway.close();
      await close().finally(folder.remove);
    },
  };
});
