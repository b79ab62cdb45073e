/** Where an address leads nowhere, as one that was mistyped, or of a page that an older version had. */
import { texts } from './texts.ts';

export function NotFound() {
  return (
    <main tabIndex={-1}>
      <section class="section">
        <div class="section-body">
          <h1>{texts.notFound}</h1>
          <p class="lead">
            <a href="/">{texts.toTheSearch}</a>
          </p>
        </div>
      </section>
    </main>
  );
}
