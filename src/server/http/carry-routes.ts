/**
 * Carrying buffers by hand to and from a keyserver that runs, for its operator: `tabherd export` and `import` with `--at`.
 *
 *   POST exchange   an exchange in the name of a proxy that is elsewhere: without that proxy's token
 *   POST reports    of an offline proxy: what waits in its out-buffer, as a file
 *   POST blocks     of an offline proxy: takes a file
 */
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { BlocksFile, type Carrier, ReportsFile, Taken, Wish } from '../../protocol/buffers-file.ts';
import { RefusedError } from '../../protocol/errors.ts';
import { ExchangeReply, ExchangeRequest, type Keyserver } from '../../protocol/keyserver.ts';
import { admitBearer } from './bearer.ts';
import { problem } from './problems.ts';

export interface CarryOptions {
  keyserver: Keyserver;
  /** Of a proxy; a keymaster has nobody to report to. */
  carrier?: Carrier | undefined;
  /** As it is now; nobody is let in where there is none. */
  token: () => string | undefined;
}

export const CARRY_PREFIX = '/admin/v1/carry';

/** A file of blocks has verdicts of up to some hundred thousand reports. */
const BODY_LIMIT = 128 * 1024 * 1024;

const problems = {
  400: problem('Something in the request is not what the schema says; `field` points at the place.'),
  401: problem('The request does not carry the administration token.'),
  409: problem('It is not for this keyserver.'),
  503: problem('Nothing was changed; the same request may be repeated after Retry-After seconds.'),
};

export const carryRoutes: FastifyPluginCallbackTypebox<CarryOptions> = (app, options, done) => {
  const { keyserver, token } = options;
  app.addHook('onRequest', async (request, reply) => {
    const wanted = token();
    if (wanted === undefined) return reply.callNotFound();
    reply.header('cache-control', 'no-store');
    admitBearer(wanted, request, reply);
  });
  const carrier = (): Carrier => {
    if (options.carrier !== undefined) return options.carrier;
    const detail = 'this keyserver is no proxy: it has no upstream, and nothing to report or to be given';
    throw new RefusedError('conflict', detail, { status: 409 });
  };
  const about = (operationId: string, summary: string) => ({ operationId, summary, tags: ['administration'] });
  app.post(
    '/exchange',
    {
      schema: {
        ...about('carriedExchange', 'An exchange that is carried by hand: without the token of the proxy it is for.'),
        body: ExchangeRequest,
        response: { 200: ExchangeReply, ...problems },
      },
    },
    (request) => keyserver.exchange(request.body, { address: request.ip, carried: true }),
  );
  app.post(
    '/reports',
    {
      schema: {
        ...about('carriedReports', "An offline proxy's reports and wishes, to be carried to its upstream."),
        body: Type.Object({ want: Type.Optional(Type.Array(Wish, { maxItems: 64 })) }),
        response: { 200: ReportsFile, ...problems },
      },
    },
    (request) => carrier().handUp(request.body.want),
  );
  app.post(
    '/blocks',
    {
      bodyLimit: BODY_LIMIT,
      schema: {
        ...about('carriedBlocks', 'Verdicts and blocks that were carried to an offline proxy. Safe to repeat.'),
        body: BlocksFile,
        response: { 200: Taken, ...problems },
      },
    },
    (request) => carrier().take(request.body),
  );
  done();
};
