/**
 * Which page the address means. The engine belongs to none of them: it goes on while the person walks about. All but the
 * first page are loaded when they are asked for.
 */
import './tokens.css';
import './app.css';
import { useLayoutEffect } from 'preact/hooks';
import lazy from 'preact-iso/lazy';
import { LocationProvider, Route, Router } from 'preact-iso/router';
import type { EngineControl } from '../client/snapshot.ts';
import { isPage } from '../protocol/pages.ts';
import { App } from './app.tsx';
import { Footer } from './footer.tsx';
import { Header } from './header.tsx';
import type { Installer } from './install.ts';
import { Messages } from './messages.tsx';
import { NotBrought, NotFound } from './not-found.tsx';
import { useSnapshot } from './use-snapshot.ts';

const Standing = lazy(() =>
  import('./standing.tsx').then(
    (page) => page.Standing,
    () => NotBrought,
  ),
);
const Team = lazy(() =>
  import('./team.tsx').then(
    (page) => page.Team,
    () => NotBrought,
  ),
);

const Embed = lazy(() =>
  import('./embed.tsx').then(
    (page) => page.Embed,
    () => NotBrought,
  ),
);

const Fleet = lazy(() =>
  import('./fleet.tsx').then(
    (page) => page.Fleet,
    () => NotBrought,
  ),
);

const Pools = lazy(() =>
  import('./pools.tsx').then(
    (page) => page.Pools,
    () => NotBrought,
  ),
);

export function Pages({ engine, installer }: { engine: EngineControl; installer: Installer }) {
  const snapshot = useSnapshot(engine);
  const { theme } = snapshot.settings;
  useLayoutEffect(() => {
    document.documentElement.dataset['theme'] = theme;
  }, [theme]);
  return (
    <LocationProvider scope={isPage}>
      <Header gateway={snapshot.gateway} />
      <Messages messages={snapshot.messages} engine={engine} />
      {isReadable(location.pathname) ? (
        <Router>
          <Route path="/standing" component={Standing} snapshot={snapshot} />
          <Route path="/teams/:name" component={Team} snapshot={snapshot} />
          <Route path="/teams/:name/embed" component={Embed} snapshot={snapshot} />
          <Route path="/fleet" component={Fleet} />
          <Route path="/pools" component={Pools} snapshot={snapshot} />
          <Route path="/" component={App} snapshot={snapshot} engine={engine} />
          <Route default component={NotFound} />
        </Router>
      ) : (
        <NotFound />
      )}
      <Footer installer={installer} />
    </LocationProvider>
  );
}

/** The router decodes what stands in a path, and an address that was cut off in the middle of a letter stops it. */
function isReadable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}
