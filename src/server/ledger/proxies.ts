/**
 * The proxies that a keyserver serves: who may come, who was here, whose leases count no more. A proxy's identity is its
 * key: its id is the public half, each of its requests carries a token signed with the other, and an operator can revoke it.
 */
import { RefusedError } from '../../protocol/errors.ts';
import type { ExchangeRequest, Origin, ReleaseRequest } from '../../protocol/keyserver.ts';
import { checkAssertion } from '../proof/assertion.ts';
import type { LedgerQueries } from '../store/queries.ts';
import type { ProxyRow } from '../store/schema.ts';

/** `any`: a proxy is served from its first request on, until it is revoked. `listed`: once an operator listed it. */
export type ProxyPolicy = 'any' | 'listed' | 'none';

const CARRIED = { ok: true } as const;

export class Proxies {
  readonly #policy: ProxyPolicy;
  #listed = new Set<string>();
  #revoked = new Set<string>();
  /** Those that were here and are not written yet. */
  readonly #seen = new Map<string, Omit<ProxyRow, 'listed' | 'revoked_at'>>();

  constructor(policy: ProxyPolicy | undefined) {
    this.#policy = policy ?? 'any';
  }

  /** @throws RefusedError it is not served; the message says why. */
  admit({ client, assertion }: ExchangeRequest | ReleaseRequest, now: number, { carried = false }: Origin = {}): void {
    const refuse = (detail: string, field: string): RefusedError =>
      new RefusedError('proxy_refused', detail, { status: 403, field });
    if (this.#policy === 'none') throw refuse('this keyserver serves no proxies', '/client/id');
    if (this.#revoked.has(client.id)) throw refuse('this proxy was revoked by the operator', '/client/id');
    if (this.#policy === 'listed' && !this.#listed.has(client.id)) {
      throw refuse(`the operator has not listed the proxy ${client.id}`, '/client/id');
    }
    const checked = carried ? CARRIED : checkAssertion(assertion ?? '', { id: client.id, now });
    if (!checked.ok) throw refuse(checked.detail, '/assertion');
    const { id, name = null, version } = client;
    this.#seen.set(id, { id, name, version, first_seen: now, last_seen: now });
  }

  isRevoked(key: string): boolean {
    return this.#revoked.has(key);
  }

  async read(ledger: LedgerQueries): Promise<void> {
    const rows = await ledger.proxies();
    this.#listed = new Set(
      rows.filter(({ listed, revoked_at }) => listed === 1 && revoked_at === null).map(({ id }) => id),
    );
    this.#revoked = new Set(rows.filter((row) => row.revoked_at !== null).map(({ id }) => id));
  }

  /** Writes who was here. @returns what forgets them, to be called once that is committed. */
  async write(ledger: LedgerQueries): Promise<() => void> {
    const rows = [...this.#seen.values()];
    for (const row of rows) await ledger.seeProxy(row);
    return () => {
      for (const row of rows) if (this.#seen.get(row.id) === row) this.#seen.delete(row.id);
    };
  }
}
