/** What the engine needs of the platform it runs on: `open-browser.ts`, `src/cli/crunch.ts`. */
import type { ClientInfo } from '../domain/client.ts';
import type { Keyserver } from '../protocol/keyserver.ts';
import type { Buffers } from './buffers.ts';
import type { WorkerHandle } from './crew.ts';
import type { Conditions } from './limits.ts';
import type { Settings } from './settings.ts';
import type { EngineCommand, EngineSnapshot, Through } from './snapshot.ts';

export type PooledKeyserver = Keyserver & {
  /** Which of several gateways it was that answered last, where it is not home. */
  readonly through?: Through | undefined;
  /** Whether there are several. */
  readonly hasOthers?: boolean;
};

export interface EnginePorts {
  keyserver: PooledKeyserver;
  buffers: Buffers;
  /** Opens the same buffers once more, after they have failed. */
  reopen?: () => Promise<Buffers>;
  /** Whether the buffers outlive this process; if not, why. */
  storage: EngineSnapshot['storage'];
  spawn(): WorkerHandle;
  turns: Turns;
  /** The other engines over the same buffers. */
  others?: {
    tell(message: TabMessage): void;
    listen(hear: (message: TabMessage) => void): void;
  };
  /** What the platform tells of the machine; `listen` calls back when it changes. */
  conditions?: { now(): Conditions; listen(changed: () => void): void };
  /** Whether a person may be looking at this one. */
  isVisible?(): boolean;
  maxWorkers: number;
  /** Used until the person chooses. */
  defaultWorkers: number;
  version: string;
  /** Where cores run, with every version that matters to their speed: what was measured holds for no other. */
  environment: string;
  /** For the keyserver's statistics. */
  name?: string;
  team?: string;
  platform?: Pick<ClientInfo, 'class' | 'os' | 'cpu' | 'site'>;
  /** Where this is a kiosk: what it is called, '' for nothing; undefined while it is none. */
  kiosk?(): string | undefined;
  /** Works on these contests only; on all where it is absent. */
  only?: readonly string[];
  /** Called when reports wait that cannot be sent now: the place to register a Background Sync. */
  onReportsWaiting?(): void;
  /**
   * Brings the newer version that waits, or that the keyserver wants, as far as the platform can; called where a block
   * ends, with every checkpoint kept.
   */
  renew?: () => void;
  /** All that was kept has been deleted from another tab: what this one shows is no longer so. */
  onErased?: () => void;
  /** A number from 0 to 1 for drawing lots between contests; Math.random unless told. */
  random?: () => number;
}

/** Of several engines over the same buffers one runs at a time. */
export interface Turns {
  /** Resolves when it is this engine's turn; calls `onWait` when another runs now. */
  take(onWait: () => void): Promise<Turn>;
  /** A `take` that waits is served now: whoever runs loses its turn. */
  steal(): void;
}

export interface Turn {
  giveUp(): void;
  /** Resolves when another has taken it away. */
  readonly lost: Promise<void>;
}

/** Where there is no other engine. */
export const alone: Turns = {
  take: () => Promise.resolve({ giveUp() {}, lost: new Promise(() => {}) }),
  steal() {},
};

export type TabMessage =
  /** From a person, in another tab. */
  | { command: EngineCommand }
  /** The keyserver asked to stop, and said why. */
  | { stopped: string }
  /** Of the tab that runs, every second. */
  | { snapshot: EngineSnapshot }
  /** The sender would like to run instead; the tab that runs has kept everything, and has stopped. */
  | { turn: 'wanted' | 'free' }
  /** A person deletes all that is kept: until it is done nobody may write to it. */
  | { erasure: 'begun' | 'done' };

/** What a client says of itself beside its id; what it was started with goes before what the person chose. */
export function aboutOf(
  { version, name, team, platform }: EnginePorts,
  chosen: Pick<Settings, 'name' | 'team'>,
): Omit<ClientInfo, 'id'> {
  const said = { name: name ?? chosen.name, team: team ?? chosen.team };
  return {
    version,
    ...(said.name === '' ? {} : { name: said.name }),
    ...(said.team === '' ? {} : { team: said.team }),
    ...platform,
  };
}
