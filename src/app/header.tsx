/**
 * The head of the page: whose it is, and whether the gateway answers. Its lower edge is a ruler, the page's one
 * ornament, drawn in the style sheet.
 */
import { useLocation } from 'preact-iso/router';
import type { EngineSnapshot } from '../client/snapshot.ts';
import { texts } from './texts.ts';
import { useNow } from './use-snapshot.ts';

export function Header({ gateway }: { gateway: EngineSnapshot['gateway'] }) {
  const away = gateway.state === 'unreachable';
  const now = useNow(away);
  const { path } = useLocation();
  const current = (is: boolean) => (is ? 'page' : undefined);
  return (
    <header class="header">
      <a class="brand" href="/">
        <img src="/icon.svg" alt="" width="32" height="32" />
        {texts.brand}
      </a>
      <nav class="pages" aria-label={texts.nav}>
        <a href="/" aria-current={current(path === '/')}>
          {texts.search}
        </a>
        <a href="/standing" aria-current={current(path === '/standing' || path.startsWith('/teams/'))}>
          {texts.standing.title}
        </a>
      </nav>
      <p class="gateway" data-testid="gateway" data-state={gateway.state}>
        <span class="lamp" aria-hidden="true" />
        <span>
          <span class="phrase">{texts.gateway[gateway.state]}</span>
          {away && gateway.reachedAt !== undefined && (
            <small class="phrase">{texts.gateway.lastReached(Math.max(0, now - gateway.reachedAt) / 1000)}</small>
          )}
          {gateway.state === 'reached' && gateway.through !== undefined && (
            <small class="phrase" data-testid="through">
              {texts.gateway.through(gateway.through, gateway.because)}
            </small>
          )}
        </span>
      </p>
    </header>
  );
}
