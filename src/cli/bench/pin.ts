/**
 * Keeps the bench, and all that it starts from then on, on one CPU: what is compared then runs on the same one, and
 * never moves. Linux's `taskset` does it; elsewhere nothing is pinned, and the bench says so.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Busy {
  /** 0…1: of the CPU that everything is pinned to. */
  own: number;
  /** 0…1: of all others together. One of them may be the other thread of the same core. */
  others: number;
}

/**
 * The CPU that everything is pinned to, by default the last one this process may use (the first gets most interrupts);
 * undefined where that cannot be done.
 * @throws Error a CPU was asked for, and cannot be had.
 */
export function pin(wanted?: number): number | undefined {
  const cpu = wanted ?? lastAllowed();
  // -a: the threads that are there already, too.
  const { status, stderr } = spawnSync('taskset', ['-a', '-c', '-p', `${cpu}`, `${process.pid}`], { encoding: 'utf8' });
  if (status === 0) return cpu;
  if (wanted === undefined) return undefined;
  throw new Error(`--cpu ${wanted}: ${stderr?.trim() || 'there is no taskset on this machine'}`);
}

function lastAllowed(): number {
  try {
    const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
    return Number(list.split(/[-,]/).at(-1));
  } catch {
    return 0;
  }
}

/** What is spent while the bench does nothing; undefined where that cannot be seen. */
export async function lookBusy(cpu: number | undefined, milliseconds = 500): Promise<Busy | undefined> {
  const before = ticks();
  await sleep(milliseconds);
  const after = ticks();
  const spent = after.map((now, i) => ({
    busy: now.busy - (before[i]?.busy ?? 0),
    all: now.all - (before[i]?.all ?? 0),
  }));
  const own = spent[cpu ?? -1];
  if (own === undefined || own.all === 0) return undefined;
  const others = spent.filter((_, i) => i !== cpu);
  const all = others.reduce((sum, other) => sum + other.all, 0);
  return { own: own.busy / own.all, others: others.reduce((sum, { busy }) => sum + busy, 0) / Math.max(1, all) };
}

/** Of each CPU, from /proc/stat: user nice system idle iowait irq softirq steal. */
function ticks(): { busy: number; all: number }[] {
  try {
    const cpus: { busy: number; all: number }[] = [];
    for (const [, cpu, fields = ''] of readFileSync('/proc/stat', 'utf8').matchAll(/^cpu(\d+) (.+)$/gm)) {
      const spent = fields.split(' ').map(Number).slice(0, 8);
      const all = spent.reduce((sum, field) => sum + field, 0);
      cpus[Number(cpu)] = { busy: all - (spent[3] ?? 0) - (spent[4] ?? 0), all };
    }
    return cpus;
  } catch {
    return [];
  }
}
