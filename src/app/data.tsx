/**
 * What this browser keeps, and what a person may do with it: carry buffers by hand to a keyserver that is never met, and
 * delete all of it.
 */
import { deleteDB } from 'idb';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { EngineControl, EngineSnapshot } from '../client/snapshot.ts';
import { settingsTexts } from './settings-texts.ts';

const t = settingsTexts.data;

export function Data({ snapshot, engine }: { snapshot: EngineSnapshot; engine: EngineControl }) {
  const [said, say] = useState('');
  const sure = useRef<HTMLDialogElement>(null);
  const kept = useKept(snapshot.storage);
  const isElsewhere = snapshot.pause?.reason === 'another-tab';
  const attempt = (work: () => Promise<string>): void => {
    say('');
    work().then(say, (error: unknown) => say(t.failed(error instanceof Error ? error.message : String(error))));
  };
  return (
    <>
      {kept !== undefined && <p class="hint">{kept ? t.keptFor : t.keptUntil}</p>}
      <p class="hint">{isElsewhere ? t.elsewhere : t.carry}</p>
      <div class="actions">
        <button
          type="button"
          class="quiet"
          data-testid="export"
          disabled={isElsewhere}
          onClick={() =>
            attempt(async () => {
              const { exportReports } = await import('./carry.ts');
              return t.exported(await exportReports(engine));
            })
          }
        >
          {t.exportReports}
        </button>
        <label class="quiet file" data-disabled={isElsewhere}>
          <input
            type="file"
            class="visually-hidden"
            data-testid="import"
            disabled={isElsewhere}
            onChange={({ currentTarget }) => {
              const file = currentTarget.files?.[0];
              currentTarget.value = '';
              if (file === undefined) return;
              attempt(async () => {
                const { importBlocks } = await import('./carry.ts');
                const taken = await importBlocks(engine, file);
                return typeof taken === 'string' ? t.notTaken(file.name, taken) : t.imported(taken);
              });
            }}
          />
          {t.importBlocks}
        </label>
        <button type="button" class="quiet" data-testid="erase" onClick={() => sure.current?.showModal()}>
          {t.erase}
        </button>
      </div>
      <p class="hint" role="status" data-testid="data-said">
        {said}
      </p>
      <dialog class="sure" ref={sure} aria-labelledby="sure">
        <h3 id="sure">{t.sure}</h3>
        <p>{t.sureWhat(snapshot.outBuffer)}</p>
        <form method="dialog" class="actions">
          <button type="submit" class="quiet">
            {t.keep}
          </button>
          <button
            type="button"
            class="quiet danger"
            data-testid="erase-sure"
            onClick={() => {
              sure.current?.close();
              attempt(async () => {
                await engine.erase(destroy);
                location.replace('/');
                return t.erased;
              });
            }}
          >
            {t.eraseAll}
          </button>
        </form>
      </dialog>
    </>
  );
}

/** Whether the browser has promised not to delete it by itself; undefined where that is not known or nothing is kept. */
function useKept(storage: EngineSnapshot['storage']): boolean | undefined {
  const [kept, setKept] = useState<boolean | undefined>(undefined);
  useEffect(() => {
    if (storage !== 'kept') return setKept(undefined);
    void navigator.storage?.persisted?.().then(setKept);
  }, [storage]);
  return kept;
}

async function destroy(): Promise<void> {
  await deleteDB('tabherd');
  localStorage.clear();
  sessionStorage.clear();
  // Over plain HTTP there are neither.
  if (!isSecureContext) return;
  await Promise.all((await caches.keys()).map((name) => caches.delete(name)));
  const registrations = await navigator.serviceWorker.getRegistrations();
  await Promise.all(registrations.map((registration) => registration.unregister()));
}
