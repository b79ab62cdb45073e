/** Entry of the PWA: opens the engine, draws the page, registers the service worker. */
import { render } from 'preact';
import { openBrowserEngine } from '../client/open-browser.ts';
import { Installer } from './install.ts';
import { keepWhatIsDone } from './keep.ts';
import { Pages } from './pages.tsx';
import { lookForUpdates, reloadUnderNewVersion, renew } from './renew.ts';
import { texts } from './texts.ts';

declare const __TABHERD_VERSION__: string;

const root = document.querySelector('#app');
if (root === null) throw new Error('index.html has no #app');

const installer = new Installer();

const isKiosk = location.pathname === '/' && new URLSearchParams(location.search).has('kiosk');
/** What the kiosk is called, once somebody agreed that this is one. */
let kiosk: string | undefined;

const installed = matchMedia(
  '(display-mode: standalone), (display-mode: fullscreen), (display-mode: minimal-ui)',
).matches;

const engine = await openBrowserEngine({
  version: __TABHERD_VERSION__,
  class: installed || isKiosk ? 'app' : 'tab',
  kiosk: () => kiosk,
  isVisible: () => !document.hidden,
  renew: () => void renew(false),
  onErased: () => location.reload(),
}).catch((error: unknown) => {
  render(<p>{texts.cannotStart(error instanceof Error ? error.message : String(error))}</p>, root);
  throw error;
});
if (isKiosk) {
  const onLabel = (label: string | undefined): void => {
    kiosk = label;
  };
  import('./kiosk.tsx').then(
    ({ openKiosk }) => openKiosk(root, { engine, version: __TABHERD_VERSION__, onLabel }),
    () => renderPages(),
  );
} else renderPages();

function renderPages(): void {
  render(<Pages engine={engine} installer={installer} />, root as Element);
  if (!installed || !('setAppBadge' in navigator)) return;
  import('./badge.ts').then(
    ({ badge }) => badge(engine, navigator),
    () => undefined,
  );
}

keepWhatIsDone(engine);

addEventListener('online', () => engine.retry());
// The last moments in which a tab that may be frozen, discarded or closed can still write.
addEventListener('pagehide', () => void engine.checkpoint());
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'hidden') void engine.checkpoint();
});

if ('serviceWorker' in navigator && import.meta.env.PROD) {
  reloadUnderNewVersion(() => engine.checkpoint());
  lookForUpdates(() => engine.updateWaits());
  registerServiceWorker().catch((error: unknown) => console.warn('No service worker: works only online.', error));
}

async function registerServiceWorker(): Promise<void> {
  const { Workbox } = await import('workbox-window');
  const workbox = new Workbox('/sw.js');
  // A new version takes over when no tab of the old one is left, or when the blocks in hand are done.
  workbox.addEventListener('waiting', () => engine.updateWaits());
  await workbox.register();
}
