/** What export and import say of a file, for a person. */
import type { ClientInfo } from '../../domain/client.ts';
import type { Lease } from '../../domain/work.ts';
import type { BlocksFile, ReportsFile, Taken, Wish } from '../../protocol/buffers-file.ts';

/** `12 blocks (3,072 units) of rc5-72, 4 blocks (4 units) of ogr-14` */
export function blocksText(blocks: Taken['blocks']): string {
  if (blocks.length === 0) return 'no blocks';
  return blocks
    .map(({ contest, blocks, units }) => `${counted(blocks, 'block')} (${counted(units, 'unit')}) of ${contest}`)
    .join(', ');
}

export function sumsOf(leases: readonly Lease[]): Taken['blocks'] {
  return [...new Set(leases.map(({ contest }) => contest))].map((contest) => {
    const some = leases.filter((lease) => lease.contest === contest);
    return { contest, blocks: some.length, units: some.reduce((sum, { count }) => sum + count, 0) };
  });
}

/** `5 reports: 4 accepted, 1 duplicate`, and a line for each refused. */
export function verdictsText(verdicts: BlocksFile['verdicts']): string {
  const counts = (['accepted', 'duplicate', 'refused'] as const)
    .map((outcome) => ({ outcome, count: verdicts.filter(({ result }) => result.outcome === outcome).length }))
    .filter(({ count }) => count > 0)
    .map(({ outcome, count }) => `${number(count)} ${outcome}`);
  const refused = verdicts
    .filter(({ result }) => result.outcome === 'refused')
    .map(({ contest, first, result }) => `\n  refused ${contest}/${first}: ${result.detail ?? result.code}`);
  const head = counted(verdicts.length, 'report');
  return verdicts.length === 0 ? head : `${head}: ${counts.join(', ')}${refused.join('')}`;
}

/** `5 reports of proxy 0a00…` */
export function reportsText({ client, reports, left }: ReportsFile): string {
  const more = left === 0 ? '' : ` (${number(left)} more go in a later file)`;
  return `${counted(reports.length, 'report')}${more} of ${whoText(client)}`;
}

export function wishText(want: readonly Wish[]): string {
  if (want.length === 0) return 'no blocks';
  return want
    .map(({ units, contests }) => `${counted(units, 'unit')} of ${contests?.join(' or ') ?? 'any contest'}`)
    .join(', ');
}

export function whoText({ id, name, class: kind }: Pick<ClientInfo, 'id' | 'name' | 'class'>): string {
  const short = id.length > 12 ? `${id.slice(0, 8)}…` : id;
  const named = name === undefined ? short : `${printable(name)} (${short})`;
  return `${kind === 'proxy' ? 'proxy' : 'client'} ${named}`;
}

export const counted = (count: number, word: string): string => `${number(count)} ${word}${count === 1 ? '' : 's'}`;

const number = (n: number): string => n.toLocaleString('en');

/** What comes from elsewhere must not steer the terminal. */
export const printable = (text: string): string => text.replaceAll(/\p{Cc}+/gu, ' ');
