/**
 * The paths of the app's own pages, in the form that both routers read, `/teams/:name`: the gateway and the service worker
 * give `index.html` for each, and the app shows what stands there. Everything else is a file or the keyserver's.
 */
export const PAGES = ['/', '/standing', '/teams/:name', '/teams/:name/embed', '/fleet', '/pools'] as const;

/** Of a path with or without its query. */
export const isPage = new RegExp(`^(${PAGES.map((path) => path.replace(/:\w+/g, '[^/?]+')).join('|')})(\\?|$)`);
