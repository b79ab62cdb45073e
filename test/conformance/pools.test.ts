/** Every way to share a handlespace, under the one suite. */
import { openStore, temporaryFolder } from '../helpers/keyservers.ts';
import { freshSchema, sharedPostgres } from '../helpers/postgres.ts';
import { poolsConformance } from './pools.ts';

poolsConformance('registrars that tell each other', async () => ({ close: async () => {} }), 25);

poolsConformance(
  'registrars over one SQLite',
  async () => {
    const folder = temporaryFolder();
    const store = await openStore(folder.path);
    return { store, close: () => store.close().finally(folder.remove) };
  },
  4,
);

poolsConformance(
  'registrars over one PostgreSQL',
  async () => {
    const store = await openStore({ url: await sharedPostgres(), schema: freshSchema() });
    return { store, close: () => store.close() };
  },
  3,
);
