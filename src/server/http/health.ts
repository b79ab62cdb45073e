/**
 * For load balancers and supervisors. `/healthz`: the process lives and its event loop turns; restart it if not.
 * `/readyz`: it can serve now; send it no clients if not. A keyserver that is not ready must not be restarted for it.
 */
import type { FastifyPluginCallback } from 'fastify';
import { sendProblem } from './problems.ts';

export interface HealthOptions {
  /** What is not ready, each in a few words a stranger may read: `the ledger`. Nothing: all is. */
  unready: () => Promise<readonly string[]>;
}

const RETRY_AFTER_SECONDS = '5';

export const healthPlugin: FastifyPluginCallback<HealthOptions> = (app, { unready }, done) => {
  app.addHook('onRequest', (_request, reply, next) => {
    reply.header('cache-control', 'no-store');
    next();
  });
  app.get('/healthz', { schema: { hide: true } }, (_request, reply) => reply.type('text/plain').send('ok\n'));
  app.get('/readyz', { schema: { hide: true } }, async (request, reply) => {
    let missing: readonly string[];
    try {
      missing = await unready();
    } catch (err) {
      request.log.error({ err }, 'the check for readiness failed');
      missing = ['the check itself, which failed'];
    }
    if (missing.length === 0) return reply.type('text/plain').send('ok\n');
    reply.header('retry-after', RETRY_AFTER_SECONDS);
    return sendProblem(reply, { status: 503, code: 'unavailable', detail: `not ready: ${missing.join(', ')}` });
  });
  done();
};
