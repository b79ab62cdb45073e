/** What the frame loads once the visitor has agreed, and not before: the engine, under the widget's limits. */
import type { Engine } from '../client/engine.ts';
import { openBrowserEngine, type WidgetPorts } from '../client/open-browser.ts';

declare const __TABHERD_VERSION__: string;

export function openWidgetEngine(widget: WidgetPorts, onErased: () => void): Promise<Engine> {
  return openBrowserEngine({
    version: __TABHERD_VERSION__,
    class: 'widget',
    isVisible: () => widget.sight.isSeen(),
    kiosk: () => undefined,
    renew: () => {},
    onErased,
    widget,
  });
}

/** Deletes what the widget has kept for this site. */
export function forgetAll(profile: string): Promise<void> {
  return new Promise((resolve) => {
    try {
      const deleting = indexedDB.deleteDatabase(profile);
      deleting.onsuccess = () => resolve();
      deleting.onerror = () => resolve();
      deleting.onblocked = () => resolve();
    } catch {
      resolve();
    }
  });
}
