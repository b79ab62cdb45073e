/** What `bench pools` found, for a terminal of 100 columns. */
import { summary } from '../statistics.ts';
import { table } from '../table.ts';
import type { PoolsReport } from './pools.ts';

export function poolsText(report: PoolsReport): string {
  const { machine, options, calmRate, resolutions, registrations, sharedRegistrations, newcomer, bytes } = report;
  const { elements, repeats, seconds, connections } = options;
  const busy = machine.busy?.map(({ own, others }) => `${(50 * (own + others)).toFixed(0)} %`).join(', ');
  return [
    `${machine.cpu}, ${machine.cpus} CPUs, load generator included; Tabherd ${machine.tabherd}\n` +
      `Node ${machine.node}; a pool of ${elements.toLocaleString('en')} gateways, ${repeats} x ${seconds} s in turn: medians, least to most\n` +
      (busy === undefined ? '' : `What others spent of the CPUs before and after: ${busy}\n`),
    table([
      ['Resolution over HTTP', 'requests/s', 'p50 ms', 'p99 ms', `at ${calmRate}/s`, 'CPU us'],
      ...resolutions.map(({ policy, rates, p50, p99, calmP99, cpu }) => [
        `  ${policy}`,
        cell(rates, 0),
        cell(p50, 1),
        cell(p99, 1),
        cell(calmP99, 1),
        cpu.length === 0 ? '?' : summary(cpu).median.toFixed(0),
      ]),
    ]) +
      `${connections} browsers at once. p50 and p99 at half of that rate, and p99 at ${calmRate}/s:\n` +
      'requests come at random, and each is timed from when it was due\n',
    table([
      ['Resolution as a call, by processor time', 'a second', 'p50 ms', 'p99 ms'],
      ...resolutions.map(({ policy, callRates, callP50, callP99 }) => [
        `  ${policy}`,
        cell(callRates, 0),
        cell(callP50, 3),
        cell(callP99, 3),
      ]),
    ]),
    table([
      ['Registrar', ''],
      ['  registrations/s over HTTP, of new elements', cell(registrations.first, 0)],
      ['    of known ones', cell(registrations.again, 0)],
      ['    into SQLite, all at once, without their signatures', cell(sharedRegistrations, 0)],
      ['  a newcomer has all from another registrar, ms', cell(newcomer.peers, 0)],
      ['    from SQLite', cell(newcomer.shared, 0)],
      ...(bytes === undefined
        ? []
        : [['  memory without and with the elements, MB', `${megabytes(bytes.before)}, ${megabytes(bytes.after)}`]]),
    ]),
  ].join('\n');
}

const megabytes = (amount: number): string => (amount / 1e6).toFixed(0);

function cell(values: readonly number[], digits: number): string {
  if (values.length === 0) return '';
  const { median, least, most } = summary(values);
  const text = (value: number): string => value.toFixed(digits);
  return values.length === 1 ? text(median) : `${text(median)} (${text(least)} to ${text(most)})`;
}
