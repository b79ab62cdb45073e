/**
 * A handlespace in the database that registrars share. Each writes what happens at it, and once a second reads what the others
 * have written since; nobody needs to be told anything. Who is silent is taken over by the first who finds it so: their
 * transactions exclude each other.
 *
 * Clocks of the machines over one database may differ by less than OVERLAP_MS.
 */
import { RegistrationClaims } from '../../protocol/pools.ts';
import { readJws } from '../proof/jws.ts';
import { StatementReader } from '../proof/voucher.ts';
import type { PoolElementRow } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import {
  type Handlespace,
  type KnownRegistrar,
  type OnEvent,
  REGISTRAR_SILENT_MS,
  type Reason,
} from './handlespace.ts';
import { type Member, memberOf, Table } from './table.ts';

export interface SharedPorts {
  id: number;
  address: string;
  store: Pick<Store, 'counting'>;
  clock: () => number;
  onEvent: OnEvent;
}

const OVERLAP_MS = 10_000;
const PRUNE_EVERY_MS = 60_000;

const registration = new StatementReader(RegistrationClaims);

export class SharedHandlespace implements Handlespace {
  readonly mode = 'shared';
  readonly table = new Table();
  readonly #ports: SharedPorts;
  #others: KnownRegistrar[] = [];
  /** What was written before is known. */
  #readTo = 0;
  #prunedAt = Number.NEGATIVE_INFINITY;
  #waiting: PoolElementRow[] = [];
  /** The transaction that will take those that wait. */
  #next: Promise<boolean[]> | undefined;
  #underWay: Promise<unknown> = Promise.resolve();

  constructor(ports: SharedPorts) {
    this.#ports = ports;
  }

  registrars(): KnownRegistrar[] {
    return this.#others;
  }

  async put(member: Member): Promise<boolean> {
    const isTaken = await this.#write(member, 0);
    if (isTaken && this.table.isNews(member)) this.table.put(member);
    return isTaken;
  }

  async remove(member: Member, _reason: Reason): Promise<void> {
    const { handle, id, iat } = member.claims;
    await this.#write(member, 1);
    const known = this.table.get(handle, id);
    if (known !== undefined && known.claims.iat <= iat) this.table.remove(handle, id);
  }

  async tick(): Promise<void> {
    const { id, address, store, clock, onEvent } = this.#ports;
    const now = clock();
    const { registrars, silent, rows } = await store.counting(async ({ pools }) => {
      await pools.putRegistrar({ id, address, heard_at: now });
      const all = await pools.registrars();
      // A process that was started anew has another id, and its place.
      const gone = all.filter(
        (one) => one.id !== id && (now - one.heard_at > REGISTRAR_SILENT_MS || one.address === address),
      );
      for (const one of gone) {
        await pools.dropRegistrar(one.id);
        await pools.rehome(one.id, id, now);
      }
      if (now - this.#prunedAt >= PRUNE_EVERY_MS) {
        this.#prunedAt = now;
        await pools.pruneElements(now - 2 * PRUNE_EVERY_MS);
      }
      return {
        registrars: all.filter((one) => one.id !== id && !gone.includes(one)),
        silent: gone.map((one) => one.id),
        rows: await pools.elementsSince(Math.max(0, this.#readTo - OVERLAP_MS)),
      };
    });
    this.#readTo = now;
    for (const row of rows) this.#take(row, now);
    for (const target of silent) onEvent({ what: 'takeover', id: target, home: id });
    for (const one of registrars) {
      if (this.#others.some((other) => other.id === one.id)) continue;
      onEvent({ what: 'registrar-joined', id: one.id, address: one.address });
    }
    this.#others = registrars.map((one) => ({ id: one.id, address: one.address, heardAt: one.heard_at }));
  }

  /** Its elements are another's at once. */
  async close(): Promise<void> {
    const { id, address, store } = this.#ports;
    await store.counting(({ pools }) => pools.putRegistrar({ id, address, heard_at: 0 })).catch(() => {});
  }

  #take({ handle, id, home, iat, gone, statement, voucher }: PoolElementRow, now: number): void {
    const known = this.table.get(handle, id);
    if (known !== undefined && known.claims.iat > iat) return;
    if (gone === 1) return this.table.remove(handle, id);
    if (known?.claims.iat === iat) {
      if (known.home !== home) this.table.put({ ...known, home });
      return;
    }
    // Whoever wrote it into the database has checked it.
    const claims = registration.peek(statement);
    if (claims === undefined) return;
    this.table.put(memberOf({ statement, voucher, home }, claims, readJws(statement)?.signer ?? '', now));
  }

  /** @returns whether it is so now: nothing later is known. */
  async #write({ claims, statement, voucher, home }: Member, gone: 0 | 1): Promise<boolean> {
    const { handle, id, iat } = claims;
    const row = { handle, id, home, iat, changed_at: this.#ports.clock(), gone, statement, voucher };
    const index = this.#waiting.push(row) - 1;
    this.#next ??= this.#writeWaiting();
    return (await this.#next)[index] ?? false;
  }

  /** What came during a transaction goes into the next one together: a disk has some hundred a second, elements may be thousands. */
  async #writeWaiting(): Promise<boolean[]> {
    await this.#underWay;
    const rows = this.#waiting;
    this.#waiting = [];
    this.#next = undefined;
    const written = this.#ports.store.counting(async ({ pools }) => {
      const taken: boolean[] = [];
      for (const row of rows) taken.push(await pools.putElement(row));
      return taken;
    });
    this.#underWay = written.catch(() => {});
    return written;
  }
}
