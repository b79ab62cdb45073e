/** The foot of the page: what this is, in two sentences, and which version. */
import { texts } from './texts.ts';

declare const __TABHERD_VERSION__: string;

export function Footer() {
  return (
    <footer class="footer">
      <p>{texts.about}</p>
      <p>{texts.version(__TABHERD_VERSION__)}</p>
    </footer>
  );
}
