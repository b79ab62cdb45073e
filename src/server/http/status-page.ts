/**
 * `/status`: how a keyserver is doing, for its operator and for teams, as a page that needs nothing but itself: no script, no
 * file beside it. It stands still unless its reader asks for more: a page that reloads by itself pulls the ground from
 * under a screen reader. The same facts as JSON are at `/api/v1/status`.
 */
import type { FastifyPluginCallback } from 'fastify';
import type { ContestManifest, ContestState } from '../../domain/contest.ts';
import type { Keyserver, Status, Stock, UpstreamState } from '../../protocol/keyserver.ts';
import { rateText } from '../statistics/status-line.ts';
import { Html, html } from './html.ts';
import { statusStyle } from './status-style.ts';
import { count, moment, share, words } from './status-words.ts';

export interface StatusPageOptions {
  keyserver: Pick<Keyserver, 'status' | 'contests'>;
  /** Milliseconds since 1970. */
  clock: () => number;
  /** Whether this keyserver has to do with pools: then the page of them is linked. */
  pools?: boolean;
}

const REFRESH_SECONDS = 30;

const style = new Html(statusStyle);

/** The icon of the PWA (`public/icon.svg`), small. */
const mark = new Html(
  '<svg viewBox="0 0 512 512" width="32" height="32" aria-hidden="true"><rect width="512" height="512" rx="104" fill="#b4370f"/><path d="M344 320q24 0 24-24v-44q0-28 28-28h40q28 0 28 28v44q0 24 24 24v16H344zM384 320h28v96h-28zM436 320h28v96h-28z" fill="#f0b196"/><path d="M32 320q32 0 32-32V160q0-56 56-56h176q56 0 56 56v128q0 32 32 32v16H32zM96 320h32v96H96zM160 320h32v96h-32zM288 320h32v96h-32z" fill="#fff8f3"/></svg>',
);

export const statusPagePlugin: FastifyPluginCallback<StatusPageOptions> = (
  app,
  { keyserver, clock, pools = false },
  done,
) => {
  app.get('/status', { schema: { hide: true } }, async (request, reply) => {
    const [status, contests] = await Promise.all([keyserver.status(), keyserver.contests()]);
    const refreshes = new URL(request.url, 'http://localhost').searchParams.has('refresh');
    if (refreshes) reply.header('refresh', String(REFRESH_SECONDS));
    const manifests = contests.map(({ manifest }) => manifest);
    const page = renderStatusPage({ status, manifests, now: clock(), refreshes, pools });
    return reply.header('cache-control', 'no-store').type('text/html; charset=utf-8').send(page);
  });
  done();
};

export interface StatusPageFacts {
  status: Status;
  /** For titles and rates in keys; a contest without one is shown by its name. */
  manifests: readonly ContestManifest[];
  now: number;
  refreshes?: boolean;
  pools?: boolean;
}

export function renderStatusPage(facts: StatusPageFacts): string {
  const { status, manifests, now, refreshes = false, pools = false } = facts;
  const { role = 'keymaster', contests, upstreams = [], stock = [], errors = [] } = status;
  const manifestOf = (name: string) => manifests.find((manifest) => manifest.name === name);
  const titleOf = (name: string) => manifestOf(name)?.title ?? name;
  const state = stateOf(status);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<title>${state.text} · ${words[role]} · ${words.brand}</title>
<style>${style}</style>
</head>
<body>
<header>
<p class="brand">${mark}${words.brand}</p>
<p class="state ${state.is}"><span class="lamp" aria-hidden="true"></span>${state.text}</p>
</header>
<main>
<section class="title"><div>
<h1>${words[role]}</h1>
<p class="lead">${words.lead(status, now)} ${words.asOf} ${time(now)}.</p>
<p class="refresh"><a href="${refreshes ? '/status' : '/status?refresh'}">${refreshes ? words.stopRefreshing : words.refresh}</a></p>
</div></section>
${
  upstreams.length > 0 &&
  section(
    'upstreams',
    words.upstreams,
    html`<ul class="rows">${upstreams.map((upstream) => upstreamRow(upstream, now))}</ul>`,
  )
}
${
  role === 'proxy' &&
  section(
    'stock',
    words.stock,
    stock.length === 0
      ? html`<p class="empty">${words.stockNone}</p>`
      : html`<ul class="rows">${stock.map((one) => stockRow(one, titleOf(one.contest)))}</ul>`,
  )
}
${section(
  'contests',
  words.contests,
  contests.length === 0
    ? html`<p class="empty">${words.contestsNone}</p>`
    : html`<ul class="rows">${contests.map((contest) => contestRow(contest, manifestOf(contest.name), status))}</ul>`,
)}
${section('reports', words.reports, totals(status))}
${section(
  'errors',
  words.errors,
  errors.length === 0
    ? html`<p class="empty">${words.errorsNone}</p>`
    : html`<ol class="errors">${errors.map(({ at, text }) => html`<li>${time(at)}<p>${text}</p></li>`)}</ol>`,
)}
</main>
<footer><p>${words.footer}</p><p><a href="/api/v1/status">${words.json}</a>${pools && html` · <a href="/pools">${words.pools}</a>`}</p></footer>
</body>
</html>
`.text;
}

function stateOf({ contests, upstreams = [] }: Status): { is: 'good' | 'bad' | ''; text: string } {
  if (upstreams.length > 0 && upstreams.every((upstream) => upstream.state === 'unreachable')) {
    return { is: 'bad', text: words.upstreamsAway };
  }
  if (contests.length === 0) return { is: '', text: words.summary.empty };
  const open = contests.some((contest) => contest.state === 'open');
  return open ? { is: 'good', text: words.summary.open } : { is: '', text: words.summary.closed };
}

function section(id: string, title: string, body: Html): Html {
  return html`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>${body}</section>`;
}

function contestRow(contest: ContestState, manifest: ContestManifest | undefined, { rates }: Status): Html {
  const open = contest.state === 'open';
  const title = manifest?.title ?? contest.name;
  const rate = rates?.[contest.name];
  const text = (unitsPerSecond: number) => rateText(unitsPerSecond, manifest?.search.kind);
  const best = contest.hits[0];
  return html`<li class="${contest.state}">
<div class="head"><h3>${title}</h3><span class="badge ${!open && contest.closedBy !== 'operator' && 'good'}">${open ? words.open : words.closedBy[contest.closedBy ?? 'exhausted']}</span></div>
<progress max="${contest.units}" value="${contest.done}" aria-label="${words.contestProgress(title)}"></progress>
<p class="figures"><span>${contest.closedBy === 'hit' ? words.enough(contest) : words.done(contest)}</span>
${open && html`<span>${share(contest.done, contest.units)}</span>`}
${open && contest.leased > 0 && html`<span>${words.leased(contest.leased)}</span>`}
${open && rate !== undefined && html`<span>${words.rate(text(rate.hour), text(rate.day))}</span>`}</p>
${best !== undefined && html`<p class="answer"><span class="muted">${words.answer}</span> ${words.answerOf(best)}</p>`}
</li>`;
}

function stockRow({ contest, free, leased, waiting, low, high }: Stock, title: string): Html {
  const isLow = free < low;
  const percent = (units: number) =>
    `${Math.min(100, Math.max(0, (100 * units) / Math.max(high, free, 1))).toFixed(2)}%`;
  return html`<li>
<div class="head"><h3>${title}</h3>${isLow && html`<span class="badge bad">${words.under}</span>`}</div>
<svg class="stock ${isLow && 'low'}" role="img" aria-label="${words.stockBar(contest, free, low, high)}">
<rect class="sheet" y="4" width="100%" height="10"/><rect class="has" y="4" width="${percent(free)}" height="10"/>
<line x1="${percent(low)}" x2="${percent(low)}" y1="0" y2="18"/></svg>
<p class="figures"><span>${words.inStock(free, high)}</span><span>${words.lowMark(low)}</span>
<span>${words.handedOut(leased)}</span><span>${words.waiting(waiting)}</span></p>
</li>`;
}

function upstreamRow({ url, state, reachedAt, error }: UpstreamState, now: number): Html {
  const is = { reached: 'good', unreachable: 'bad', unknown: '' }[state];
  const last = reachedAt === undefined ? words.never : words.lastAnswered(now - reachedAt);
  return html`<li>
<div class="head"><span class="url">${withoutPassword(url)}</span>
<span class="state ${is}"><span class="lamp" aria-hidden="true"></span>${words.upstream(state)}</span></div>
${state !== 'unknown' && html`<p class="figures"><span>${last}</span></p>`}
${error !== undefined && html`<p class="error">${error}</p>`}
</li>`;
}

function totals({ reports, clients }: Status): Html {
  const figures: [string, number][] = [
    [words.accepted, reports.accepted],
    [words.duplicate, reports.duplicate],
    [words.refused, reports.refused],
    [words.clientsHour, clients.lastHour],
    [words.clientsKnown, clients.known],
  ];
  return html`<dl class="totals">${figures.map(
    ([name, n]) => html`<div><dt>${name}</dt><dd>${count(n)}</dd></div>`,
  )}</dl>`;
}

const time = (at: number): Html => html`<time datetime="${new Date(at).toISOString()}">${moment(at)}</time>`;

/** An upstream's address may carry a name and a password. */
function withoutPassword(url: string): string {
  if (!URL.canParse(url)) return url;
  const { origin, pathname } = new URL(url);
  return origin + (pathname === '/' ? '' : pathname);
}
