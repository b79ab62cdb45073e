/** What the engine needs of the platform it runs on: `open-browser.ts`, `src/cli/crunch.ts`. */
import type { ClientInfo } from '../domain/client.ts';
import type { Keyserver } from '../protocol/keyserver.ts';
import type { Buffers } from './buffers.ts';
import type { WorkerHandle } from './crew.ts';
import type { EngineSnapshot } from './snapshot.ts';

export interface EnginePorts {
  keyserver: Keyserver;
  buffers: Buffers;
  /** Whether the buffers outlive this process. */
  storage: EngineSnapshot['storage'];
  spawn(): WorkerHandle;
  /**
   * Resolves when this engine alone may run over these buffers, with the way to give that up; calls `onWait` when
   * another runs now.
   */
  takeTurn(onWait: () => void): Promise<() => void>;
  /** Start and pause, told to and heard from the other engines over the same buffers: the wish is the profile's. */
  others?: {
    /** With the keyserver's reason where it was the keyserver that stopped it. */
    tell(wanted: boolean, stopped?: string): void;
    listen(hear: (wanted: boolean, stopped?: string) => void): void;
  };
  maxWorkers: number;
  /** Used until the person chooses. */
  defaultWorkers: number;
  version: string;
  /** Where cores run, with every version that matters to their speed: what was measured holds for no other. */
  environment: string;
  /** For the keyserver's statistics. */
  name?: string;
  team?: string;
  platform?: Pick<ClientInfo, 'class' | 'os' | 'cpu'>;
  /** Works on these contests only; on all where it is absent. */
  only?: readonly string[];
  /** Called when reports wait that cannot be sent now: the place to register a Background Sync. */
  onReportsWaiting?(): void;
  /**
   * Brings the newer version that the keyserver wants, as far as the platform can; called where a block ends, with every
   * checkpoint kept.
   */
  renew?: () => void;
  /** A number from 0 to 1 for drawing lots between contests; Math.random unless told. */
  random?: () => number;
}

/** What a client says of itself beside its id. */
export function aboutOf({ version, name, team, platform }: EnginePorts): Omit<ClientInfo, 'id'> {
  return {
    version,
    ...(name === undefined ? {} : { name }),
    ...(team === undefined ? {} : { team }),
    ...platform,
  };
}
