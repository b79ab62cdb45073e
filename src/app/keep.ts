/** Asks the browser not to delete by itself what is kept: once there is something to lose, because some ask the person. */
import type { EngineControl, EngineSnapshot } from '../client/snapshot.ts';

export function keepWhatIsDone(engine: EngineControl): void {
  const isWorth = ({ totals, outBuffer }: EngineSnapshot): boolean => outBuffer > 0 || Object.keys(totals).length > 0;
  const stop = engine.subscribe((snapshot) => {
    if (!isWorth(snapshot)) return;
    stop();
    void ask();
  });
}

async function ask(): Promise<void> {
  const { storage } = navigator;
  if (storage?.persisted === undefined || (await storage.persisted())) return;
  await storage.persist();
}
