/** What the frame loads once the visitor has agreed, and not before: the engine, under the widget's limits. */
import type { Engine } from '../client/engine.ts';
import { openBrowserEngine, type WidgetPorts } from '../client/open-browser.ts';

declare const __TABHERD_VERSION__: string;

/** @param isSeen whether a person may be looking. */
export function openWidgetEngine(widget: WidgetPorts, isSeen: () => boolean, onErased: () => void): Promise<Engine> {
  return openBrowserEngine({
    version: __TABHERD_VERSION__,
    class: 'widget',
    isVisible: isSeen,
    kiosk: () => undefined,
    renew: () => {},
    onErased,
    widget,
  });
}
