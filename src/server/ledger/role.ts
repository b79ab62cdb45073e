/** What a keymaster and a proxy do differently at the same desk. */
import type { ClientInfo } from '../../domain/client.ts';
import type { ContestManifest, ContestState, Hit } from '../../domain/contest.ts';
import type { UnitRange } from '../../domain/units.ts';
import type { Report } from '../../domain/work.ts';
import type { Directive, ExchangeRequest, Origin, ReleaseRequest, ReportResult } from '../../protocol/keyserver.ts';
import type { KeyPair } from '../proof/key.ts';
import type { Again } from '../trust/seconds.ts';
import type { Book, Books } from './books.ts';
import type { Grant } from './grant.ts';
import type { Commit } from './group-commit.ts';
import type { Sender } from './settle.ts';

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
  sender: Sender;
  /** Who did the work. */
  client: ClientInfo;
  /** Units that were new. */
  credited: number;
  hits: readonly Hit[];
  at: number;
}

export interface Role {
  /** Whether its units are an upstream's, which hears of those that are handed in at others. */
  isProxy: boolean;
  /** The client as its work is credited: one in a site's widget works for the site's team. */
  bound(client: ClientInfo): ClientInfo;
  /** Reads what is needed to serve these clients, before they are served. */
  know(clients: readonly ClientInfo[]): Promise<void>;
  /** Why a report of this client is not even looked at. */
  distrusts(client: ClientInfo, contest: string): string | undefined;
  /** Whether it gets ordinary work of this contest. */
  mayWork(client: ClientInfo, contest: string): boolean;
  /** Blocks that were done, to be done again by this client. */
  again(commit: Commit, sender: Sender, want: ExchangeRequest['want']): Promise<Grant[]>;
  /** A report of units that were done before: whether it was asked for, and how that went. */
  doneAgain(commit: Commit, book: Book, sender: Sender, report: Report): Promise<Again | undefined>;
  /** Done units that maps are to show as handed out. */
  hidden(contest: string): readonly UnitRange[];
  /** A report was answered, and that is on the disk. */
  reported(client: ClientInfo, manifest: ContestManifest, report: Report, result: ReportResult, sender: Sender): void;
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
  messages(client: ClientInfo): readonly string[];
  directives(client: ClientInfo): readonly Directive[];
  /** The keys that a proxy below may trust. */
  trusted(): readonly string[];
  /** How a contest stands, as clients are told: a proxy tells what its upstream said. */
  shown(state: ContestState): ContestState;
}
