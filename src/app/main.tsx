/** Entry of the PWA: opens the engine, draws the page, registers the service worker. */
import { render } from 'preact';
import { Workbox } from 'workbox-window';
import { openBrowserEngine } from '../client/open-browser.ts';
import { keepWhatIsDone } from './keep.ts';
import { Pages } from './pages.tsx';
import { lookForUpdates, reloadUnderNewVersion, renew } from './renew.ts';
import { texts } from './texts.ts';

declare const __TABHERD_VERSION__: string;

const root = document.querySelector('#app');
if (root === null) throw new Error('index.html has no #app');

const installed = matchMedia(
  '(display-mode: standalone), (display-mode: fullscreen), (display-mode: minimal-ui)',
).matches;

const engine = await openBrowserEngine({
  version: __TABHERD_VERSION__,
  class: installed ? 'app' : 'tab',
  isVisible: () => !document.hidden,
  renew: () => void renew(false),
  onErased: () => location.reload(),
}).catch((error: unknown) => {
  render(<p>{texts.cannotStart(error instanceof Error ? error.message : String(error))}</p>, root);
  throw error;
});
render(<Pages engine={engine} />, root);

keepWhatIsDone(engine);

addEventListener('online', () => engine.retry());
// The last moments in which a tab that may be frozen, discarded or closed can still write.
addEventListener('pagehide', () => void engine.checkpoint());
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'hidden') void engine.checkpoint();
});

if ('serviceWorker' in navigator && import.meta.env.PROD) {
  const workbox = new Workbox('/sw.js');
  reloadUnderNewVersion(() => engine.checkpoint());
  // A new version takes over when no tab of the old one is left, or when the blocks in hand are done.
  workbox.addEventListener('waiting', () => engine.updateWaits());
  lookForUpdates();
  workbox.register().catch((error: unknown) => console.warn('No service worker: works only online.', error));
}
