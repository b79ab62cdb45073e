/** What browsers are told about every answer. */

export interface Embedding {
  /** Of scripts that stand in the document, as CSP writes hashes. */
  scripts?: readonly string[];
  /** Who may show it in a frame; nobody unless told. */
  ancestors?: readonly string[];
}

/** @param origins other gateways that a page may turn to. */
export const contentSecurityPolicy = (
  origins: readonly string[],
  { scripts = [], ancestors = ["'none'"] }: Embedding = {},
): string =>
  [
    "default-src 'self'",
    ["script-src 'self' 'wasm-unsafe-eval'", ...scripts].join(' '),
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    ["connect-src 'self'", ...origins].join(' '),
    "worker-src 'self'",
    `frame-ancestors ${ancestors.join(' ')}`,
    "base-uri 'none'",
    "form-action 'self'",
  ].join('; ');

export const securityHeaders = (origins: readonly string[]) => ({
  'content-security-policy': contentSecurityPolicy(origins),
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
});
