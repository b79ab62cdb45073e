/**
 * The widget's frame: one document with all that it needs until a visitor agrees. Which pages may embed it the operator has said for
 * the site's token; browsers are told (`frame-ancestors`), and a page that tells where it is from and is not among them
 * gets a sentence instead.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type Static, Type } from 'typebox';
import { Check } from 'typebox/value';
import { type Contest, ContestName } from '../../domain/contest.ts';
import { SiteToken } from '../../domain/site.ts';
import { type EmbedFacts, type EmbedRefusal, FACTS_ID } from '../../protocol/embed.ts';
import { RefusedError, UnreachableError } from '../../protocol/errors.ts';
import type { Keyserver } from '../../protocol/keyserver.ts';
import type { SiteStanding, Standings } from '../../protocol/standing.ts';
import { contentSecurityPolicy } from './security.ts';

export interface EmbedOptions {
  keyserver: Pick<Keyserver, 'contests'>;
  standings: Pick<Standings, 'site'>;
  appDir: string;
  /** Other gateways that the frame may turn to. */
  origins: () => readonly string[];
}

/** Not checked: whatever a page wrote into its attributes gets a sentence, and no problem document. */
const Query = Type.Object({ team: Type.Optional(Type.String()), contest: Type.Optional(Type.String()) });

/** The frame's script, as the build has made it. */
const SCRIPT = 'widget-frame.js';

export const isEmbedBuilt = (appDir: string | undefined): appDir is string =>
  appDir !== undefined && existsSync(join(appDir, SCRIPT));

export const embedRoutes: FastifyPluginAsyncTypebox<EmbedOptions> = async (app, options) => {
  const { keyserver, standings, appDir, origins } = options;
  // Where it stands in a document nothing of it may end the element.
  const script = readFileSync(join(appDir, SCRIPT), 'utf8').replaceAll('</script', '<\\/script');
  const hash = `'sha256-${createHash('sha256').update(script).digest('base64')}'`;

  app.get('/embed', { schema: { hide: true, querystring: Query } }, async ({ query, headers, host }, reply) => {
    const { facts, status, ancestors } = await factsFor(query, originOf(headers.referer), host);
    return reply
      .code(status)
      .header('content-security-policy', contentSecurityPolicy(origins(), { scripts: [hash], ancestors }))
      .header('cache-control', 'no-store')
      .type('text/html; charset=utf-8')
      .send(document(facts, script));
  });

  interface Answer {
    facts: EmbedFacts;
    status: number;
    /** Who may embed it: of what does no work, anybody. */
    ancestors: readonly string[];
  }

  async function factsFor(
    { team, contest }: Static<typeof Query>,
    from: URL | undefined,
    host: string,
  ): Promise<Answer> {
    let site: SiteStanding;
    let contests: Contest[];
    try {
      if (!Check(SiteToken, team)) throw new RefusedError('not_found', 'no token', { status: 404 });
      site = await standings.site(team);
      contests = await keyserver.contests();
    } catch (error) {
      if (error instanceof RefusedError && error.code === 'not_found') {
        return refused('unknown', 404, 'This widget’s token is not known here, or its operator has ended it.');
      }
      if (!(error instanceof RefusedError || error instanceof UnreachableError)) throw error;
      return refused('away', 503, 'The keymaster does not answer just now. Load the page again later.');
    }
    // The operator's own page shows what it will look like.
    if (from !== undefined && from.host !== host && !site.origins.includes(from.origin)) {
      return refused('origin', 403, `${from.origin} is not among the pages that may show the widget of ${site.team}.`);
    }
    const searched = contestFor(contests, contest);
    if (searched === undefined) {
      return refused(
        'contest',
        404,
        contest === undefined ? 'There is nothing to search just now.' : `There is no contest ${contest} here.`,
      );
    }
    const { token, origins: allowed, teamToday } = site;
    const { title, about } = searched.manifest;
    const facts: EmbedFacts = {
      site: { token, team: site.team, origins: allowed, pointsToday: teamToday.points },
      contest: { title, about },
      ...(contest === undefined ? {} : { only: contest }),
    };
    return { facts, status: 200, ancestors: ["'self'", ...allowed] };
  }
};

const refused = (refusal: EmbedRefusal, status: number, text: string) => ({
  facts: { refusal, text },
  status,
  ancestors: ['*'],
});

/** The one named, or the first that is open. */
function contestFor(contests: readonly Contest[], name: string | undefined): Contest | undefined {
  if (name === undefined) return contests.find(({ state }) => state.state === 'open') ?? contests[0];
  return Check(ContestName, name) ? contests.find(({ manifest }) => manifest.name === name) : undefined;
}

function originOf(referer: string | undefined): URL | undefined {
  return referer !== undefined && URL.canParse(referer) ? new URL(referer) : undefined;
}

function document(facts: EmbedFacts, script: string): string {
  const json = JSON.stringify(facts).replaceAll('<', '\\u003c');
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Tabherd</title>
<link rel="icon" href="data:,">
<body>
<script type="application/json" id="${FACTS_ID}">${json}</script>
<script type="module">${script}</script>
</body>
</html>
`;
}
