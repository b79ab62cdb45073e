/** The standing: public, read only, as JSON, and each table as CSV under the same address with `.csv`. */
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import {
  ContestRates,
  MAX_ENTRIES,
  OfContest,
  OfSite,
  OfTeam,
  RateParameters,
  SiteStanding,
  Standing,
  type StandingEntry,
  StandingExport,
  type StandingOf,
  StandingParameters,
  type Standings,
  TeamParameters,
  TeamStanding,
} from '../../protocol/standing.ts';
import { csv, day, instant } from './csv.ts';
import { problem } from './problems.ts';

const problems = {
  400: problem('A parameter is not what the schema says; `field` points at it.'),
  404: problem('There is no such contest, or nothing was done for such a team.'),
  503: problem('A proxy cannot ask the keymaster now; the same request may be repeated after Retry-After seconds.'),
};

/** Whoever stands between may keep an answer as long as this keyserver does. */
const MAX_AGE_SECONDS = 2;

export const isStandingPath = (path: string): boolean =>
  /^\/api\/v1\/(standing\/(people|teams)(\.csv)?|teams\/[^/]+(\/(members|days)\.csv)?|sites\/[^/]+|contests\/[^/]+\/rates(\.csv)?)$/.test(
    path,
  );

export const standingRoutes: FastifyPluginCallbackTypebox<{ standings: Standings }> = (app, { standings }, done) => {
  app.addHook('onSend', async (_request, reply) => {
    if (reply.statusCode === 200) reply.header('cache-control', `public, max-age=${MAX_AGE_SECONDS}`);
  });

  const table = (operationId: string, summary: string) => ({
    operationId,
    summary,
    tags: ['standing'],
    response: {
      200: { description: 'RFC 4180, with a header row.', content: { 'text/csv': { schema: Type.String() } } },
      ...problems,
    },
  });

  for (const of of ['people', 'teams'] as const) {
    const who = of === 'people' ? 'people, by the name they gave' : 'teams';
    const operationId = of === 'people' ? 'standingOfPeople' : 'standingOfTeams';
    app.get(
      `/standing/${of}`,
      {
        schema: {
          operationId,
          summary: `The standing of ${who}: a page of it, and whoever is looked for with those around.`,
          tags: ['standing'],
          querystring: StandingParameters,
          response: { 200: Standing, ...problems },
        },
      },
      ({ query: { span = 'all', contest, from, limit, around } }) =>
        standings.standing({ of, span, contest, from: numberOf(from), limit: numberOf(limit), around }),
    );
    app.get(
      `/standing/${of}.csv`,
      { schema: { ...table(`${operationId}Csv`, `The standing of ${who}, as a table.`), querystring: StandingExport } },
      async ({ query: { span = 'all', contest, from, limit = String(MAX_ENTRIES) } }, reply) => {
        const query = { of, span, contest, from: numberOf(from), limit: numberOf(limit) };
        const { entries } = await standings.standing(query);
        return sendCsv(reply, [of, contest, span], entriesCsv(of, entries));
      },
    );
  }

  app.get(
    '/teams/:team',
    {
      schema: {
        operationId: 'team',
        summary: 'A team: its ranks, its contests, its members, its days.',
        tags: ['standing'],
        params: OfTeam,
        querystring: TeamParameters,
        response: { 200: TeamStanding, ...problems },
      },
    },
    ({ params, query }) => standings.team(params.team, numberOf(query.limit)),
  );
  app.get(
    '/teams/:team/members.csv',
    {
      schema: {
        ...table('teamMembersCsv', 'What each member did for the team, as a table.'),
        params: OfTeam,
        querystring: TeamParameters,
      },
    },
    async ({ params: { team }, query: { limit = String(MAX_ENTRIES) } }, reply) => {
      const { members } = await standings.team(team, numberOf(limit));
      const rows = members.map(({ rank, name, blocks, points, share }) => [rank, name, blocks, points, share]);
      return sendCsv(reply, ['members'], csv(['rank', 'name', 'blocks', 'points', 'share'], rows));
    },
  );
  app.get(
    '/teams/:team/days.csv',
    { schema: { ...table('teamDaysCsv', 'What the team did on each day, as a table.'), params: OfTeam } },
    async ({ params: { team } }, reply) => {
      const { days } = await standings.team(team);
      const rows = days.map(({ at, blocks, points }) => [day(at), blocks, points]);
      return sendCsv(reply, ['days'], csv(['day', 'blocks', 'points'], rows));
    },
  );

  app.get(
    '/sites/:token',
    {
      schema: {
        operationId: 'site',
        summary: "What was done through the widget of a team's site, and which pages may embed it.",
        tags: ['standing'],
        params: OfSite,
        response: { 200: SiteStanding, ...problems },
      },
    },
    async ({ params, headers }, reply) => {
      const site = await standings.site(params.token);
      // Its pages may show the sums themselves.
      reply.header('vary', 'origin');
      if (site.origins.includes(headers.origin ?? '')) reply.header('access-control-allow-origin', headers.origin);
      return site;
    },
  );

  app.get(
    '/contests/:contest/rates',
    {
      schema: {
        operationId: 'rates',
        summary: 'How fast a contest goes, hour by hour or day by day, and when it would be done.',
        tags: ['standing'],
        params: OfContest,
        querystring: RateParameters,
        response: { 200: ContestRates, ...problems },
      },
    },
    ({ params, query }) => standings.rates(params.contest, query.span ?? 'week'),
  );
  app.get(
    '/contests/:contest/rates.csv',
    {
      schema: {
        ...table('ratesCsv', 'The same as a table.'),
        params: OfContest,
        querystring: RateParameters,
      },
    },
    async ({ params: { contest }, query: { span = 'week' } }, reply) => {
      const { spans } = await standings.rates(contest, span);
      const rows = spans.map((one) => [
        instant(one.at),
        one.seconds,
        one.blocks,
        one.units,
        one.done,
        one.unitsPerSecond,
      ]);
      const columns = ['begins', 'seconds', 'blocks', 'units', 'done', 'units_per_second'];
      return sendCsv(reply, [contest, 'rates', span], csv(columns, rows));
    },
  );
  done();
};

/** `units` is empty where all contests are added up. */
function entriesCsv(of: StandingOf, entries: readonly StandingEntry[]): string {
  const rows = entries.map(({ rank, name, team, blocks, units, points, share }) =>
    of === 'people' ? [rank, name, team, blocks, units, points, share] : [rank, name, blocks, units, points, share],
  );
  const team = of === 'people' ? ['team'] : [];
  return csv(['rank', 'name', ...team, 'blocks', 'units', 'points', 'share'], rows);
}

function sendCsv(reply: FastifyReply, names: readonly (string | undefined)[], text: string): FastifyReply {
  const name = ['tabherd', ...names].filter((one) => one !== undefined).join('-');
  return reply
    .type('text/csv; charset=utf-8; header=present')
    .header('content-disposition', `attachment; filename="${name}.csv"`)
    .send(text);
}

const numberOf = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
