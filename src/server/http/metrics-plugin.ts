/**
 * Measures every request and serves `/metrics`. Register it on the root before the routes it is to measure: its hook is
 * not encapsulated.
 *
 * A request ends when its socket has the last byte, or is gone: `close` of the raw response, which comes for streams,
 * for replies that were hijacked, and for those whose client left, where fastify's own `onResponse` stays silent.
 */
import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyPluginCallback, FastifyReply } from 'fastify';
import type { Metrics } from './metrics.ts';

/** Of an address that is no route: they are endless, and a label's values must not be. */
const NO_ROUTE = 'none';

interface Measured extends ServerResponse {
  [REPLY]?: FastifyReply;
  /** By `performance.now`. */
  [STARTED]?: number;
}
const REPLY = Symbol('reply');
const STARTED = Symbol('started');

export const metricsPlugin: FastifyPluginCallback<{ metrics: Metrics }> = (
  app: FastifyInstance,
  { metrics },
  done: () => void,
) => {
  // One function for all requests, and no closure for any.
  function onClose(this: Measured): void {
    const started = this[STARTED] ?? 0;
    const route = this[REPLY]?.request.routeOptions.url ?? NO_ROUTE;
    const status = this.writableEnded ? String(this.statusCode) : 'aborted';
    metrics.requested(route, status, (performance.now() - started) / 1000);
  }
  app.addHook('onRequest', (_request, reply, next) => {
    const raw: Measured = reply.raw;
    raw[REPLY] = reply;
    raw[STARTED] = performance.now();
    raw.once('close', onClose);
    next();
  });
  app.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
    const { contentType, body } = await metrics.text();
    return reply.header('cache-control', 'no-store').type(contentType).send(body);
  });
  done();
};
// As fastify-plugin does: without this the hook would hold for this plugin's own route only.
Object.assign(metricsPlugin, { [Symbol.for('skip-override')]: true });
