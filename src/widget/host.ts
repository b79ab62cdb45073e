/** The page around the frame: what it may ask for, checked, and what it is told. */
import { SIZES } from '../protocol/embed.ts';
import { type ToFrame, type ToPage, WIDGET_PROTOCOL, type WidgetOptions, type WidgetState } from './messages.ts';

/** A message without its version. */
type Said = ToPage extends infer Message ? (Message extends unknown ? Omit<Message, 'tabherd'> : never) : never;

export class Host {
  readonly #origins: readonly string[] | undefined;
  #origin: string | undefined;
  #state: WidgetState | undefined;
  onOptions: (options: WidgetOptions) => void = () => {};
  onPause: () => void = () => {};

  /** @param origins that may ask; undefined: any, where nothing is done anyhow. */
  constructor(origins: readonly string[] | undefined) {
    this.#origins = origins === undefined ? undefined : [...origins, location.origin];
    addEventListener('message', ({ source, origin, data }: MessageEvent) => {
      if (source !== parent || parent === window) return;
      if (this.#origins !== undefined && !this.#origins.includes(origin)) return;
      this.#hear(data as ToFrame | null, origin);
    });
  }

  tell(message: Said): void {
    if (message.type === 'state') {
      if (JSON.stringify(message.state) === JSON.stringify(this.#state)) return;
      this.#state = message.state;
    }
    if (this.#origin !== undefined) parent.postMessage({ tabherd: WIDGET_PROTOCOL, ...message }, this.#origin);
  }

  #hear(message: ToFrame | null, origin: string): void {
    if (typeof message !== 'object' || message?.tabherd !== WIDGET_PROTOCOL) return;
    this.#origin = origin;
    if (message.type === 'pause') this.onPause();
    if (message.type !== 'configure') return;
    const options = optionsOf(message.options);
    if (options !== undefined) this.onOptions(options);
    // Whoever has loaded this anew does not know yet how it goes.
    const state = this.#state;
    this.#state = undefined;
    if (state !== undefined) this.tell({ type: 'state', state });
  }
}

/** What of it is of the right form; the rest as if it had not been said. */
function optionsOf(told: unknown): WidgetOptions | undefined {
  if (typeof told !== 'object' || told === null) return undefined;
  const { size, theme, dir, colors, maxWorkers, duty } = told as Record<string, unknown>;
  const most = numberIn(maxWorkers, 1, 1024);
  const share = numberIn(duty, 0.1, 1);
  return {
    size: typeof size === 'string' && Object.hasOwn(SIZES, size) ? (size as WidgetOptions['size']) : 'badge',
    theme: theme === 'light' || theme === 'dark' ? theme : 'auto',
    dir: dir === 'rtl' ? 'rtl' : 'ltr',
    colors: typeof colors === 'object' && colors !== null ? colors : {},
    ...(most === undefined ? {} : { maxWorkers: Math.floor(most) }),
    ...(share === undefined ? {} : { duty: share }),
  };
}

const numberIn = (value: unknown, least: number, most: number): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) ? Math.min(most, Math.max(least, value)) : undefined;
