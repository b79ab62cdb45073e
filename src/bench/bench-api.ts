/** What a place (a browser's worker, a Node process) offers the bench, over comlink: its cores, and their time. */
import type { ContestKindName } from '../domain/contest.ts';
import type { Stub } from './stubs.ts';

/** A core of the catalogue as this place can run it. */
export interface CoreSupport {
  name: string;
  kind: ContestKindName;
  /** Why it cannot be timed here: it does not compile, or a known answer is wrong. */
  reason?: string;
}

export interface BenchApi {
  /** The whole catalogue, each core loaded and put to its known answers. */
  cores(): Promise<CoreSupport[]>;
  /** Keys (or nodes) a second on the open contest of the core's kind, over about this long. */
  measure(name: string, milliseconds: number): Promise<number>;
  /**
   * Finishes all the stubs again and again until about this long has gone by, at least once. The seconds of each round.
   * @throws Error it got one wrong.
   */
  finishStubs(name: string, stubs: readonly Stub[], milliseconds: number): Promise<number[]>;
  /** The core that a client would choose here, by the client's own way of choosing. */
  chosen(kind: ContestKindName): Promise<string | undefined>;
}
