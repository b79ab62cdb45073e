/** The engine as a browser tab runs it: this file wires the ports; nothing else in the client knows the platform. */
import type { ClientClass } from '../domain/client.ts';
import { HttpKeyserver } from '../protocol/http-keyserver.ts';
import { browserConditions } from './browser-conditions.ts';
import { machineOfBrowser } from './browser-platform.ts';
import { Engine } from './engine.ts';
import { SYNC_TAG } from './flush.ts';
import { IdbBuffers } from './idb-buffers.ts';
import { MemoryBuffers } from './memory-buffers.ts';
import { spawnBrowserWorker } from './spawn-browser.ts';
import { browserTurns, otherTabs } from './turn.ts';

export interface Page {
  version: string;
  class: ClientClass;
  /** Whether a person may be looking. */
  isVisible: () => boolean;
  /** Brings the newer version that the keyserver wants. */
  renew: () => void;
}

export async function openBrowserEngine({ version, class: clientClass, isVisible, renew }: Page): Promise<Engine> {
  const kept = await Promise.race([IdbBuffers.open().catch(() => undefined), patience()]);
  const cores = navigator.hardwareConcurrency || 2;
  return Engine.open({
    keyserver: new HttpKeyserver('', { fetch: (...args) => fetch(...args) }),
    buffers: kept ?? new MemoryBuffers(),
    storage: kept === undefined ? 'memory' : 'kept',
    spawn: spawnBrowserWorker,
    turns: browserTurns(),
    others: otherTabs(),
    conditions: browserConditions(),
    isVisible,
    maxWorkers: cores,
    defaultWorkers: Math.max(1, cores - 1),
    version,
    environment: `Tabherd ${version} on ${await browserVersion()}`,
    platform: { class: clientClass, ...(await machineOfBrowser()) },
    onReportsWaiting,
    renew,
  });
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
function patience(): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), 5000));
}

function onReportsWaiting(): void {
  void (async () => {
    const registration = await navigator.serviceWorker?.ready;
    // Background Sync exists in Chromium only; elsewhere the engine itself retries while a tab is open.
    const sync = (registration as { sync?: { register(tag: string): Promise<void> } } | undefined)?.sync;
    await sync?.register(SYNC_TAG).catch(() => undefined);
  })();
}
