/**
 * The administration API: `keymaster/administration.ts`, one route a method, behind one bearer token. Without a token
 * configured there are no such routes. Every change is logged with who made it, as the fingerprint of the token.
 */
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { type TSchema, Type } from 'typebox';
import { ClientId } from '../../domain/client.ts';
import { ContestManifest, ContestName } from '../../domain/contest.ts';
import {
  AllMessages,
  Case,
  CaseId,
  ClientRecord,
  ContestChange,
  Day,
  Fleet,
  KnownProxy,
  LedgerCheck,
  LedgerFacts,
  MadeVoucher,
  Messages,
  NewProxy,
  NewSite,
  NewVoucher,
  OfferedContest,
  Rate,
  RevokedProxy,
  SigningKey,
  Site,
  SiteChange,
  Span,
  StopReason,
  TopEntry,
  TopScope,
  UnitHistory,
} from '../../protocol/administration.ts';
import { OfSite } from '../../protocol/standing.ts';
import type { Administration } from '../keymaster/administration.ts';
import { KeyId } from '../proof/key.ts';
import { admitBearer, fingerprintOf } from './bearer.ts';
import { problem } from './problems.ts';

export interface AdminOptions {
  administration: Administration;
  /** As it is now; undefined: there is no administration over HTTP. */
  token: () => string | undefined;
}

export const ADMIN_PREFIX = '/admin/v1';

/** As the OpenAPI description names the token. */
export const ADMIN_SECURITY = { adminToken: { type: 'http', scheme: 'bearer' } } as const;

const DEFAULT_LIMIT = 20;

const problems = {
  400: problem('Something in the request is not what the schema says; `field` points at the place.'),
  401: problem('The request does not carry the administration token.'),
  404: problem('There is nothing of this name.'),
  409: problem('It cannot be done as things stand.'),
  503: problem('Nothing was changed; the same request may be repeated after Retry-After seconds.'),
};

const exact = { additionalProperties: false };
/** In an address everything is text. */
const Limit = Type.Optional(Type.String({ pattern: '^([1-9][0-9]{0,2}|1000)$' }));
const OfContest = Type.Object({ name: ContestName }, exact);
const OfClient = Type.Object({ id: ClientId }, exact);
const OfCase = Type.Object({ id: CaseId }, exact);
const OfKey = Type.Object({ id: KeyId }, exact);

export const adminRoutes: FastifyPluginAsyncTypebox<AdminOptions> = async (app, { administration, token }) => {
  const { inquiries, cases } = administration;
  // Who made a change: the token may be another by the time that it is logged.
  const operators = new WeakMap<FastifyRequest, string>();

  app.addHook('onRequest', async (request, reply) => {
    const secret = token();
    if (secret === undefined) return reply.callNotFound();
    reply.header('cache-control', 'no-store');
    admitBearer(secret, request, reply);
    operators.set(request, fingerprintOf(secret));
  });
  app.addHook('onResponse', async (request, { statusCode }) => {
    const { method, url, body, log } = request;
    if (method === 'GET' || method === 'HEAD' || statusCode >= 400) return;
    log.info({ operator: operators.get(request), method, url, body }, 'changed by the operator');
  });

  const about = <Answer extends TSchema>(operationId: string, summary: string, answer: Answer) => ({
    operationId,
    summary,
    tags: ['administration'],
    hide: token() === undefined,
    security: [{ adminToken: [] }],
    response: { 200: answer, ...problems },
  });

  app.get(
    '/contests',
    { schema: about('adminContests', 'Every contest, withdrawn ones too.', list(OfferedContest)) },
    () => administration.contests(),
  );
  app.post(
    '/contests',
    {
      schema: {
        ...about('addContest', 'Enters a contest, or another manifest of one with the same units.', OfferedContest),
        body: ContestManifest,
      },
    },
    ({ body }) => administration.addContest(body),
  );
  app.patch(
    '/contests/:name',
    {
      schema: {
        ...about('changeContest', 'Closes, opens, withdraws, offers, or orders a contest.', OfferedContest),
        params: OfContest,
        body: ContestChange,
      },
    },
    ({ params, body }) => administration.changeContest(params.name, body),
  );
  app.get(
    '/contests/:name/rates',
    {
      schema: {
        ...about('contestRates', 'Units by hour or day, newest first.', list(Rate)),
        params: OfContest,
        querystring: Type.Object({ span: Type.Optional(Span), limit: Limit }, exact),
      },
    },
    ({ params, query }) => inquiries.rates(params.name, query.span ?? 'hour', Number(query.limit ?? DEFAULT_LIMIT)),
  );
  app.get(
    '/contests/:name/top',
    {
      schema: {
        ...about('contestTop', 'Who did most, on one day or ever.', list(TopEntry)),
        params: OfContest,
        querystring: Type.Object({ scope: Type.Optional(TopScope), day: Type.Optional(Day), limit: Limit }, exact),
      },
    },
    ({ params, query: { scope = 'person', day, limit = DEFAULT_LIMIT } }) =>
      inquiries.top(params.name, scope, day, Number(limit)),
  );
  app.get(
    '/contests/:name/units/:unit',
    {
      schema: {
        ...about('unitHistory', 'The state of a unit, and who finished it.', UnitHistory),
        params: Type.Object({ name: ContestName, unit: Type.String({ pattern: '^(0|[1-9][0-9]{0,14})$' }) }, exact),
      },
    },
    ({ params: { name, unit } }) => inquiries.who(name, Number(unit)),
  );

  app.get('/keys', { schema: about('signingKeys', 'The keys with which proofs are signed.', list(SigningKey)) }, () =>
    administration.keys(),
  );
  app.post('/keys/rotate', { schema: about('rotateKey', 'A new key signs from now on.', list(SigningKey)) }, () =>
    administration.rotateKey(),
  );
  app.post(
    '/keys/:id/revoke',
    { schema: { ...about('revokeKey', 'What this key signed counts no more.', list(SigningKey)), params: OfKey } },
    ({ params }) => administration.revokeKey(params.id),
  );

  app.get('/proxies', { schema: about('proxies', 'The proxies that came or were listed.', list(KnownProxy)) }, () =>
    administration.proxies(),
  );
  app.put(
    '/proxies/:id',
    { schema: { ...about('addProxy', 'Lists a proxy, or names one.', KnownProxy), params: OfKey, body: NewProxy } },
    ({ params, body }) => administration.addProxy(params.id, body.name),
  );
  app.post(
    '/proxies/:id/revoke',
    {
      schema: {
        ...about('revokeProxy', 'Serves it no more, and frees what it holds. May be repeated.', RevokedProxy),
        params: OfKey,
      },
    },
    ({ params }) => administration.revokeProxy(params.id),
  );
  app.post(
    '/proxies/:id/restore',
    { schema: { ...about('restoreProxy', 'Serves it again.', KnownProxy), params: OfKey } },
    ({ params }) => administration.restoreProxy(params.id),
  );

  app.post(
    '/vouchers',
    { schema: { ...about('vouch', "The keymaster's word for a gateway in a pool.", MadeVoucher), body: NewVoucher } },
    ({ body }) => administration.vouch(body),
  );

  app.get('/fleet', { schema: about('fleet', 'The kiosks, as they were last heard of.', Fleet) }, () =>
    administration.fleet(),
  );

  app.get(
    '/cases',
    {
      schema: {
        ...about('cases', 'Who was caught at what, newest first.', list(Case)),
        querystring: Type.Object({ limit: Limit }, exact),
      },
    },
    ({ query }) => cases.list(Number(query.limit ?? DEFAULT_LIMIT)),
  );
  app.get(
    '/cases/:id',
    { schema: { ...about('case', 'A case, with its evidence.', Case), params: OfCase } },
    ({ params }) => cases.show(params.id),
  );
  app.post(
    '/cases/:id/pardon',
    { schema: { ...about('pardon', 'Work again, and the credit of what is still free.', Case), params: OfCase } },
    ({ params }) => cases.pardon(params.id),
  );
  app.get(
    '/clients/:id',
    {
      schema: {
        ...about('clientRecord', 'What is noted of a client.', ClientRecord),
        params: OfClient,
      },
    },
    ({ params }) => cases.record(params.id),
  );
  app.post(
    '/clients/:id/stop',
    {
      schema: {
        ...about('stopClient', 'Tells a client to work no more until a person starts it again.', ClientRecord),
        params: OfClient,
        body: StopReason,
      },
    },
    ({ params, body }) => cases.stop(params.id, body.reason),
  );
  app.post(
    '/clients/:id/resume',
    {
      schema: {
        ...about('resumeClient', 'A client that was stopped gets work again.', ClientRecord),
        params: OfClient,
      },
    },
    ({ params }) => cases.stop(params.id, undefined),
  );

  app.get('/sites', { schema: about('sites', 'The sites that show the widget.', list(Site)) }, () =>
    administration.sites(),
  );
  app.post(
    '/sites',
    {
      schema: {
        ...about('addSite', "Makes a token for a team's site, for pages of these origins.", Site),
        body: NewSite,
      },
    },
    ({ body }) => administration.addSite(body),
  );
  app.patch(
    '/sites/:token',
    {
      schema: {
        ...about('changeSite', 'Gives a site other origins, revokes it, or allows it again.', Site),
        params: OfSite,
        body: SiteChange,
      },
    },
    ({ params, body }) => administration.changeSite(params.token, body),
  );

  app.get('/messages', { schema: about('messages', 'The messages of the day.', AllMessages) }, () =>
    administration.messages(),
  );
  app.put(
    '/messages',
    { schema: { ...about('setMessages', 'Sets the messages of the day.', AllMessages), body: Messages } },
    ({ body }) => administration.setMessages(body.messages),
  );

  app.get('/facts', { schema: about('facts', 'How large the ledger is. A scan.', LedgerFacts) }, () =>
    inquiries.facts(),
  );
  app.get('/check', { schema: about('check', 'Recounts the ledger. A scan.', LedgerCheck) }, () => inquiries.check());
};

const list = <Item extends TSchema>(item: Item) => Type.Array(item);
