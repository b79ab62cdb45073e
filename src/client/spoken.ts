/**
 * What this client speaks, and how it reads what it is told. A keyserver that speaks only `/1` answers without a
 * protocol's name, and with neither directives nor messages; nothing here needs them.
 */
import type { Directive, ExchangeReply, PROTOCOLS } from '../protocol/keyserver.ts';

/** Newest first. */
export const SPOKEN: readonly (typeof PROTOCOLS)[number][] = ['keyserver<-client/2', 'keyserver<-client/1'];

/** The directives of one kind in a reply. */
export function told<K extends Directive['do']>(reply: ExchangeReply, kind: K): Extract<Directive, { do: K }>[] {
  return (reply.directives ?? []).filter(
    (directive): directive is Extract<Directive, { do: K }> => directive.do === kind,
  );
}
