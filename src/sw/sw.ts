/**
 * The service worker: precaches the shell and the kernels (the list is put in by the build), so that the app
 * starts without a network from the first visit on, and sends waiting reports when the network is back, where the
 * browser has Background Sync. API calls are never cached, and do not even pass here where the browser has static
 * routes. A new version takes over when no tab of the old one is left, or when a tab says so: `src/app/renew.ts`.
 */
import { clientsClaim } from 'workbox-core';
import { cleanupOutdatedCaches, createHandlerBoundToURL, precacheAndRoute } from 'workbox-precaching';
import { NavigationRoute, registerRoute } from 'workbox-routing';
import { poolIn } from '../client/buffers.ts';
import { flushReports, SYNC_TAG, TAKE_OVER } from '../client/flush.ts';
import { IdbBuffers } from '../client/idb-buffers.ts';
import { PoolUser } from '../client/pool-user.ts';
import { isPage } from '../protocol/pages.ts';

declare const self: ServiceWorkerGlobalScope & { __WB_MANIFEST: { url: string; revision: string | null }[] };
declare const __TABHERD_VERSION__: string;

precacheAndRoute(self.__WB_MANIFEST);
cleanupOutdatedCaches();
registerRoute(new NavigationRoute(createHandlerBoundToURL('/index.html'), { allowlist: [isPage] }));
clientsClaim();

self.addEventListener('install', (event) => {
  // Chromium puts an old version to sleep before a new one takes over. A call of the page woke it again at that moment
  // now and then, and the new one then waited for minutes.
  const installing = event as ExtendableEvent & { addRoutes?(rules: object): Promise<void> };
  if (installing.addRoutes === undefined) return;
  event.waitUntil(installing.addRoutes({ condition: { urlPattern: '/api/*' }, source: 'network' }));
});

self.addEventListener('sync', (event) => {
  const sync = event as ExtendableEvent & { tag: string };
  if (sync.tag === SYNC_TAG) sync.waitUntil(flush());
});

self.addEventListener('message', ({ data }) => {
  if (data === TAKE_OVER) void self.skipWaiting();
});

async function flush(): Promise<void> {
  const buffers = await IdbBuffers.open();
  try {
    const { facts } = await buffers.load();
    if (facts.clientId === undefined) return;
    const keyserver = new PoolUser([''], { fetch: (...args) => fetch(...args), kept: poolIn(buffers) });
    await flushReports(buffers, keyserver, { ...facts.about, id: facts.clientId, version: __TABHERD_VERSION__ });
  } finally {
    await buffers.close();
  }
}
