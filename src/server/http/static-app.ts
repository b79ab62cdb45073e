/**
 * Serves the built PWA. What Vite named by its contents (`/assets/…`) may be kept for ever; everything else, the
 * service worker above all, must be asked for again each time (a 304 when it is the same).
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';
import { PAGES } from '../../protocol/pages.ts';

const hidden = { schema: { hide: true } };
const NOT_BUILT = 'The keyserver runs, but there is no page to show: the app was not built (npm run build).\n';

/** The page's text; undefined where the app was not built. */
export function readPage(appDir: string | undefined): string | undefined {
  const path = appDir === undefined ? undefined : join(appDir, 'index.html');
  return path !== undefined && existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

export async function serveApp(app: FastifyInstance, appDir: string | undefined): Promise<void> {
  if (appDir === undefined || !existsSync(join(appDir, 'index.html'))) {
    for (const path of PAGES) {
      app.get(path, hidden, (_request, reply) => reply.code(404).type('text/plain').send(NOT_BUILT));
    }
    return;
  }
  const assets = join(appDir, 'assets') + sep;
  const loader = join(appDir, 'widget.js');
  await app.register(fastifyStatic, {
    root: appDir,
    schemaHide: true,
    cacheControl: false,
    dotfiles: 'ignore',
    // The build leaves a gzip beside every text.
    preCompressed: true,
    setHeaders(reply, path) {
      const immutable = path.startsWith(assets);
      reply.header('cache-control', immutable ? 'public, max-age=31536000, immutable' : 'no-cache');
      // A module script of another site's page: it is public, and does nothing there but ask for a frame.
      if (path === loader || path === `${loader}.gz`)
        reply.header('access-control-allow-origin', '*').header('cross-origin-resource-policy', 'cross-origin');
    },
  });
  // The files have '/' already.
  for (const path of PAGES) {
    if (path !== '/') app.get(path, hidden, (_request, reply) => reply.sendFile('index.html'));
  }
}
