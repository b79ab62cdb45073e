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

/** Where a page that is loaded when it is asked for could not be. */
export function NotBrought() {
  return (
    <main tabIndex={-1}>
      <section class="section">
        <div class="section-body empty">
          <p>{texts.standing.broken}</p>
          <button type="button" class="quiet" onClick={() => location.reload()}>
            {texts.tryAgain}
          </button>
        </div>
      </section>
    </main>
  );
}
