/** What became of one unit: its state now, and who finished a block with it, out of the packed lists of every day. */
import type { FinishedBy, UnitHistory } from '../../protocol/administration.ts';
import type { LedgerQueries } from '../store/queries.ts';
import { type FinishedBlock, unpackBlocks } from './packed-blocks.ts';

const DAY_MS = 86_400_000;

/** A unit is in more than one block only where those who were late overlapped. */
const MAX_FOUND = 16;

/** The unit must be one of the contest's. */
export async function historyOf(ledger: LedgerQueries, contest: string, unit: number): Promise<UnitHistory> {
  const [run] = await ledger.runsAt(contest, [unit]);
  const isCovered = run !== undefined && unit < run.past;
  const { lease, holder, expires_at } = run ?? {};
  return {
    contest,
    unit,
    state: isCovered ? run.state : 'absent',
    ...(isCovered && lease && holder ? { lease: { id: lease, holder, expiresAt: expires_at ?? 0 } } : {}),
    finished: await whoFinished(ledger, contest, unit),
  };
}

async function whoFinished(ledger: LedgerQueries, contest: string, unit: number): Promise<FinishedBy[]> {
  const found: (FinishedBlock & { day: number })[] = [];
  // A part at a time: all of them may be large.
  let part = await ledger.counting.finishedBefore(contest, { day: Number.MAX_SAFE_INTEGER, part: 0 });
  while (part !== undefined && found.length < MAX_FOUND) {
    const { day, blocks } = part;
    const some = unpackBlocks(new Uint8Array(blocks)).filter(
      ({ first, count }) => first <= unit && unit < first + count,
    );
    found.push(...some.map((block) => ({ ...block, day })).toReversed());
    part = await ledger.counting.finishedBefore(contest, part);
  }
  if (found.length === 0) return [];
  const clients = await ledger.clientsByNumber([...new Set(found.map(({ client }) => client))]);
  return found.slice(0, MAX_FOUND).map(({ client, first, count, day }) => {
    const { id = '', name = null, team = null } = clients.find(({ number }) => number === client) ?? {};
    return {
      day: new Date(day * DAY_MS).toISOString().slice(0, 10),
      client: id,
      ...(name === null ? {} : { name }),
      ...(team === null ? {} : { team }),
      first,
      count,
    };
  });
}
