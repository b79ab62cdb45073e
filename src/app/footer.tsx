/** The foot of the page: what this is, in two sentences, which version, and a way to install it where there is one. */
import { useEffect, useState } from 'preact/hooks';
import type { Installer } from './install.ts';
import { texts } from './texts.ts';

declare const __TABHERD_VERSION__: string;

export function Footer({ installer }: { installer: Installer }) {
  const [isOffered, setOffered] = useState(installer.isOffered);
  useEffect(() => {
    installer.onChange = () => setOffered(installer.isOffered);
    setOffered(installer.isOffered);
  }, [installer]);
  return (
    <footer class="footer">
      <p>{texts.about}</p>
      <p>
        {texts.version(__TABHERD_VERSION__)}
        {isOffered && (
          <>
            {' · '}
            <button type="button" class="install" data-testid="install" onClick={() => void installer.install()}>
              {texts.install}
            </button>
          </>
        )}
      </p>
    </footer>
  );
}
