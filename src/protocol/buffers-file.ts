/**
 * Buffers that are carried by hand between machines that never meet a network: `tabherd export` and `tabherd import`. One
 * round trip is an exchange (`keyserver.ts`) with a file for its request and a file for its reply:
 *
 *   offline proxy or client ── reports: what it finished, what it would like ──▶ keyserver
 *   offline proxy or client ◀── blocks: verdicts, leases, contests, keys ─────── keyserver
 *
 * A file is JSON in gzip, the same on every machine. It may be imported twice, late, out of order, or never: reports count
 * once by their leases, a report stays in its out-buffer until its verdict has come back, and of two files of blocks the
 * one made later says how the contests stand.
 */
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { ClientId, ClientInfo } from '../domain/client.ts';
import { Contest, ContestName } from '../domain/contest.ts';
import { UnitNumber } from '../domain/units.ts';
import { Lease, LeaseId, Report } from '../domain/work.ts';
import { faultOf } from './fault.ts';
import { gzipped } from './gzip.ts';
import { ReportResult } from './keyserver.ts';

export const BUFFERS_FORMAT = 'tabherd-buffers/1';

/** What a machine of which nothing is known yet is given to work on: some ten hours of one thread of RC5. */
export const FIRST_WISH_UNITS = 4096;

const format = Type.Literal(BUFFERS_FORMAT);
const time = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

/** So many units of the first of these contests that has some; of any contest where none is named. */
export const Wish = Type.Object({
  units: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
  contests: Type.Optional(Type.Array(ContestName, { minItems: 1, maxItems: 64 })),
});
export type Wish = Static<typeof Wish>;

/** Where the reports are in the out-buffer they come from: its own business, and what their verdict is found by. */
const places = Type.Array(Type.String({ maxLength: 64 }), { minItems: 1 });

export const ReportsFile = Type.Object({
  format,
  kind: Type.Literal('reports'),
  /** Milliseconds since 1970, by the clock of the machine that made it. */
  madeAt: time,
  /** Whose they are: a proxy, or a client. */
  client: ClientInfo,
  reports: Type.Array(Type.Object({ places, report: Report })),
  /** Reports that did not fit, and are in the file after their forerunners' verdicts have come. */
  left: Type.Integer({ minimum: 0 }),
  want: Type.Array(Wish, { maxItems: 64 }),
  /** Every lease that it knows of: live ones it does not know are given to it again. */
  holding: Type.Array(LeaseId),
});
export type ReportsFile = Static<typeof ReportsFile>;

export const BlocksFile = Type.Object({
  format,
  kind: Type.Literal('blocks'),
  id: Type.String({ maxLength: 64 }),
  /** Milliseconds since 1970, by the keyserver's clock. */
  madeAt: time,
  /** The proxy or client that it is for. */
  for: ClientId,
  verdicts: Type.Array(Type.Object({ places, contest: ContestName, first: UnitNumber, result: ReportResult })),
  leases: Type.Array(Lease),
  /** All that the keyserver offers, in order. */
  contests: Type.Array(Contest),
  /** The keys with which a proxy's chain of proofs may begin. */
  trusted: Type.Array(Type.String({ pattern: '^[0-9a-f]{64}$' })),
  /** Messages of the day. */
  messages: Type.Array(Type.String({ maxLength: 500 })),
});
export type BlocksFile = Static<typeof BlocksFile>;

export const BuffersFile = Type.Union([ReportsFile, BlocksFile]);
export type BuffersFile = Static<typeof BuffersFile>;

/** What became of a file of blocks. */
export const Taken = Type.Object({
  /** New ones, by contest. */
  blocks: Type.Array(Type.Object({ contest: ContestName, blocks: Type.Integer(), units: Type.Integer() })),
  /** Blocks that were there before, or done. */
  known: Type.Integer(),
  /** Blocks of no use any more: their time is over, their contest closed, or newer leases cover them. */
  over: Type.Integer(),
});
export type Taken = Static<typeof Taken>;

/** Reports and wishes out, blocks in: what an offline machine does with files. */
export interface Carrier {
  /** @param want instead of what it would like by itself. */
  handUp(want?: readonly Wish[]): Promise<ReportsFile>;
  /** @throws RefusedError the file is not for it, or not true; nothing of it was taken. */
  take(file: BlocksFile): Promise<Taken>;
}

/** The file cannot be used; the message says why. */
export class BuffersFileError extends Error {
  override readonly name = 'BuffersFileError';
}

export async function packBuffers(file: BuffersFile): Promise<Uint8Array> {
  return new Uint8Array(await gzipped(JSON.stringify(file)));
}

/** @throws BuffersFileError */
export async function unpackBuffers(bytes: Uint8Array<ArrayBuffer>): Promise<BuffersFile> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) throw new BuffersFileError('it was not made by tabherd export');
  let value: unknown;
  try {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
    value = JSON.parse(await new Response(stream).text());
  } catch (cause) {
    throw new BuffersFileError('it is damaged or cut off: carry it again', { cause });
  }
  const written = (value as { format?: unknown } | null)?.format;
  if (typeof written !== 'string' || !written.startsWith('tabherd-buffers/')) {
    throw new BuffersFileError('it was not made by tabherd export');
  }
  if (written !== BUFFERS_FORMAT) {
    throw new BuffersFileError(`it is in the form ${written}, and this Tabherd reads ${BUFFERS_FORMAT}: update it`);
  }
  if (Value.Check(BuffersFile, value)) return value;
  const fault = faultOf(BuffersFile, value);
  throw new BuffersFileError(`${fault?.pointer} ${fault?.message}`);
}
