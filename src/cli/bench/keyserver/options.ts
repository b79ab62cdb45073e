/** What may be asked of `bench keyserver`; loads nothing else. */

/** What there is to measure, in order. */
export const MEASURES = ['browsers', 'minutes', 'proxies', 'memory', 'ledger'] as const;
export type Measure = (typeof MEASURES)[number];

/** Where a ledger may be. */
export const HOMES = ['postgresql', 'sqlite'] as const;
export type HomeName = (typeof HOMES)[number];

export interface KeyserverOptions {
  json?: string;
  repeats: number;
  seconds: number;
  /** Clients at once. */
  connections: number;
  /** Clients in all, each with a lease. */
  clients: number;
  only?: Measure[];
  home: HomeName[];
  leases: number;
  blocks: number;
  short?: boolean;
  profile?: string;
  /** Another build's `tabherd.js` to be loaded: for a comparison. */
  program?: string;
}
