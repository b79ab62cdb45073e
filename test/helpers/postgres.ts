/**
 * The PostgreSQL of the tests. `sharedPostgres` gives the address of one that all test files of a run use, each in schemas of its
 * own (`freshSchema`); it is started by the first that asks. A test that kills it starts its own (`startPostgres`).
 */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { inject } from 'vitest';
import type { Answer } from './postgres-setup.ts';

export { type Postgres, startPostgres } from '../../src/cli/bench/postgres.ts';

/** @throws Error there is none; the message says what to install. */
export async function sharedPostgres(): Promise<string> {
  const answer = JSON.parse(await text(connect(inject('postgresDoor')))) as Answer;
  if ('error' in answer) throw new Error(answer.error);
  return answer.url;
}

/** A name that no other schema has. Whoever makes the schema may leave it behind: the whole server goes. */
export const freshSchema = (): string => `t_${randomBytes(8).toString('hex')}`;
