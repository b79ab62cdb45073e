/**
 * `<tabherd-widget>`, in a site's page: a frame from the gateway, in which everything else is, and its messages as properties and
 * events. Loaded by `<script type="module" src="https://GATEWAY/widget.js">`, or as `tabherd/widget` with the attribute `gateway`.
 *
 *   team         the token that the operator made for the site
 *   contest      works on this one only
 *   size         badge (200 × 48, unless told), strip (320 × 96), card (360 × 240)
 *   place        corner (unless told): fixed in the lower one of the window; inline: where it stands
 *   theme        auto (unless told), light, dark
 *   max-workers  at most so many
 *   duty         at most this share of the time, 0.1 to 1
 *   gateway      its address, where the script is not from there
 *
 * Styled from outside by --tabherd-background, --tabherd-text, --tabherd-accent, --tabherd-radius, and ::part(frame).
 */
import { SIZES, type WidgetSize } from '../protocol/embed.ts';
import {
  type ToFrame,
  type ToPage,
  WIDGET_PROTOCOL,
  type WidgetOptions,
  type WidgetState,
  type WidgetTheme,
} from './messages.ts';

export type { WidgetSize } from '../protocol/embed.ts';
export type { WidgetState, WidgetStateName, WidgetTheme } from './messages.ts';

export interface WidgetEvents {
  statechange: CustomEvent<WidgetState>;
  blockdone: CustomEvent<{ contest: string; blocks: number }>;
  consent: CustomEvent<{ given: boolean; until?: number }>;
}

/** After so long without a word from its frame something is in the way. */
const SILENT_MS = 8000;

const SHEET = `
  :host { display: block; box-sizing: border-box; contain: layout style; width: var(--w); height: var(--h); max-width: 100%; }
  :host([hidden]) { display: none; }
  :host(:not([place="inline"])) {
    position: fixed; inset-block-end: 12px; inset-inline-end: 12px; z-index: 2147483000;
  }
  iframe { display: block; box-sizing: border-box; width: 100%; height: 100%; border: 1px solid #76877d; border-radius: var(--tabherd-radius, 10px); color-scheme: normal; }
  p { margin: 0; padding: 8px 12px; font: 12px/1.35 system-ui, sans-serif; color: #16201b; background: #eef2eb; border: 1px solid #76877d;
    border-radius: var(--tabherd-radius, 10px); overflow: auto; box-sizing: border-box; height: 100%; }
  @media (prefers-color-scheme: dark) { p { color: #e5ede7; background: #161e1a; } }
`;

const attributes = ['team', 'contest', 'size', 'place', 'theme', 'max-workers', 'duty', 'gateway', 'dir'];

/** Where the script is from. */
const OWN = new URL(import.meta.url).origin;

// On a server that renders the page there are no elements.
const Base = 'HTMLElement' in globalThis ? HTMLElement : (Object as unknown as typeof HTMLElement);

export class TabherdWidget extends Base {
  static readonly observedAttributes = attributes;

  #frame: HTMLIFrameElement | undefined;
  #state: WidgetState = { state: 'asking', rate: 0, step: 'keys', blocks: 0 };
  #patience: ReturnType<typeof setTimeout> | undefined;
  readonly #hear = (event: MessageEvent): void => this.#onMessage(event);
  readonly #recolor = (): void => this.#configure();

  /** How it goes, as the frame told last. */
  get state(): WidgetState {
    return this.#state;
  }

  get size(): WidgetSize {
    const size = this.getAttribute('size');
    return size === 'strip' || size === 'card' ? size : 'badge';
  }

  set size(size: WidgetSize) {
    this.setAttribute('size', size);
  }

  get theme(): WidgetTheme {
    const theme = this.getAttribute('theme');
    return theme === 'light' || theme === 'dark' ? theme : 'auto';
  }

  set theme(theme: WidgetTheme) {
    this.setAttribute('theme', theme);
  }

  get team(): string {
    return this.getAttribute('team') ?? '';
  }

  set team(token: string) {
    this.setAttribute('team', token);
  }

  /** At most so many workers; undefined: as many as the frame has. */
  get maxWorkers(): number | undefined {
    return this.#number('max-workers');
  }

  set maxWorkers(count: number) {
    this.setAttribute('max-workers', String(count));
  }

  /** At most this share of the time, 0.1 to 1. */
  get duty(): number | undefined {
    return this.#number('duty');
  }

  set duty(share: number) {
    this.setAttribute('duty', String(share));
  }

  get place(): 'corner' | 'inline' {
    return this.getAttribute('place') === 'inline' ? 'inline' : 'corner';
  }

  set place(place: 'corner' | 'inline') {
    this.setAttribute('place', place);
  }

  get contest(): string {
    return this.getAttribute('contest') ?? '';
  }

  set contest(name: string) {
    this.setAttribute('contest', name);
  }

  /** The gateway's origin. */
  get gateway(): string {
    const told = this.getAttribute('gateway');
    return told !== null && URL.canParse(told, location.href) ? new URL(told, location.href).origin : OWN;
  }

  set gateway(address: string) {
    this.setAttribute('gateway', address);
  }

  /** Stops the work until the visitor goes on with it. There is no way to start it from here. */
  pause(): void {
    this.#send({ tabherd: WIDGET_PROTOCOL, type: 'pause' });
  }

  connectedCallback(): void {
    addEventListener('message', this.#hear);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', this.#recolor);
    this.#open();
  }

  disconnectedCallback(): void {
    removeEventListener('message', this.#hear);
    matchMedia('(prefers-color-scheme: dark)').removeEventListener('change', this.#recolor);
    clearTimeout(this.#patience);
    this.#frame?.remove();
    this.#frame = undefined;
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (!this.isConnected || this.#frame === undefined || before === after) return;
    if (name === 'team' || name === 'contest' || name === 'gateway') this.#open();
    else this.#configure();
  }

  #open(): void {
    const root = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
    if (root.adoptedStyleSheets.length === 0) {
      // Not a style element: a strict Content-Security-Policy of the page has none.
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(SHEET);
      root.adoptedStyleSheets = [sheet];
    }
    clearTimeout(this.#patience);
    const frame = document.createElement('iframe');
    const query = new URLSearchParams({ team: this.team, ...(this.contest === '' ? {} : { contest: this.contest }) });
    frame.src = `${this.gateway}/embed?${query}`;
    frame.title = 'Tabherd';
    frame.part.add('frame');
    // So that the gateway can say which site is not allowed, whatever the page's own policy is.
    frame.referrerPolicy = 'origin';
    // So that it can tell when others need the processor.
    frame.allow = 'compute-pressure';
    frame.onload = () => {
      this.#configure();
      this.#patience = setTimeout(() => this.#onSilence(), SILENT_MS);
    };
    this.#frame = frame;
    this.#lay();
    root.replaceChildren(frame);
  }

  #lay(): void {
    const [width, height] = SIZES[this.size];
    this.style.setProperty('--w', `${width}px`);
    this.style.setProperty('--h', `${height}px`);
  }

  #configure(): void {
    this.#lay();
    const style = getComputedStyle(this);
    const colors = Object.fromEntries(
      ['background', 'text', 'accent'].flatMap((name) => {
        const value = style.getPropertyValue(`--tabherd-${name}`).trim();
        return value === '' ? [] : [[name, value]];
      }),
    );
    const { maxWorkers, duty } = this;
    const options: WidgetOptions = {
      size: this.size,
      theme: this.theme,
      dir: style.direction === 'rtl' ? 'rtl' : 'ltr',
      colors,
      ...(maxWorkers === undefined ? {} : { maxWorkers }),
      ...(duty === undefined ? {} : { duty }),
    };
    this.#send({ tabherd: WIDGET_PROTOCOL, type: 'configure', options });
  }

  #number(name: string): number | undefined {
    const value = Number(this.getAttribute(name) || Number.NaN);
    return Number.isFinite(value) ? value : undefined;
  }

  #send(message: ToFrame): void {
    this.#frame?.contentWindow?.postMessage(message, this.gateway);
  }

  #onMessage({ source, origin, data }: MessageEvent): void {
    if (source === null || source !== this.#frame?.contentWindow || origin !== this.gateway) return;
    const message = data as ToPage | null;
    if (typeof message !== 'object' || message?.tabherd !== WIDGET_PROTOCOL) return;
    clearTimeout(this.#patience);
    if (message.type === 'state') {
      this.#state = message.state;
      this.#tell('statechange', message.state);
    } else if (message.type === 'blockdone') {
      this.#tell('blockdone', { contest: message.contest, blocks: message.blocks });
    } else if (message.type === 'consent') {
      const { given, until } = message;
      this.#tell('consent', until === undefined ? { given } : { given, until });
    }
  }

  #tell<Name extends keyof WidgetEvents>(name: Name, detail: WidgetEvents[Name]['detail']): void {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  /** The browser's own words for a frame that it refused do not say what to do. */
  #onSilence(): void {
    const said = document.createElement('p');
    said.textContent =
      `The Tabherd widget does not show: ${this.gateway} does not answer, or this browser shows no frames of other sites, ` +
      `or ${location.origin} is not among the pages that its team allows.`;
    said.part.add('message');
    this.shadowRoot?.replaceChildren(said);
    this.#state = { ...this.#state, state: 'refused', reason: 'silent' };
    this.#tell('statechange', this.#state);
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'tabherd-widget': TabherdWidget;
  }
}

if ('customElements' in globalThis && customElements.get('tabherd-widget') === undefined) {
  customElements.define('tabherd-widget', TabherdWidget);
}
