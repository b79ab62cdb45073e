/** What a keymaster and a proxy do differently at the same desk. */
import type { ClientInfo } from '../../domain/client.ts';
import type { ContestState, Hit } from '../../domain/contest.ts';
import type { Report } from '../../domain/work.ts';
import type { Directive, ExchangeRequest, Origin, ReleaseRequest } from '../../protocol/keyserver.ts';
import type { KeyPair } from '../proof/key.ts';
import type { Books } from './books.ts';

/** Under what this keyserver may hand out a unit. */
export interface Source {
  /** A block that begins there must end here. */
  past: number;
  /** No lease of it may run longer, milliseconds since 1970. */
  expiresAt: number;
  /** The chain of proofs that ends with this keyserver; absent where it begins here. */
  proof?: string | undefined;
}

export interface Accepted {
  report: Report;
  client: ClientInfo;
  /** Units that were new. */
  credited: number;
  hits: readonly Hit[];
  at: number;
}

export interface Role {
  /** Signs what is handed out. */
  key(): KeyPair;
  /** Whether a chain of proofs may begin with this key. */
  isTrusted(key: string): boolean;
  /** Looks whether there are keys that are trusted by now. */
  learnKeys(): Promise<void>;
  /** Whether what this proxy signed counts no more. */
  isRevoked(key: string): boolean;
  /** @throws RefusedError this proxy is not served. */
  admitProxy(request: ExchangeRequest | ReleaseRequest, now: number, origin?: Origin): void;
  /** Hears what kiosks say of themselves. */
  hear(request: ExchangeRequest, sender: { isProxy: boolean }, now: number): void;
  source(contest: string, unit: number): Source;
  /** Called in the transaction that made the report's units done. */
  accepted(books: Books, accepted: Accepted): Promise<void>;
  /** What to tell this client besides. */
  messages(): readonly string[];
  directives(client: ClientInfo): readonly Directive[];
  /** The keys that a proxy below may trust. */
  trusted(): readonly string[];
  /** How a contest stands, as clients are told: a proxy tells what its upstream said. */
  shown(state: ContestState): ContestState;
}
