/** The API: the Keyserver interface, one route a method, described by the schemas it is checked with. */
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { preHandlerHookHandler } from 'fastify';
import { Type } from 'typebox';
import { Contest, ContestName } from '../../domain/contest.ts';
import {
  ExchangeReply,
  ExchangeRequest,
  type Keyserver,
  ReleaseReply,
  ReleaseRequest,
  Status,
} from '../../protocol/keyserver.ts';
import { MAX_CELLS, UnitMap } from '../../protocol/unit-map.ts';
import type { Pools } from '../pools/pools.ts';
import { problem } from './problems.ts';

const problems = {
  400: problem('The body is not what the schema says; `field` points at the place.'),
  413: problem('The body is larger than 4 MiB.'),
  415: problem('The body is not application/json.'),
  422: problem('The body names something that this keyserver does not have.'),
  429: problem('Too many requests from this client, address or team; Retry-After says when to come again.'),
  503: problem('Nothing was recorded; the same request may be repeated after Retry-After seconds.'),
};

const exact = { additionalProperties: false };
/** In an address everything is text. */
const Whole = Type.String({ pattern: '^(0|[1-9][0-9]{0,14})$' });
/** As old as the keyserver's own charts may be: `ledger/maps.ts`. */
const MAP_SECONDS = 5;

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
  ['/api/v1/call-back', 'POST'],
  ['/healthz', 'GET'],
  ['/readyz', 'GET'],
  ['/metrics', 'GET'],
  ['/status', 'GET'],
]);

export interface RoutesOptions {
  keyserver: Keyserver;
  /** Before an exchange and a release are looked at. */
  limit: preHandlerHookHandler;
  pools?: Pools | undefined;
}

export const routes: FastifyPluginCallbackTypebox<RoutesOptions> = (app, { keyserver, limit, pools }, done) => {
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
  });
  app.post(
    '/exchange',
    {
      preHandler: limit,
      schema: {
        operationId: 'exchange',
        summary: 'Reports in, leases out, in one round trip. Safe to repeat.',
        body: ExchangeRequest,
        response: { 200: ExchangeReply, ...problems },
      },
    },
    async (request) => {
      const answered = pools?.load.begin();
      try {
        const reply = await keyserver.exchange(request.body, { address: request.ip });
        pools?.exchanged(request.body, reply);
        return pools?.handle === undefined ? reply : { ...reply, pool: pools.handle };
      } finally {
        answered?.();
      }
    },
  );
  app.post(
    '/release',
    {
      preHandler: limit,
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
  app.get(
    '/contests/:name/map',
    {
      schema: {
        operationId: 'map',
        summary: 'How much of a stretch of a contest is done and leased, cell by cell. May be some seconds old.',
        params: Type.Object({ name: ContestName }, exact),
        querystring: Type.Object(
          {
            /** The first unit. */
            first: Type.Optional(Whole),
            /** Units in a cell. */
            size: Whole,
            cells: Type.Optional(Whole),
          },
          exact,
        ),
        response: { 200: UnitMap, 400: problems[400], 404: problem('There is no such contest.'), 503: problems[503] },
      },
    },
    async ({ params, query }, reply) => {
      const { first = '0', size, cells = `${MAX_CELLS}` } = query;
      const map = await keyserver.map({
        contest: params.name,
        first: Number(first),
        size: Number(size),
        cells: Number(cells),
      });
      reply.header('cache-control', `public, max-age=${MAP_SECONDS}`);
      return map;
    },
  );
  app.get('/openapi.json', { schema: { hide: true } }, () => app.swagger());
  done();
};
