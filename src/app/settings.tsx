/** The settings, folded until they are asked for, and loaded then. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { EngineControl, EngineSnapshot } from '../client/snapshot.ts';
import { texts } from './texts.ts';
import { useLoaded } from './use-loaded.ts';

const t = texts.settings;

export function Settings({ snapshot, engine }: { snapshot: EngineSnapshot; engine: EngineControl }) {
  const [isOpen, setOpen] = useState(false);
  const details = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    // The address of the settings, opened in a tab of its own.
    if (location.hash !== '#settings' || details.current === null) return;
    details.current.open = true;
    details.current.scrollIntoView();
  }, []);
  const form = useLoaded(isOpen, () => import('./settings-form.tsx'));
  return (
    <section class="section" aria-labelledby="settings">
      <h2 class="margin" id="settings">
        {t.title}
      </h2>
      <details
        ref={details}
        class="settings"
        data-testid="settings"
        onToggle={({ currentTarget }) => setOpen((before) => before || currentTarget.open)}
      >
        <summary>{t.open}</summary>
        {typeof form === 'string' && <p role="alert">{texts.notLoaded(form)}</p>}
        {typeof form === 'object' && <form.SettingsForm snapshot={snapshot} engine={engine} />}
      </details>
    </section>
  );
}
