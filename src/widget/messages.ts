/**
 * What the widget's two halves say to each other over `postMessage`: the loader in a site's page, and the frame from the gateway. The
 * page is not trusted with anything: it can ask for less work or for a pause, never for a start. Each half checks the
 * origin and the form of what it hears, and passes over what it does not know.
 */
import type { WidgetSize } from '../protocol/embed.ts';

/** Of this protocol; in every message, as `tabherd`. */
export const WIDGET_PROTOCOL = 1;

export type WidgetTheme = 'auto' | 'light' | 'dark';

/** CSS colours; passed over where they cannot be read on each other. */
export interface WidgetColors {
  background?: string;
  text?: string;
  accent?: string;
}

export interface WidgetOptions {
  size: WidgetSize;
  theme: WidgetTheme;
  dir: 'ltr' | 'rtl';
  colors: WidgetColors;
  /** At most so many workers; never more than the frame's own limit. */
  maxWorkers?: number;
  /** At most this share of the time, 0.1 to 1, for each worker. */
  duty?: number;
}

/** What the site says to its frame. */
export type ToFrame = { tabherd: number } & ({ type: 'configure'; options: WidgetOptions } | { type: 'pause' });

/**
 * `asking`: nobody has agreed to anything. `starting`, `running`. `paused`: by the visitor, by the page, or for a reason that ends by
 * itself. `refused`: it cannot work here.
 */
export type WidgetStateName = 'asking' | 'starting' | 'running' | 'paused' | 'refused';

export interface WidgetState {
  state: WidgetStateName;
  /** A word for why it is paused or refused, such as `unseen`, `on-battery`, `by-you`, `origin`. */
  reason?: string;
  /** Keys or nodes a second. */
  rate: number;
  step: 'keys' | 'nodes';
  /** That this visitor has done, on this site. */
  blocks: number;
}

/** What the frame says to the site. */
export type ToPage = { tabherd: number } & (
  | { type: 'state'; state: WidgetState }
  | { type: 'blockdone'; contest: string; blocks: number }
  /** `until`: milliseconds since 1970; absent: until the tab is closed. */
  | { type: 'consent'; given: boolean; until?: number }
);
