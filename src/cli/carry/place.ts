/**
 * Where buffers are carried from and to: a keyserver that runs, the data folder of one that does not, or the data file of
 * `tabherd crunch`.
 */
import { statSync } from 'node:fs';
import { Carrying } from '../../client/carrying.ts';
import { kinds } from '../../contests/kinds.ts';
import type { Carrier } from '../../protocol/buffers-file.ts';
import { HttpKeyserver } from '../../protocol/http-keyserver.ts';
import type { Counter } from '../../server/carry/answer.ts';
import { openStopped } from '../../server/carry/stopped.ts';
import { isKeyId } from '../../server/proof/key.ts';
import { StoreError } from '../../server/store/store.ts';
import { FileBuffers } from '../file-buffers.ts';
import { type Access, Operator } from './operator.ts';

export interface Place {
  /** The keyserver that is there, for a proxy or client of this identity; undefined in a client's data file. */
  keyserverFor: ((id: string) => Counter) | undefined;
  /** Undefined where there is nobody to report to: a keymaster. */
  carrier: Carrier | undefined;
  close(): Promise<void>;
}

export interface PlaceOptions extends Access {
  data: string;
  at?: string;
}

export async function openPlace({ data, at, ...access }: PlaceOptions, version: string): Promise<Place> {
  if (at !== undefined) return running(at, access);
  if (isDataFile(data)) {
    const buffers = await FileBuffers.open(data);
    return {
      keyserverFor: undefined,
      carrier: new Carrying(buffers, version),
      close: () => buffers.close(),
    };
  }
  const stopped = await openStopped(data, { kinds, version }).catch((error: unknown) => {
    if (!(error instanceof StoreError) || !error.message.includes('in use')) throw error;
    throw new Error(`${error.message}: speak with it by --at, such as --at http://localhost:2064`, { cause: error });
  });
  return { keyserverFor: () => stopped.keyserver, carrier: stopped.carrier, close: () => stopped.close() };
}

function running(at: string, access: Access): Place {
  if (!URL.canParse(at) || !/^https?:/.test(at)) throw new Error(`--at: ${at} is not the address of a keyserver`);
  const open = new HttpKeyserver(at, { fetch });
  const operator = new Operator(at, access);
  return {
    // What a client says needs nobody's leave: it could say it itself.
    keyserverFor: (id) =>
      isKeyId(id) ? { exchange: (request) => operator.exchange(request), contests: () => open.contests() } : open,
    carrier: operator,
    async close() {},
  };
}

function isDataFile(path: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.isFile() ?? (stat === undefined && path.endsWith('.json'));
}
