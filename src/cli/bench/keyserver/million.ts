/**
 * How large a ledger gets, and how much slower a lease, when very many blocks are done in random order. The keymaster is called in
 * this process, many blocks an exchange, so that a million take a minute.
 *
 *   scattered   leased in order, some 20,000 at a time, and reported in random order
 *   drawn       each block is drawn at random (subspaces of one block), until all are done
 */
import { kinds } from '../../../contests/kinds.ts';
import type { ClientInfo } from '../../../domain/client.ts';
import type { Allocation } from '../../../domain/contest.ts';
import type { Lease, Report } from '../../../domain/work.ts';
import { Keymaster } from '../../../server/keymaster/keymaster.ts';
import type { Store } from '../../../server/store/store.ts';
import { randomOf } from '../random.ts';
import { median } from '../statistics.ts';
import { lineOf, ogrEvidence } from './contests.ts';

export type Way = 'scattered' | 'drawn';

export interface LedgerFigures {
  way: Way;
  blocks: number;
  seconds: number;
  /** Of the ledger at the end, and the most it was at any tenth of the way. */
  bytes: number;
  peakBytes: number;
  /** Milliseconds for an exchange that takes one block: medians at the start, half-way, and just before the end. */
  leaseMs: [number, number, number];
  /** Milliseconds to take back what one of the eighty clients did, of all blocks done. */
  takeBackMs: number;
}

export interface LedgerHome {
  store: Store;
  /** Of all files or tables, after whatever the database does by itself now and then. */
  bytes: () => Promise<number>;
}

const CLIENTS = 80;
/** Leases that are open at a time, but no more than half of the blocks that are left: there is always one to be had. */
const OPEN = 20_000;
/** Blocks an exchange, but no more than a five-hundredth of those that are left. */
const BLOCKS_AT_ONCE = 64;
const LEAST_EXCHANGES = 500;
const MOST_LEASES_TIMED = 200;

/** Any line will do: it need not be as long as the search has stubs. */
const lenient = { ...kinds, ogr: { ...kinds.ogr, validate() {} } };

interface Herder {
  client: ClientInfo;
  leases: Lease[];
}

export async function ledgerOf(
  { store, bytes }: LedgerHome,
  way: Way,
  blocks: number,
  say: (what: string) => void,
): Promise<LedgerFigures> {
  const random = randomOf(1);
  const allocation: Allocation = way === 'drawn' ? { kind: 'random', subspaceUnits: 1 } : { kind: 'order' };
  const manifest = lineOf(way, blocks, allocation);
  const log = {
    info() {},
    warn() {},
    error: (fields: object, message: string) => say(`${message}: ${JSON.stringify(fields)}`),
  };
  // Its evidence is made up.
  const unchecked = { version: '', random, secondRuns: 0 };
  const ports = { store, manifests: [manifest], kinds: lenient, clock: Date.now, log, ...unchecked };
  const keymaster = await Keymaster.open(ports);
  const herders = Array.from({ length: CLIENTS }, (_, i): Herder => ({ client: clientOf(i), leases: [] }));
  // When a hundredth is left, half of it may be leased.
  const timed = Math.ceil(Math.min(MOST_LEASES_TIMED, blocks / 400));
  const began = performance.now();
  let done = 0;
  let open = 0;
  let peakBytes = 0;
  const leaseMs: number[] = [await timeLeases(keymaster, way, timed)];

  const turn = async (herder: Herder): Promise<boolean> => {
    const { leases } = herder;
    const left = blocks - done;
    const atOnce = Math.ceil(Math.min(BLOCKS_AT_ONCE, left / LEAST_EXCHANGES));
    const most = Math.max(1, Math.floor(Math.min(OPEN, left / 2)));
    const some = open >= most ? take(leases, atOnce, random) : [];
    const want = { blocks: Math.min(atOnce, Math.max(0, most - open)), from: [{ contest: way, units: 1 }] };
    // Counted before they are answered: the other lanes go on meanwhile, and would take more than half of what is left.
    open += want.blocks - some.length;
    done += some.length;
    const { client } = herder;
    const reply = await keymaster.exchange({
      protocols: ['keyserver<-client/2'],
      client,
      reports: some.map(reportOf),
      want,
    });
    const wrong = reply.results.find(({ outcome }) => outcome !== 'accepted');
    if (wrong !== undefined) throw new Error(`a report was not accepted: ${JSON.stringify(wrong)}`);
    leases.push(...reply.leases);
    open -= want.blocks - reply.leases.length;
    return some.length > 0 || reply.leases.length > 0;
  };

  for (const share of [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99, 1]) {
    const goal = blocks * share;
    await Promise.all(
      [0, 1, 2, 3, 4, 5, 6, 7].map(async (lane) => {
        for (let i = lane; ; i += 8) {
          if (done >= goal) return;
          const herder = herders[i % CLIENTS] as Herder;
          const had = await turn(herder);
          if (!had && herders.every(({ leases }) => leases.length === 0)) return;
        }
      }),
    );
    await keymaster.sweep();
    peakBytes = Math.max(peakBytes, await bytes());
    if (share === 0.5 || share === 0.99) leaseMs.push(await timeLeases(keymaster, way, timed));
    if (share === 0.5) say(`${way}: half of ${blocks} blocks are done`);
  }
  const seconds = (performance.now() - began) / 1000;
  // What a server's timer does in ten minutes; it need not go on where that changes nothing.
  for (let sweep = 0, before = Number.POSITIVE_INFINITY; sweep < 40; sweep++) {
    await keymaster.sweep();
    const now = await bytes();
    if (now === before) break;
    before = now;
  }
  const size = await bytes();
  await keymaster.desk.counting.count();
  const convicting = performance.now();
  keymaster.trust.convict(clientOf(0), way, 'evidence', 'chosen by lot', undefined);
  await keymaster.trust.settled();
  const takeBackMs = performance.now() - convicting;
  await keymaster.desk.counting.count();
  await keymaster.close();
  return { way, blocks, seconds, bytes: size, peakBytes, leaseMs: leaseMs as [number, number, number], takeBackMs };
}

async function timeLeases(keymaster: Keymaster, contest: string, count: number): Promise<number> {
  const times: number[] = [];
  const given: { client: ClientInfo; leases: Lease[] }[] = [];
  for (let i = 0; i < count; i++) {
    const client = clientOf(1000 + i);
    const want = { blocks: 1, from: [{ contest, units: 1 }] };
    const began = performance.now();
    const { leases } = await keymaster.exchange({ protocols: ['keyserver<-client/2'], client, reports: [], want });
    times.push(performance.now() - began);
    if (leases.length === 0) throw new Error('there was no block to be had');
    given.push({ client, leases });
  }
  for (const { client, leases } of given) await keymaster.release({ client, leases: leases.map(({ id }) => id) });
  return median(times);
}

const clientOf = (i: number): ClientInfo => ({
  id: `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`,
  name: `bench ${i}`,
  version: '0.2.0',
});

const reportOf = ({ id, contest, first }: Lease): Report => ({
  lease: id,
  contest,
  first,
  evidence: [ogrEvidence(first)],
  core: 'ogr-simd',
  seconds: 60,
});

/** Takes so many out of the list, at random. */
function take<T>(list: T[], count: number, random: () => number): T[] {
  const taken: T[] = [];
  while (taken.length < count && list.length > 0) {
    const index = Math.floor(random() * list.length);
    const last = list.pop() as T;
    if (index === list.length) taken.push(last);
    else {
      taken.push(list[index] as T);
      list[index] = last;
    }
  }
  return taken;
}
