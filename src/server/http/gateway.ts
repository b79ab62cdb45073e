/**
 * The gateway: the HTTP face of any keyserver, and what serves the PWA, on one port.
 *
 * Strict where fastify is lenient by default: its ajv would turn "1" into 1 and drop fields it does not know;
 * here bodies are checked as they came, by typebox, and the first fault is named by its JSON pointer.
 * No COOP or COEP: nothing of ours needs SharedArrayBuffer, and pages that embed us would have to have them too.
 */
import fastifyCompress from '@fastify/compress';
import fastifyCors, { type FastifyCorsOptions } from '@fastify/cors';
import fastifySwagger from '@fastify/swagger';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyRequest,
  type FastifySchemaCompiler,
  LogController,
} from 'fastify';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { RefusedError } from '../../protocol/errors.ts';
import { faultOf } from '../../protocol/fault.ts';
import type { Keyserver } from '../../protocol/keyserver.ts';
import { MAX_PROXY_BODY_BYTES } from '../../protocol/report-batch.ts';
import type { Standings } from '../../protocol/standing.ts';
import type { Pools } from '../pools/pools.ts';
import { guardAccess, type MayAccess } from './access.ts';
import { ADMIN_PREFIX, ADMIN_SECURITY, type AdminOptions, adminRoutes } from './admin-routes.ts';
import { embedRoutes, isEmbedBuilt } from './embed.ts';
import { healthPlugin } from './health.ts';
import type { Metrics } from './metrics.ts';
import { metricsPlugin } from './metrics-plugin.ts';
import { poolMethod, poolRoutes } from './pool-routes.ts';
import { sendError, sendProblem } from './problems.ts';
import { limitRates, type Rates } from './rate-limit.ts';
import { METHODS, routes } from './routes.ts';
import { securityHeaders } from './security.ts';
import { isStandingPath, standingRoutes } from './standing-routes.ts';
import { readPage, serveApp } from './static-app.ts';
import { statusPagePlugin } from './status-page.ts';

export interface GatewayOptions {
  keyserver: Keyserver;
  /** Without it there is no standing. */
  standings?: Standings | undefined;
  /** The folder of the built PWA; without it `/` says so. */
  appDir?: string | undefined;
  /** A keymaster's administration; only where a token is configured too. */
  admin?: AdminOptions | undefined;
  /** pino, or anything of its form. Without one nothing is logged. */
  logger?: FastifyBaseLogger | undefined;
  /** Named in the OpenAPI description. */
  version: string;
  /** Without them there is no `/metrics`. */
  metrics?: Metrics | undefined;
  /** Who is served, by address; all unless told. */
  mayAccess?: MayAccess | undefined;
  /** Reverse proxies whose X-Forwarded-For is believed; none unless told. */
  trustProxy?: boolean | readonly string[] | undefined;
  /** Exchanges a minute; without limits unless told. */
  rates?: (() => Rates) | undefined;
  /** What is not ready; see `health.ts`. */
  unready?: (() => Promise<readonly string[]>) | undefined;
  clock?: (() => number) | undefined;
  /** Without it this gateway has to do with no pool. */
  pools?: Pools | undefined;
  /** More routes, such as the operator's. */
  more?: ((app: FastifyInstance) => Promise<void>) | undefined;
}

/** To pages of other gateways of a pool. */
const OPEN: FastifyCorsOptions = {
  origin: '*',
  methods: ['GET', 'POST'],
  allowedHeaders: ['content-type', 'content-encoding'],
  exposedHeaders: ['retry-after', 'accept-encoding'],
  maxAge: 86_400,
};

const UNLIMITED: Rates = { client: 0, address: 0, team: 0 };

/** Ready to `listen` or `inject`; close it with `close()`. */
export async function createGateway(options: GatewayOptions): Promise<FastifyInstance> {
  const { keyserver, metrics, mayAccess, trustProxy = false, unready = async () => [], pools } = options;
  const app = fastify({
    ...(options.logger === undefined ? {} : { loggerInstance: options.logger }),
    // A line a request would be the load's own shadow; errors are logged where they happen.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: MAX_PROXY_BODY_BYTES,
    trustProxy: typeof trustProxy === 'object' ? [...trustProxy] : trustProxy,
    // A client that dribbles its request has this long.
    requestTimeout: 30_000,
    // The longest name of a team, in an address.
    routerOptions: { maxParamLength: 600 },
    frameworkErrors: (error, _request, reply) => {
      void sendError(reply, error);
    },
  }).withTypeProvider<TypeBoxTypeProvider>();

  // To a person who mistyped an address the page says so, in its own words.
  const page = readPage(options.appDir);
  // Without this a form on any page could post to us: text/plain needs no leave of the browser's.
  app.removeContentTypeParser('text/plain');
  app.setValidatorCompiler(strictly);
  app.setSerializerCompiler(() => JSON.stringify);
  app.setErrorHandler((error, _request, reply) => sendError(reply, error));
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const method =
      METHODS.get(path) ?? (isStandingPath(path) ? 'GET' : pools === undefined ? undefined : poolMethod(path));
    if (page !== undefined && request.method === 'GET' && isForPeople(request)) {
      return reply.code(404).header('cache-control', 'no-cache').type('text/html').send(page);
    }
    if (method === undefined || method === request.method) {
      return sendProblem(reply, { status: 404, code: 'not_found', detail: `there is nothing at ${path}` });
    }
    reply.header('allow', method);
    return sendProblem(reply, { status: 405, code: 'method_not_allowed', detail: `${path} knows only ${method}` });
  });
  let headers = securityHeaders([]);
  let origins: readonly string[] = [];
  app.addHook('onRequest', async (_request, reply) => {
    if (pools !== undefined && pools.origins !== origins) {
      ({ origins } = pools);
      headers = securityHeaders(origins);
    }
    reply.headers(headers);
    // A client may send what we can read (RFC 9110, 12.5.3).
    reply.header('accept-encoding', 'gzip');
  });

  await app.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Tabherd keyserver',
        description: 'Hands out blocks of units, takes reports back. Errors are problem documents (RFC 9457).',
        version: options.version,
      },
      ...(options.admin?.token() === undefined ? {} : { components: { securitySchemes: ADMIN_SECURITY } }),
    },
  });
  if (metrics !== undefined) await app.register(metricsPlugin, { metrics });
  if (mayAccess !== undefined) guardAccess(app, mayAccess);
  // Below this a reply fits in one packet either way.
  await app.register(fastifyCompress, { threshold: 2048, encodings: ['gzip'], requestEncodings: ['gzip', 'identity'] });
  await app.register(healthPlugin, { unready });
  await app.register(statusPagePlugin, { keyserver, clock: options.clock ?? Date.now, pools: pools?.isOpen ?? false });
  const limit = limitRates(options.rates ?? (() => UNLIMITED), options.clock ?? Date.now);
  await app.register(
    async (api) => {
      if (pools?.isOpen === true) await api.register(fastifyCors, OPEN);
      await api.register(routes, { keyserver, limit, pools });
      if (pools !== undefined) await api.register(poolRoutes, { pools });
    },
    { prefix: '/api/v1' },
  );
  const { standings } = options;
  if (standings !== undefined) await app.register(standingRoutes, { prefix: '/api/v1', standings });
  if (standings !== undefined && isEmbedBuilt(options.appDir)) {
    await app.register(embedRoutes, { keyserver, standings, appDir: options.appDir, origins: () => origins });
  }
  if (options.admin !== undefined) await app.register(adminRoutes, { prefix: ADMIN_PREFIX, ...options.admin });
  await options.more?.(app);
  await serveApp(app, options.appDir);
  await app.ready();
  return app;
}

const isForPeople = ({ headers, url }: FastifyRequest): boolean =>
  headers.accept?.includes('text/html') === true && !/^\/(api|admin|assets)\//.test(url);

const strictly: FastifySchemaCompiler<TSchema> = ({ schema }) => {
  const validator = Compile(schema);
  return (value: unknown) => {
    if (validator.Check(value)) return { value };
    const fault = faultOf(schema, value) ?? { pointer: '', message: 'is not valid' };
    const place = fault.pointer === '' ? 'the body' : fault.pointer;
    const field = fault.pointer === '' ? undefined : fault.pointer;
    return { error: new RefusedError('body_malformed', `${place} ${fault.message}`, { field }) };
  };
};
