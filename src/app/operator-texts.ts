/** The words that the operator's pages share. */
export const operatorTexts = {
  token: 'Administration token',
  tokenHint:
    'The keymaster was started with it (TABHERD_ADMIN_TOKEN). It is kept in this tab until it is closed, and sent to this keymaster only.',
  tokenForm: 'An administration token has at least 16 characters, none of them a blank.',
  wrongToken: 'This is not the administration token of this keymaster.',
  noAdministration:
    'This keyserver has no administration: it is a proxy, or was started without a token. Open this page at the keymaster.',
  away: 'The keymaster does not answer.',
  keptSince: (clock: string) => `What follows is of ${clock}.`,
  odd: (status: number) => `The keymaster answered with an error (${status}).`,
  unreadable: 'The keymaster’s answer cannot be read: it may be newer than this page. Load the page again.',
  loading: 'Asking the keymaster.',
  forget: 'Forget the token',
} as const;
