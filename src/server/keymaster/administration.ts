/**
 * What an operator does while the keymaster runs. Every change goes through the desk, in the same commits as the
 * exchanges, so that none of them ever sees half of it; several keymasters over one PostgreSQL hear of it at their next
 * sweep. What only asks is in `inquiries.ts`.
 *
 * Whatever cannot be done is a RefusedError: `body_malformed` with its field, `not_found`, or `conflict`.
 */
import { randomBytes } from 'node:crypto';
import type { Allocation, ContestManifest } from '../../domain/contest.ts';
import { endOf } from '../../domain/units.ts';
import {
  type AllMessages,
  type ContestChange,
  type Fleet,
  type KnownProxy,
  MadeVoucher,
  type NewSite,
  NewVoucher,
  type OfferedContest,
  type RevokedProxy,
  type SigningKey,
  type Site,
  type SiteChange,
} from '../../protocol/administration.ts';
import { RefusedError } from '../../protocol/errors.ts';
import { MAX_MESSAGES } from '../../protocol/keyserver.ts';
import { type Book, type Books, type Kinds, stateOf } from '../ledger/books.ts';
import { allocationOf } from '../ledger/grant.ts';
import { knownKiosk } from '../ledger/kiosks.ts';
import { Keyring } from '../proof/keyring.ts';
import { makeVoucher } from '../proof/voucher.ts';
import type { LedgerQueries } from '../store/queries.ts';
import type { ContestRow, ProxyRow, SiteRow } from '../store/schema.ts';
import { type Store, StoreError } from '../store/store.ts';
import { Cases } from '../trust/cases.ts';
import { Inquiries } from './inquiries.ts';
import type { Keymaster } from './keymaster.ts';
import { enterContest } from './opening.ts';

/** Leases of a revoked proxy freed in one commit: everyone's answer waits for it. */
const FREED_AT_ONCE = 500;

export interface AdministrationPorts {
  keymaster: Keymaster;
  store: Store;
  kinds: Kinds;
  /** Milliseconds since 1970. */
  clock: () => number;
}

export class Administration {
  readonly inquiries: Inquiries;
  readonly cases: Cases;
  readonly #ports: AdministrationPorts;

  constructor(ports: AdministrationPorts) {
    this.#ports = ports;
    this.inquiries = new Inquiries(ports);
    this.cases = new Cases({ ...ports, desk: ports.keymaster.desk, trust: ports.keymaster.trust });
  }

  // Contests

  /** Every contest of the ledger, withdrawn ones too. */
  contests(): Promise<OfferedContest[]> {
    return this.#ports.keymaster.desk.read(async (books) => [...books.all()].map(offeredContest));
  }

  /** Enters a contest, or another manifest of one that has the same search and units, and offers it. */
  async addContest(manifest: ContestManifest): Promise<OfferedContest> {
    await this.#ports.keymaster.desk.run(async ({ ledger }) => {
      // Not the books': another piece of work of this very commit may have added one.
      const rows = await ledger.contests();
      const known = rows.find(({ name }) => name === manifest.name);
      const position = known?.position ?? Math.max(-1, ...rows.map((row) => row.position)) + 1;
      try {
        await enterContest(ledger, rows, manifest, this.#ports.kinds, { position, origin: 'operator' });
      } catch (cause) {
        if (cause instanceof StoreError) throw conflict(cause.message, '/name');
        if (cause instanceof TypeError) throw malformed(cause.message, '/search');
        throw cause;
      }
    });
    return this.#contest(manifest.name);
  }

  async changeContest(name: string, change: ContestChange): Promise<OfferedContest> {
    await this.#ports.keymaster.desk.run(async (books) => {
      const book = bookOf(books, name);
      const changed = changedColumns(book, change);
      Object.assign(book.row, changed);
      // The books write their own columns at the end of the commit, out of the row as it is now.
      await books.ledger.updateContest(name, changed);
    });
    return this.#contest(name);
  }

  // Keys with which proofs are signed

  async keys(): Promise<SigningKey[]> {
    const rows = await this.#ports.store.read((ledger) => ledger.signingKeys());
    const signing = new Keyring(rows).current()?.id;
    return rows.map(({ id, created_at, retired_at, revoked_at }) => ({
      id,
      state: id === signing ? 'signing' : revoked_at === null ? 'retired' : 'revoked',
      createdAt: created_at,
      ...(retired_at === null ? {} : { retiredAt: retired_at }),
      ...(revoked_at === null ? {} : { revokedAt: revoked_at }),
    }));
  }

  /** A new key signs from now on; what those before it signed still counts. */
  async rotateKey(): Promise<SigningKey[]> {
    await this.#change(async (ledger, now) => {
      for (const row of new Keyring(await ledger.signingKeys()).rotate(now)) await ledger.putSigningKey(row);
    });
    return this.keys();
  }

  /** What this key signed counts no more; live leases in the ledger are believed without it. */
  async revokeKey(id: string): Promise<SigningKey[]> {
    await this.#change(async (ledger, now) => {
      const rows = new Keyring(await ledger.signingKeys()).revoke(id, now);
      if (rows === undefined) throw notFound(`there is no signing key ${id}`);
      if (rows.length === 0) throw conflict(`the key ${id} is revoked already`);
      for (const row of rows) await ledger.putSigningKey(row);
    });
    return this.keys();
  }

  // Proxies

  async proxies(): Promise<KnownProxy[]> {
    // Enters those that came since the last one.
    await this.#ports.keymaster.sweep();
    const rows = await this.#ports.store.read((ledger) => ledger.proxies());
    return rows.map(knownProxy);
  }

  /** Lists a proxy, by the key that is its id, or gives a listed one a name. */
  async addProxy(id: string, name?: string): Promise<KnownProxy> {
    await this.#change(async (ledger, now) => {
      const known = (await ledger.proxies()).find((row) => row.id === id);
      if (known !== undefined && known.revoked_at !== null) throw conflict(`proxy ${id} was revoked: restore it`);
      await ledger.listProxy(id, name ?? null, now);
    });
    return this.#proxy(id);
  }

  /**
   * The proxy is served no more, what it signed counts no more, and the units it holds are free again. May be repeated:
   * a keymaster that ended in the middle, or another that had not heard yet, may have left some.
   */
  async revokeProxy(id: string): Promise<RevokedProxy> {
    await this.#ports.keymaster.sweep();
    await this.#change(async (ledger, now) => {
      const known = (await ledger.proxies()).find((row) => row.id === id);
      if (known === undefined) throw notFound(`there is no proxy ${id}`);
      if (known.revoked_at === null) await ledger.revokeProxy(id, now);
    });
    let units = 0;
    for (let more = true; more; ) {
      more = await this.#ports.keymaster.desk.run(async (books) => {
        const freed = await freeSome(books, id);
        units += freed.units;
        return freed.runs === FREED_AT_ONCE && freed.units > 0;
      });
    }
    return { proxy: await this.#proxy(id), units };
  }

  async restoreProxy(id: string): Promise<KnownProxy> {
    await this.#change(async (ledger) => {
      const known = (await ledger.proxies()).find((row) => row.id === id);
      if (known === undefined) throw notFound(`there is no proxy ${id}`);
      if (known.revoked_at === null) throw conflict(`proxy ${id} is not revoked`);
      await ledger.revokeProxy(id, null);
    });
    return this.#proxy(id);
  }

  /** The keymaster's word for a gateway: until it runs out, or the key that signed it is revoked. */
  async vouch({ days, ...claims }: NewVoucher): Promise<MadeVoucher> {
    const { keymaster, clock } = this.#ports;
    if (keymaster.desk.role.isRevoked(claims.sub)) throw conflict(`proxy ${claims.sub} is revoked`);
    const expiresAt = clock() + days * 86_400_000;
    return { voucher: makeVoucher({ ...claims, exp: expiresAt }, keymaster.desk.role.key()), expiresAt };
  }

  // Sites that show the widget

  async sites(): Promise<Site[]> {
    return (await this.#ports.store.read((ledger) => ledger.sites())).map(knownSite);
  }

  async addSite({ team, origins }: NewSite): Promise<Site> {
    const token = randomBytes(16).reduce((digits, byte) => digits + (byte % 36).toString(36), '');
    const row = (created_at: number): SiteRow => {
      return { token, team, origins: JSON.stringify(origins), created_at, revoked_at: null };
    };
    await this.#change((ledger, now) => ledger.putSite(row(now)));
    return this.#site(token);
  }

  async changeSite(token: string, { origins, revoked }: SiteChange): Promise<Site> {
    await this.#change(async (ledger, now) => {
      const row = await ledger.site(token);
      if (row === undefined) throw notFound(`there is no site ${token}`);
      await ledger.putSite({
        ...row,
        ...(origins === undefined ? {} : { origins: JSON.stringify(origins) }),
        ...(revoked === undefined ? {} : { revoked_at: revoked ? (row.revoked_at ?? now) : null }),
      });
    });
    return this.#site(token);
  }

  // Kiosks

  async fleet(): Promise<Fleet> {
    // Enters what they have said since the last one.
    await this.#ports.keymaster.sweep();
    const rows = await this.#ports.store.read((ledger) => ledger.kiosks.all());
    return { now: this.#ports.clock(), kiosks: rows.map(knownKiosk) };
  }

  // Messages of the day

  async messages(): Promise<AllMessages> {
    const text = await this.#ports.store.read((ledger) => ledger.meta('messages'));
    const configured = [...this.#ports.keymaster.configuredMessages()];
    return { configured, messages: JSON.parse(text ?? '[]') as string[] };
  }

  /** In place of those set before. */
  async setMessages(messages: readonly string[]): Promise<AllMessages> {
    const room = MAX_MESSAGES - this.#ports.keymaster.configuredMessages().length;
    if (messages.length > room) {
      throw malformed(`there is room for ${room} messages beside those configured`, '/messages');
    }
    await this.#change((ledger) => ledger.setMeta('messages', JSON.stringify(messages)));
    return this.messages();
  }

  async #change(work: (ledger: LedgerQueries, now: number) => Promise<void>): Promise<void> {
    await this.#ports.keymaster.desk.run(({ ledger }, now) => work(ledger, now));
    await this.#ports.keymaster.refresh();
  }

  #contest(name: string): Promise<OfferedContest> {
    return this.#ports.keymaster.desk.read(async (books) => offeredContest(bookOf(books, name)));
  }

  async #site(token: string): Promise<Site> {
    const row = await this.#ports.store.read((ledger) => ledger.site(token));
    if (row === undefined) throw notFound(`there is no site ${token}`);
    return knownSite(row);
  }

  async #proxy(id: string): Promise<KnownProxy> {
    const found = (await this.proxies()).find((proxy) => proxy.id === id);
    if (found === undefined) throw notFound(`there is no proxy ${id}`);
    return found;
  }
}

const notFound = (detail: string) => new RefusedError('not_found', detail, { status: 404 });
const conflict = (detail: string, field?: string) => new RefusedError('conflict', detail, { status: 409, field });
const malformed = (detail: string, field: string) => new RefusedError('body_malformed', detail, { field });

function bookOf(books: Books, name: string): Book {
  for (const book of books.all()) if (book.row.name === name) return book;
  throw notFound(`there is no contest ${name} in the ledger`);
}

const CLOSED = {
  hit: 'was closed by its hit',
  exhausted: 'was closed when all its units were done',
  operator: 'was closed by its operator',
} as const;

/** What the change makes of the contest's row. Refuses all of it or nothing. */
function changedColumns(book: Book, change: ContestChange): Partial<ContestRow> {
  const { row } = book;
  const { name, closed_by } = row;
  const { state, offered, priority, weight, allocation, cursor } = change;
  const changed: Partial<ContestRow> = {};
  if (state !== undefined) {
    if (closed_by === 'hit' || closed_by === 'exhausted') {
      throw conflict(`${name} ${CLOSED[closed_by]}, and stays so`, '/state');
    }
    changed.closed_by = state === 'closed' ? 'operator' : null;
  }
  if (offered !== undefined) Object.assign(changed, { offered: offered ? 1 : 0, origin: 'operator' });
  if (priority !== undefined) changed.priority = priority;
  if (weight !== undefined) changed.weight = weight;
  if (allocation !== undefined) {
    if (allocation !== null) refuseOutside(book, allocation);
    changed.allocation = allocation === null ? null : JSON.stringify(allocation);
    changed.cursor = null;
  }
  if (cursor !== undefined) {
    const { kind } = allocationOf({ ...book, row: { ...row, ...changed } });
    if (kind !== 'random') throw conflict(`${name} draws no subspaces: its allocation is ${kind}`, '/cursor');
    changed.cursor = null;
  }
  return changed;
}

function refuseOutside({ manifest }: Book, allocation: Allocation): void {
  if (allocation.kind !== 'priority') return;
  const index = allocation.ranges.findIndex((range) => endOf(range) > manifest.units);
  if (index === -1) return;
  throw malformed(`${manifest.name} ends at unit ${manifest.units}`, `/allocation/ranges/${index}`);
}

/** Frees a part of what the proxy holds. */
async function freeSome(books: Books, holder: string): Promise<{ runs: number; units: number }> {
  const rows = await books.ledger.runsOfHolder(holder, FREED_AT_ONCE);
  let units = 0;
  for (const book of books.all()) {
    const own = rows.filter(({ contest }) => contest === book.row.name);
    const ranges = own.map(({ first, past }) => ({ first, count: past - first }));
    await book.line.load(ranges);
    // As they are by now: others' work in this commit may have changed them.
    for (const run of ranges.flatMap((range) => book.line.within(range))) {
      if (run.holder !== holder) continue;
      books.free(book, run);
      units += run.past - run.first;
    }
  }
  return { runs: rows.length, units };
}

function offeredContest(book: Book): OfferedContest {
  const { row } = book;
  return {
    ...stateOf(book, 'all'),
    origin: row.origin,
    offered: row.offered === 1,
    allocation: allocationOf(book),
    allocationIsOwn: row.allocation !== null,
    cursor: row.cursor,
  };
}

function knownSite({ token, team, origins, created_at, revoked_at }: SiteRow): Site {
  return {
    token,
    team,
    origins: JSON.parse(origins) as string[],
    createdAt: created_at,
    ...(revoked_at === null ? {} : { revokedAt: revoked_at }),
  };
}

function knownProxy({ id, name, version, first_seen, last_seen, revoked_at }: ProxyRow): KnownProxy {
  return {
    id,
    ...(name === null ? {} : { name }),
    ...(version === '' ? {} : { version }),
    listedAt: first_seen,
    ...(last_seen === 0 ? {} : { seenAt: last_seen }),
    ...(revoked_at === null ? {} : { revokedAt: revoked_at }),
  };
}
