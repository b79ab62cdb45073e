/**
 * ASAP and ENRP over HTTP. Pages of other gateways of the pool may read and call what is here and the keyserver's own API: it is
 * public, and no browser sends anything secret along.
 */
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { RefusedError } from '../../protocol/errors.ts';
import {
  KeepAlive,
  PoolHandle,
  PoolsOverview,
  RegistrationReply,
  Resolution,
  Unreachable,
  UnreachableReply,
  Vouched,
  VouchedAnswer,
} from '../../protocol/pools.ts';
import type { Pools } from '../pools/pools.ts';
import type { RegistrarApi } from '../pools/registrar.ts';
import { problem } from './problems.ts';

const problems = {
  400: problem('The body is not what the schema says; `field` points at the place.'),
  403: problem('The statement or its voucher is not what it has to be; `detail` says why.'),
  404: problem('There is no such pool, or no registrar is known here.'),
  409: problem('There is a later registration, or the identifier is taken.'),
  503: problem('No registrar answers; the same request may be repeated after Retry-After seconds.'),
};

/** What a path here is for; undefined: it is none of these. */
export function poolMethod(path: string): 'GET' | 'POST' | undefined {
  const [, route] = /^\/api\/v1\/(keep-alive|pools(?:\/.+)?)$/.exec(path) ?? [];
  if (route === undefined) return undefined;
  return /^pools\/((de)?registrations|enrp|[^/]+\/unreachable)$/.test(route) ? 'POST' : 'GET';
}

const OfPool = Type.Object({ handle: PoolHandle }, { additionalProperties: false });
const Done = Type.Object({});

export const poolRoutes: FastifyPluginCallbackTypebox<{ pools: Pools }> = (app, { pools }, done) => {
  const api = (): RegistrarApi => {
    if (pools.api !== undefined) return pools.api;
    throw new RefusedError('not_found', 'this keyserver knows no registrar', { status: 404 });
  };
  const about = (operationId: string, summary: string) => ({ operationId, summary, tags: ['pools'] });
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('cache-control', 'no-store');
  });
  app.get(
    '/keep-alive',
    {
      schema: {
        ...about('keepAlive', 'That this gateway is there, in which pool, and how busy.'),
        response: { 200: KeepAlive, 404: problems[404] },
      },
    },
    () => pools.keepAlive(),
  );
  app.post(
    '/call-back',
    { schema: { ...about('callBack', 'There is news at the upstream of this proxy.'), response: { 200: Done } } },
    async () => {
      pools.called();
      return {};
    },
  );
  app.get(
    '/pools',
    {
      schema: {
        ...about('pools', 'Pools, elements, registrars, and what happened last.'),
        response: { 200: PoolsOverview, 404: problems[404], 503: problems[503] },
      },
    },
    () => api().overview(),
  );
  app.get(
    '/pools/:handle',
    {
      schema: {
        ...about('resolve', 'Handle resolution: elements of a pool, in the order in which to try them.'),
        params: OfPool,
        response: { 200: Resolution, 404: problems[404], 503: problems[503] },
      },
    },
    ({ params }) => api().resolve(params.handle),
  );
  app.post(
    '/pools/:handle/unreachable',
    {
      schema: {
        ...about('unreachable', 'An element could not be reached. A registrar looks for itself before it believes.'),
        params: OfPool,
        body: Unreachable,
        response: { 200: UnreachableReply, 400: problems[400], 404: problems[404], 503: problems[503] },
      },
    },
    async ({ params, body, ip }) => ({ known: await api().unreachable(params.handle, body, ip) }),
  );
  app.post(
    '/pools/registrations',
    {
      schema: {
        ...about('register', 'An element registers, or again.'),
        body: Vouched,
        response: { 200: RegistrationReply, ...problems },
      },
    },
    ({ body }) => api().register(body),
  );
  app.post(
    '/pools/deregistrations',
    { schema: { ...about('deregister', 'An element leaves.'), body: Vouched, response: { 200: Done, ...problems } } },
    async ({ body }) => {
      await api().deregister(body);
      return {};
    },
  );
  app.post(
    '/pools/enrp',
    {
      schema: {
        ...about('enrp', 'What registrars say to each other.'),
        body: VouchedAnswer,
        response: { 200: VouchedAnswer, ...problems },
      },
    },
    ({ body }) => pools.receive(body),
  );
  done();
};
