/** `tabherd status`: a keyserver's contests and counts, for people or as JSON. */
import type { ContestState } from '../domain/contest.ts';
import { HttpKeyserver } from '../protocol/http-keyserver.ts';
import { answerText } from './answer-text.ts';

export async function status(url: string, options: { json?: boolean }): Promise<void> {
  if (!URL.canParse(url) || !/^https?:/.test(url)) throw new Error(`${url} is not the address of a gateway`);
  const answer = await new HttpKeyserver(url, { fetch }).status();
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(answer, null, 2)}\n`);
    return;
  }
  const { version, startedAt, clients, reports, contests } = answer;
  process.stdout.write(
    `Tabherd ${version}, up since ${new Date(startedAt).toISOString()}\n` +
      `${clients.known} clients known, ${clients.lastHour} in the last hour; ` +
      `${reports.accepted} reports accepted, ${reports.refused} refused\n\n`,
  );
  for (const contest of contests) process.stdout.write(`${describe(contest)}\n`);
}

function describe({ name, state, closedBy, units, done, leased, hits }: ContestState): string {
  const number = (n: number): string => n.toLocaleString('en');
  const how = { hit: 'closed by the hit', exhausted: 'closed, all units done', operator: 'closed by its operator' };
  const head = `${name}: ${state === 'open' ? 'open' : how[closedBy ?? 'exhausted']}`;
  const progress = `${number(done)} of ${number(units)} units done, ${number(leased)} leased`;
  return [`${head}; ${progress}`, ...hits.map((hit) => `  ${answerText(hit)}`)].join('\n');
}
