/**
 * What makes this very device a kiosk: that somebody who may decide it has agreed, what it is called, its PIN. Kept in the
 * browser's local storage, apart from the engine's buffers, so that deleting work does not undo an agreement. Where the
 * browser keeps nothing it holds until the page is closed.
 */
import { type Static, type TSchema, Type } from 'typebox';
import { Check } from 'typebox/value';
import { label } from '../domain/client.ts';
import { Pin, Tries } from './kiosk-pin.ts';

export const Agreement = Type.Object({
  /** When it was given, milliseconds since 1970. */
  agreedAt: Type.Integer(),
  /** '': no name. */
  label: label(64),
  pin: Type.Optional(Pin),
});
export type Agreement = Static<typeof Agreement>;

/** What no database keeps, as half of a letter that was cut off at the end, is left out. */
export const tidyLabel = (typed: string): string =>
  typed
    .replace(/[\p{Cs}\0]/gu, '')
    .trim()
    .slice(0, 64)
    .replace(/\p{Cs}$/u, '');

const AGREEMENT = 'tabherd-kiosk';
const TRIES = 'tabherd-kiosk-tries';
/** Of this tab only: a reload goes on pausing, a new start of the browser does not. */
const PAUSED = 'tabherd-kiosk-paused';

export class Device {
  readonly #local: Kept;
  readonly #session: Kept;

  constructor(local: () => Storage, session: () => Storage) {
    this.#local = new Kept(local);
    this.#session = new Kept(session);
  }

  /** Whether what is set here outlives the page. */
  get keeps(): boolean {
    return this.#local.works;
  }

  get agreement(): Agreement | undefined {
    return this.#local.get(AGREEMENT, Agreement);
  }

  set agreement(agreement: Agreement | undefined) {
    this.#local.set(AGREEMENT, agreement);
  }

  get tries(): Tries {
    return this.#local.get(TRIES, Tries) ?? { wrong: 0, at: 0 };
  }

  set tries(tries: Tries) {
    this.#local.set(TRIES, tries.wrong === 0 ? undefined : tries);
  }

  get isPaused(): boolean {
    return this.#session.get(PAUSED, Type.Literal(true)) === true;
  }

  set isPaused(paused: boolean) {
    this.#session.set(PAUSED, paused ? true : undefined);
  }
}

/** A Storage, or memory where the browser has none for this page. */
export class Kept {
  readonly #storage: Storage | undefined;
  readonly #memory = new Map<string, string>();
  #works = true;

  constructor(open: () => Storage) {
    try {
      this.#storage = open();
      this.#storage.setItem('tabherd-probe', '');
      this.#storage.removeItem('tabherd-probe');
    } catch {
      this.#works = false;
    }
  }

  get works(): boolean {
    return this.#works;
  }

  /** Undefined also where what is there is none of ours, or of another version. */
  get<T extends TSchema>(name: string, schema: T): Static<T> | undefined {
    const text = this.#works ? this.#storage?.getItem(name) : this.#memory.get(name);
    try {
      const value: unknown = JSON.parse(text ?? 'null');
      return Check(schema, value) ? value : undefined;
    } catch {
      return undefined;
    }
  }

  set(name: string, value: unknown): void {
    const text = value === undefined ? undefined : JSON.stringify(value);
    if (text === undefined) this.#memory.delete(name);
    else this.#memory.set(name, text);
    try {
      if (text === undefined) this.#storage?.removeItem(name);
      else this.#storage?.setItem(name, text);
    } catch {
      this.#works = false;
    }
  }
}
