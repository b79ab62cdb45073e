/** The API: the Keyserver interface, one route a method, described by the schemas it is checked with. */
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { Contest } from '../../domain/contest.ts';
import {
  ExchangeReply,
  ExchangeRequest,
  type Keyserver,
  ReleaseReply,
  ReleaseRequest,
  Status,
} from '../../protocol/keyserver.ts';
import { problem } from './problems.ts';

const problems = {
  400: problem('The body is not what the schema says; `field` points at the place.'),
  413: problem('The body is larger than 4 MiB.'),
  415: problem('The body is not application/json.'),
  422: problem('The body names something that this keyserver does not have.'),
  503: problem('Nothing was recorded; the same request may be repeated after Retry-After seconds.'),
};

/** The methods each address knows; for the 405 of any other. */
export const METHODS: ReadonlyMap<string, 'GET' | 'POST'> = new Map([
  ['/api/v1/exchange', 'POST'],
  ['/api/v1/release', 'POST'],
  ['/api/v1/contests', 'GET'],
  ['/api/v1/status', 'GET'],
  ['/api/v1/openapi.json', 'GET'],
  ['/admin/v1/carry/exchange', 'POST'],
  ['/admin/v1/carry/reports', 'POST'],
  ['/admin/v1/carry/blocks', 'POST'],
  ['/healthz', 'GET'],
  ['/readyz', 'GET'],
  ['/metrics', 'GET'],
  ['/status', 'GET'],
]);

export const routes: FastifyPluginCallbackTypebox<{ keyserver: Keyserver }> = (app, { keyserver }, done) => {
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
  });
  app.post(
    '/exchange',
    {
      schema: {
        operationId: 'exchange',
        summary: 'Reports in, leases out, in one round trip. Safe to repeat.',
        body: ExchangeRequest,
        response: { 200: ExchangeReply, ...problems },
      },
    },
    (request) => keyserver.exchange(request.body, { address: request.ip }),
  );
  app.post(
    '/release',
    {
      schema: {
        operationId: 'release',
        summary: 'Gives leased blocks back unworked.',
        body: ReleaseRequest,
        response: { 200: ReleaseReply, ...problems },
      },
    },
    (request) => keyserver.release(request.body),
  );
  app.get(
    '/contests',
    {
      schema: {
        operationId: 'contests',
        summary: 'All contests, in the order in which work is handed out.',
        response: { 200: Type.Array(Contest), 503: problems[503] },
      },
    },
    () => keyserver.contests(),
  );
  app.get(
    '/status',
    {
      schema: {
        operationId: 'status',
        summary: 'What this keyserver holds and has seen.',
        response: { 200: Status, 503: problems[503] },
      },
    },
    () => keyserver.status(),
  );
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
  done();
};
