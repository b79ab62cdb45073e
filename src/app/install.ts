/**
 * Whether the app can be installed here: the browser says so once, soon after the page was opened, and its offer is kept
 * until the person asks for it. Browsers that make none (Firefox, Safari) install from their own menus.
 */
export interface InstallOffer extends Event {
  prompt(): Promise<unknown>;
}

export class Installer {
  #offer: InstallOffer | undefined;
  #changed: () => void = () => {};

  constructor() {
    addEventListener('beforeinstallprompt', (event) => {
      // The browser's own bar would come uncalled.
      event.preventDefault();
      this.#set(event as InstallOffer);
    });
    addEventListener('appinstalled', () => this.#set(undefined));
  }

  get isOffered(): boolean {
    return this.#offer !== undefined;
  }

  set onChange(changed: () => void) {
    this.#changed = changed;
  }

  /** An offer can be taken once; the browser may make another. */
  async install(): Promise<void> {
    const offer = this.#offer;
    this.#set(undefined);
    await offer?.prompt();
  }

  #set(offer: InstallOffer | undefined): void {
    this.#offer = offer;
    this.#changed();
  }
}
