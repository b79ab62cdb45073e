/** A keyserver of a storm with the wires that lead to it. Its process gets another port at each start; the wires stay. */
import { join } from 'node:path';
import type { Status } from '../../../src/protocol/keyserver.ts';
import type { FaultyLink } from './faulty-link.ts';
import type { KeyserverOrder } from './keyserver-process.ts';
import { Member } from './member.ts';
import type { SmallDisk } from './small-disk.ts';

export interface Station {
  member: Member;
  /** The wires that end here, by who speaks over them. */
  links: { from: string; link: FaultyLink }[];
  isProxy: boolean;
  clockOffsetMs: number;
  dataDir: string;
  disk?: SmallDisk;
}

export interface StationOptions {
  name: string;
  script: string;
  /** Where its data folder is. */
  folder: string;
  order: Omit<KeyserverOrder, 'dataDir' | 'clockOffsetMs'>;
  /** How long it stays down. */
  restartMs?: () => number;
}

export function stationOf({ name, script, folder, order, restartMs }: StationOptions): Station {
  const dataDir = join(folder, name.replaceAll(' ', '-'));
  const point = (port: number | undefined): void => {
    for (const { link } of station.links) link.target = port;
  };
  const member = new Member({
    name,
    script,
    order: (): KeyserverOrder => ({ ...order, dataDir, clockOffsetMs: station.clockOffsetMs }),
    onUp: (port) => point(Number(port)),
    onDown: () => point(undefined),
    ...(restartMs && { restartMs }),
  });
  const station: Station = { member, links: [], isProxy: order.upstreams !== undefined, clockOffsetMs: 0, dataDir };
  return station;
}

/** What it answers at an address; undefined: nothing. */
export async function askStation<T>({ member, links }: Station, path: string): Promise<T | undefined> {
  const [wire] = links;
  if (!member.isUp || wire === undefined) return undefined;
  try {
    const response = await fetch(`${wire.link.url}/api/v1/${path}`, { signal: AbortSignal.timeout(10_000) });
    return response.ok ? ((await response.json()) as T) : undefined;
  } catch {
    return undefined;
  }
}

/** What it says of itself. */
export const statusOf = (station: Station): Promise<Status | undefined> => askStation<Status>(station, 'status');
