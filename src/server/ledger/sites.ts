/** The sites that show the widget: which team has the credit of what is done there. */
import type { ClientInfo } from '../../domain/client.ts';
import type { LedgerQueries } from '../store/queries.ts';

export class Sites {
  /** Of sites that were not revoked, by their tokens. */
  #teams = new Map<string, string>();

  async read(ledger: LedgerQueries): Promise<void> {
    const rows = await ledger.sites();
    this.#teams = new Map(rows.filter((row) => row.revoked_at === null).map(({ token, team }) => [token, team]));
  }

  /** Work done at a site is its team's; at one that is not known (any more) it is nobody's. */
  bound(client: ClientInfo): ClientInfo {
    if (client.site === undefined) return client;
    const { team: _, site, ...rest } = client;
    const team = this.#teams.get(site);
    return team === undefined ? rest : { ...rest, site, team };
  }
}
