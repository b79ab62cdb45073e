/**
 * A client's conversation with a keyserver that it never meets, in files (`protocol/buffers-file.ts`), over its buffers,
 * which nobody else has open. Its blocks' proofs are checked by the keyserver that gets their reports.
 */
import type { ClientInfo } from '../domain/client.ts';
import type { Contest } from '../domain/contest.ts';
import type { Lease } from '../domain/work.ts';
import {
  type BlocksFile,
  BUFFERS_FORMAT,
  type Carrier,
  FIRST_WISH_UNITS,
  type ReportsFile,
  type Taken,
  type Wish,
} from '../protocol/buffers-file.ts';
import { RefusedError } from '../protocol/errors.ts';
import type { Buffers, Saved } from './buffers.ts';
import { newClientId } from './holdings.ts';
import { settingsOf } from './settings.ts';

const DAY_SECONDS = 86_400;
/** Files remembered, so that none is worked twice. */
const MAX_CARRIED = 64;

export class Carrying implements Carrier {
  readonly #buffers: Buffers;
  readonly #version: string;

  constructor(buffers: Buffers, version: string) {
    this.#buffers = buffers;
    this.#version = version;
  }

  async handUp(want?: readonly Wish[]): Promise<ReportsFile> {
    const { blocks, reports, facts } = await this.#buffers.load();
    const about: Omit<ClientInfo, 'id'> = facts.about ?? { version: this.#version, class: 'terminal' };
    return {
      format: BUFFERS_FORMAT,
      kind: 'reports',
      madeAt: Date.now(),
      client: { id: await this.#buffers.clientId(newClientId()), ...about },
      reports: reports.map((report) => ({ places: [report.lease], report })),
      left: 0,
      want: [...(want ?? wishes({ blocks, reports, facts }))],
      holding: [...blocks.map(({ lease }) => lease.id), ...reports.map(({ lease }) => lease)],
    };
  }

  async take(file: BlocksFile): Promise<Taken> {
    const id = await this.#buffers.clientId(newClientId());
    if (file.for !== id) {
      const detail = `the blocks are for ${file.for}, and this client is ${id}`;
      throw new RefusedError('conflict', detail, { status: 409, field: '/for' });
    }
    const { blocks, reports, facts } = await this.#buffers.load();
    const { carried = [], contests: before = [] } = facts;
    const isNewest = carried.every(({ madeAt }) => madeAt < file.madeAt);
    const contests = isNewest ? file.contests : before;
    if (isNewest) await this.#buffers.setFact('contests', contests);
    await this.#buffers.settle(file.verdicts.map(({ result }) => result));

    const isOpen = ({ contest }: Lease): boolean => contests.some((one) => isOpenOf(one, contest));
    const dead = blocks.filter(({ lease }) => !isOpen(lease)).map(({ lease }) => lease.id);
    if (dead.length > 0) await this.#buffers.dropBlocks(dead);

    const has = new Set([...blocks.map(({ lease }) => lease.id), ...reports.map(({ lease }) => lease)]);
    const isRepeated = carried.some((one) => one.id === file.id);
    const isKnown = ({ id }: Lease): boolean => isRepeated || has.has(id);
    const isOver = (lease: Lease): boolean => !isOpen(lease) || lease.expiresAt <= Date.now();
    const others = file.leases.filter((lease) => !isKnown(lease));
    const fresh = others.filter((lease) => !isOver(lease));
    await this.#buffers.addBlocks(fresh);
    const { id: fileId, madeAt } = file;
    if (!isRepeated) {
      await this.#buffers.setFact('carried', [...carried, { id: fileId, madeAt }].slice(-MAX_CARRIED));
    }
    return {
      blocks: [...new Set(fresh.map(({ contest }) => contest))].map((contest) => {
        const some = fresh.filter((lease) => lease.contest === contest);
        return { contest, blocks: some.length, units: unitsOf(some) };
      }),
      known: file.leases.length - others.length,
      over: others.length - fresh.length,
    };
  }
}

/** A day's work of the first open contest that it has worked on, or what a machine is given at first; less its stock. */
function wishes({ blocks, facts }: Saved): Wish[] {
  const { contests = [], speeds = {} } = facts;
  const { workers = 1 } = settingsOf(facts.settings);
  const speed = contests
    .filter(({ state }) => state.state === 'open')
    .map(({ manifest }) => speeds[manifest.name])
    .find((some) => some !== undefined);
  const wished = speed === undefined ? FIRST_WISH_UNITS : Math.ceil(speed * workers * DAY_SECONDS);
  const units = wished - unitsOf(blocks.map(({ lease }) => lease));
  return units > 0 ? [{ units }] : [];
}

const isOpenOf = ({ manifest, state }: Contest, contest: string): boolean =>
  manifest.name === contest && state.state === 'open';

const unitsOf = (leases: readonly Lease[]): number => leases.reduce((sum, { count }) => sum + count, 0);
