/**
 * The keyserver's half of carrying buffers by hand: reports out of a file into any keyserver, by exchanges like those of
 * the one who is absent, and into another file what it has to be told and given.
 *
 * What was recorded before a failure is recorded: the same file again makes duplicates of it, and, since it names the
 * leases its maker knows of, brings the same blocks.
 */
import { randomUUID } from 'node:crypto';
import type { ClientInfo } from '../../domain/client.ts';
import {
  type BlocksFile,
  BUFFERS_FORMAT,
  BuffersFileError,
  type ReportsFile,
  type Wish,
} from '../../protocol/buffers-file.ts';
import { RefusedError } from '../../protocol/errors.ts';
import {
  type ExchangeReply,
  type ExchangeRequest,
  type Keyserver,
  MAX_HOLDING,
  MAX_PROXY_UNITS,
  MAX_REPORTS,
} from '../../protocol/keyserver.ts';
import { reportBatch } from '../../protocol/report-batch.ts';
import { isKeyId } from '../proof/key.ts';

export type Counter = Pick<Keyserver, 'exchange' | 'contests'>;

const NOTHING = { blocks: 0, from: [] };

/**
 * @param asked without `holding` it is not known what the other has; it gets new blocks only.
 * @param onReports told how many reports have been handed in so far.
 */
export async function answer(
  keyserver: Counter,
  asked: Pick<ReportsFile, 'client' | 'reports' | 'want'> & { holding?: readonly string[] },
  onReports: (count: number) => void = () => {},
): Promise<BlocksFile> {
  const { client } = asked;
  if ((client.class === 'proxy') !== isKeyId(client.id)) {
    throw new BuffersFileError("/client/id: a proxy's identity is a key, and nobody else's is");
  }
  const exchange = (some: Pick<ExchangeRequest, 'reports' | 'want'>): Promise<ExchangeReply> => {
    const protocol = client.class === 'proxy' ? 'keyserver<-proxy/1' : 'keyserver<-client/2';
    return keyserver.exchange({ protocols: [protocol], client, ...some });
  };
  // Whether it is served at all, before anything is done.
  let reply = await exchange({ reports: [], want: NOTHING });
  const verdicts: BlocksFile['verdicts'] = [];
  for (let i = 0; i < asked.reports.length; ) {
    const some = asked.reports.slice(i, i + MAX_REPORTS);
    const batch = reportBatch(some.map(({ report }) => report));
    reply = await exchange({ reports: batch, want: NOTHING });
    for (const [k, result] of reply.results.entries()) {
      const { places, report } = some[k] as (typeof some)[number];
      verdicts.push({ places, contest: report.contest, first: report.first, result });
    }
    i += batch.length;
    onReports(i);
  }
  const open = (await keyserver.contests())
    .filter(({ state }) => state.state === 'open')
    .map(({ manifest }) => manifest.name);
  const leases: BlocksFile['leases'] = [];
  for (const wish of asked.want) {
    const from = open.filter((name) => wish.contests?.includes(name) !== false);
    for (let missing = wish.units; missing > 0 && from.length > 0; ) {
      const units = Math.min(MAX_PROXY_UNITS, Math.ceil(missing / 4));
      const holding = [...(asked.holding ?? []), ...leases.map(({ id }) => id)];
      const known = asked.holding === undefined || holding.length > MAX_HOLDING ? {} : { holding };
      const want = {
        blocks: Math.min(64, Math.floor(missing / units)),
        from: from.map((contest) => ({ contest, units })),
        ...known,
      };
      reply = await exchange({ reports: [], want });
      if (reply.leases.length === 0) break;
      leases.push(...reply.leases);
      missing -= reply.leases.reduce((sum, { count }) => sum + count, 0);
    }
  }
  return {
    format: BUFFERS_FORMAT,
    kind: 'blocks',
    id: randomUUID(),
    madeAt: reply.now,
    for: client.id,
    verdicts,
    leases,
    contests: await keyserver.contests(),
    trusted: reply.trusted ?? [],
    messages: reply.messages ?? [],
  };
}

/** Blocks for someone of whom nothing is known but the identity. */
export function handOut(keyserver: Counter, id: string, want: readonly Wish[], version: string): Promise<BlocksFile> {
  const client: ClientInfo = { id, version, class: isKeyId(id) ? 'proxy' : 'terminal' };
  return answer(keyserver, { client, reports: [], want: [...want] });
}

/** Refused unless the contests wished for are on offer: a person's typing error, not a contest that has gone. */
export async function checkWishes(keyserver: Counter, want: readonly Wish[]): Promise<void> {
  const names = (await keyserver.contests()).map(({ manifest }) => manifest.name);
  const unknown = want.flatMap(({ contests = [] }) => contests).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  throw new RefusedError('contest_unknown', `there is no contest ${unknown} there; there is ${names.join(', ')}`);
}
