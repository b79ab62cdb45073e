/** A process that starts a PostgreSQL and says its address, for the test that kills it. Bundled by that test. */
import { startPostgres } from '../../src/cli/bench/postgres.ts';

const { url } = await startPostgres();
process.stdout.write(url);
setInterval(() => {}, 1000);
