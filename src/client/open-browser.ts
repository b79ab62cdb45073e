/** The engine as a browser tab runs it: this file wires the ports; nothing else in the client knows the platform. */
import type { ClientClass } from '../domain/client.ts';
import { browserConditions } from './browser-conditions.ts';
import { machineOfBrowser } from './browser-platform.ts';
import { poolIn } from './buffers.ts';
import { Engine } from './engine.ts';
import { SYNC_TAG } from './flush.ts';
import { IdbBuffers, PROFILE } from './idb-buffers.ts';
import { LatePoolUser } from './late-pool-user.ts';
import type { Conditions } from './limits.ts';
import { MemoryBuffers } from './memory-buffers.ts';
import { alone, type EnginePorts } from './ports.ts';
import { spawnBrowserWorker } from './spawn-browser.ts';
import { lossOf } from './storage-loss.ts';
import { browserTurns, otherTabs } from './turn.ts';

const PATIENCE_MS = 5000;

export interface Page {
  version: string;
  class: ClientClass;
  /** Whether a person may be looking. */
  isVisible: () => boolean;
  /** What this kiosk is called; undefined while this is none. */
  kiosk: () => string | undefined;
  /** Brings a newer version of the page. */
  renew: () => void;
  /** Loads the page anew: what was kept has been deleted. */
  onErased: () => void;
  /** Where it is not the app. */
  widget?: WidgetPorts;
}

/** What a widget does otherwise than the app. */
export interface WidgetPorts extends Pick<EnginePorts, 'team' | 'only' | 'maxWorkers'> {
  /** Names what is kept, and those who take turns. */
  profile: string;
  site: string;
  /** Whether it can be seen, as far as the browser tells, and what its page allows; calls back when that changes. */
  surroundings: { now(): Pick<Conditions, 'unseen' | 'most'>; listen(changed: () => void): void };
}

export async function openBrowserEngine({
  version,
  class: clientClass,
  isVisible,
  kiosk,
  renew,
  onErased,
  widget,
}: Page): Promise<Engine> {
  const { profile = PROFILE, site, surroundings, ...ports }: Partial<WidgetPorts> = widget ?? {};
  const { buffers, storage } = await openBuffers(profile);
  const cores = navigator.hardwareConcurrency || 2;
  return Engine.open({
    keyserver: new LatePoolUser('', { fetch: (...args) => fetch(...args), kept: poolIn(buffers) }),
    buffers,
    storage,
    reopen: () => IdbBuffers.open(profile),
    spawn: spawnBrowserWorker,
    ...(await sharing(profile)),
    conditions: surroundings === undefined ? browserConditions() : within(surroundings, browserConditions()),
    isVisible,
    kiosk,
    maxWorkers: cores,
    defaultWorkers: Math.max(1, cores - 1),
    version,
    environment: `Tabherd ${version} on ${await browserVersion()}`,
    platform: { class: clientClass, ...(site === undefined ? {} : { site }), ...(await machineOfBrowser()) },
    // A widget's frame has no service worker.
    ...(widget === undefined ? { onReportsWaiting } : {}),
    renew,
    onErased,
    ...ports,
    ...(ports.maxWorkers === undefined ? {} : { defaultWorkers: ports.maxWorkers }),
  });
}

/** A frame that may keep nothing may not share either: then each is alone. */
async function sharing(profile: string): Promise<Pick<EnginePorts, 'turns' | 'others'>> {
  try {
    await navigator.locks?.query();
    return { turns: browserTurns(profile), others: otherTabs(profile) };
  } catch {
    return { turns: alone };
  }
}

function within(
  surroundings: WidgetPorts['surroundings'],
  machine: NonNullable<EnginePorts['conditions']>,
): NonNullable<EnginePorts['conditions']> {
  return {
    now: () => ({ ...machine.now(), ...surroundings.now() }),
    listen(changed) {
      machine.listen(changed);
      surroundings.listen(changed);
    },
  };
}

/** The browser's whole version where it tells: the user agent string has only the first number of it. */
async function browserVersion(): Promise<string> {
  const { userAgentData } = navigator as {
    userAgentData?: { getHighEntropyValues?(hints: string[]): Promise<unknown> };
  };
  const values = await userAgentData
    ?.getHighEntropyValues?.(['fullVersionList', 'architecture'])
    .catch(() => undefined);
  return values === undefined ? navigator.userAgent : JSON.stringify(values);
}

/** Storage that neither opens nor fails, as when an old tab blocks it, must not keep the page blank. */
async function openBuffers(profile: string): Promise<Pick<EnginePorts, 'buffers' | 'storage'>> {
  const patience = new Promise<never>((_resolve, reject) => {
    setTimeout(() => reject(new DOMException('the storage does not open', 'TimeoutError')), PATIENCE_MS);
  });
  try {
    return { buffers: await Promise.race([IdbBuffers.open(profile), patience]), storage: 'kept' };
  } catch (reason) {
    return { buffers: new MemoryBuffers(), storage: lossOf(reason) };
  }
}

function onReportsWaiting(): void {
  void (async () => {
    const registration = await navigator.serviceWorker?.ready;
    // Background Sync exists in Chromium only; elsewhere the engine itself retries while a tab is open.
    const sync = (registration as { sync?: { register(tag: string): Promise<void> } } | undefined)?.sync;
    await sync?.register(SYNC_TAG).catch(() => undefined);
  })();
}
