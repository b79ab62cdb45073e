/** Cases: who was caught at what, what was taken back, and the pardon. */
import { randomUUID } from 'node:crypto';
import type { ClientInfo } from '../../domain/client.ts';
import type { UnitRange } from '../../domain/units.ts';
import type { Case, ClientRecord } from '../../protocol/administration.ts';
import { RefusedError } from '../../protocol/errors.ts';
import type { Books } from '../ledger/books.ts';
import type { Desk } from '../ledger/desk.ts';
import { clipped } from '../ledger/line.ts';
import type { LedgerQueries } from '../store/queries.ts';
import type { CaseFileRow } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import { type Conduct, type How, isBarred } from './conduct.ts';
import { presenceOf } from './presence.ts';
import type { General, Trust } from './trust.ts';

export interface CaseBody {
  how: How;
  /** What was found, as half a sentence. */
  detail: string;
  name?: string | undefined;
  team?: string | undefined;
  /** Taken back. */
  units: number;
  blocks: number;
  ranges: readonly UnitRange[];
  /** Units taken back that others had done before. */
  again?: number | undefined;
  /** What it rests on: the report, or the record. */
  evidence?: unknown;
}

/** Longer evidence is left out of the case: a report of 256 units of OGR. */
const MAX_EVIDENCE_CHARS = 200_000;

export async function putCase(
  ledger: LedgerQueries,
  { client, contest, at }: Pick<CaseFileRow, 'client' | 'contest' | 'at'>,
  body: CaseBody,
): Promise<void> {
  const { evidence, ...rest } = body;
  const isShort = evidence !== undefined && JSON.stringify(evidence).length <= MAX_EVIDENCE_CHARS;
  const kept: CaseBody = isShort ? body : rest;
  await ledger.trust.putCase({ id: randomUUID(), client, contest, at, pardoned_at: null, body: JSON.stringify(kept) });
}

export const bodyOf = ({ body }: CaseFileRow): CaseBody => JSON.parse(body) as CaseBody;

/** A case as an operator sees it; its evidence only where it is asked for. */
const told = (row: CaseFileRow, withEvidence: boolean): Case => {
  const { how, detail, name, team, units, blocks, evidence } = bodyOf(row);
  return {
    id: row.id,
    at: row.at,
    client: row.client,
    contest: row.contest,
    how,
    detail,
    units,
    blocks,
    ...(name === undefined ? {} : { name }),
    ...(team === undefined ? {} : { team }),
    ...(row.pardoned_at === null ? {} : { pardonedAt: row.pardoned_at }),
    ...(withEvidence && evidence !== undefined ? { evidence } : {}),
  };
};

export interface CasesPorts {
  store: Store;
  desk: Desk;
  trust: Trust;
  /** Milliseconds since 1970. */
  clock: () => number;
}

export class Cases {
  readonly #ports: CasesPorts;

  constructor(ports: CasesPorts) {
    this.#ports = ports;
  }

  /** The newest first. */
  async list(limit: number): Promise<Case[]> {
    const rows = await this.#ports.store.read((ledger) => ledger.trust.cases(limit));
    return rows.map((row) => told(row, false));
  }

  /** @throws RefusedError `not_found` */
  async show(id: string): Promise<Case> {
    return told(await this.#ports.store.read((ledger) => caseOf(ledger, id)), true);
  }

  /**
   * The client gets work again, and the credit of all units that are still free; others were done by somebody else meanwhile.
   * @throws RefusedError `not_found`; `conflict`: it was pardoned before.
   */
  async pardon(id: string): Promise<Case> {
    const { desk, trust } = this.#ports;
    const { client, contest, now } = await desk.run(async (books, now) => {
      const row = await caseOf(books.ledger, id);
      if (row.pardoned_at !== null) {
        throw new RefusedError('conflict', `case ${id} was pardoned before`, { status: 409 });
      }
      await restore(books, row, now);
      await books.ledger.trust.pardon(id, now);
      return { ...row, now };
    });
    trust.note(client, contest, { kind: 'pardoned', at: now });
    await trust.write();
    return this.show(id);
  }

  /**
   * Tells a client to work no more until a person starts it again, or takes that back: it gets no work here meanwhile.
   * @param reason shown to the person; undefined: it may go on.
   */
  async stop(client: string, reason: string | undefined): Promise<ClientRecord> {
    const { desk, trust, store } = this.#ports;
    await desk.run(async ({ ledger }) => {
      const general: General | undefined = reason === undefined ? undefined : { stopped: reason };
      if (general === undefined) await ledger.trust.dropConduct(client, '');
      else await ledger.trust.putConducts([{ client, contest: '', body: JSON.stringify(general) }]);
    });
    await store.read((ledger) => trust.read(ledger));
    return this.record(client);
  }

  /** What is noted of a client. @throws RefusedError `not_found` */
  async record(client: string): Promise<ClientRecord> {
    const { desk, trust, store, clock } = this.#ports;
    await trust.write();
    await desk.counting.count();
    const { rows, cases, known } = await store.read(async (ledger) => ({
      rows: await ledger.trust.conducts([client]),
      cases: await ledger.trust.casesOf(client),
      known: (await ledger.clients([client]))[0],
    }));
    if (rows.length === 0 && known === undefined) {
      throw new RefusedError('not_found', `nothing is noted of client ${client}`, { status: 404 });
    }
    const stopped = trust.stopped(client);
    return {
      client,
      ...(known === undefined
        ? {}
        : {
            firstSeenAt: known.first_seen,
            seenAt: known.last_seen,
            ...presenceOf(known.last_seen, clock()),
            version: known.version,
          }),
      ...(stopped === undefined ? {} : { stopped }),
      contests: rows
        .filter(({ contest }) => contest !== '')
        .map(({ contest, body }) => {
          const conduct = JSON.parse(body) as Conduct;
          const { suspicion: _, ...rest } = conduct;
          return { contest, barred: isBarred(conduct), ...rest };
        }),
      cases: cases.map((row) => told(row, false)),
    };
  }
}

async function caseOf(ledger: LedgerQueries, id: string): Promise<CaseFileRow> {
  const row = await ledger.trust.caseOf(id);
  if (row === undefined) throw new RefusedError('not_found', `there is no case ${id}`, { status: 404 });
  return row;
}

async function restore(books: Books, row: CaseFileRow, now: number): Promise<void> {
  const book = books.get(row.contest);
  if (book === undefined) return;
  const [known] = await books.ledger.clients([row.client]);
  const client: ClientInfo = {
    id: row.client,
    version: known?.version ?? '',
    ...(known?.name ? { name: known.name } : {}),
    ...(known?.team ? { team: known.team } : {}),
  };
  const { ranges, again } = bodyOf(row);
  if (again !== undefined) books.creditAgain(client, row.contest, again, now);
  await book.line.load(ranges);
  for (const range of ranges) {
    for (const run of book.line.within(range)) {
      if (run.state !== 'free') continue;
      const { first, past } = clipped(run, { first: range.first, past: range.first + range.count });
      const part = { first, count: past - first };
      books.finish(book, part);
      books.credit(client, row.contest, part, now);
    }
  }
}
