/**
 * Requests at the keymaster for a thousand blocks of clients behind two tiers of proxies.
 *
 * Not there yet: it needs the proxy. Start a keymaster, a proxy over it and a proxy over that; let `Browsers` (open or closed
 * load) have some thousand blocks of the lower one; count the exchanges of both by the keymaster's own tally or an
 * access log. `run.ts` calls it last and `report.ts` prints what it gives.
 */
export interface TierFigures {
  /** Blocks of clients that were credited. */
  blocks: number;
  /** Requests that reached the keymaster for them. */
  requests: number;
  requestsPerThousandBlocks: number;
}

export async function measureTiers(): Promise<TierFigures | undefined> {
  return undefined;
}
