/**
 * What share of its CPU the bench had during a measurement. On a machine where others want the same CPU, a rate by the
 * clock says how busy they were; divided by the share it is a rate by processor time, which is how dnetc counts, too.
 * Linux says what every thread has used; elsewhere the share is taken to be 1.
 */
import { readdirSync, readFileSync } from 'node:fs';

/** A share above this is all there was: the rest are the messages around a measurement. */
const WHOLE = 0.98;

export interface Measured {
  /** By processor time. */
  rate: number;
  /** 0…1; 1 where it was left alone. */
  share: number;
}

/** Measures a rate by the clock, in processes that this one has started and that outlive the measurement. */
export async function byProcessorTime(measure: () => Promise<number>): Promise<Measured> {
  const before = processorSeconds();
  const start = performance.now();
  const rate = await measure();
  const elapsed = (performance.now() - start) / 1000;
  const after = processorSeconds();
  if (before === undefined || after === undefined) return { rate, share: 1 };
  const share = (after - before) / elapsed;
  return share > WHOLE || share <= 0 ? { rate, share: 1 } : { rate: rate / share, share };
}

/** Of a process, this one unless told, and all below it; undefined where that cannot be seen. */
export function processorSeconds(root = process.pid): number | undefined {
  try {
    let nanoseconds = 0;
    for (const pid of family(root)) {
      for (const task of list(`/proc/${pid}/task`)) {
        nanoseconds += Number(read(`/proc/${pid}/task/${task}/schedstat`).split(' ')[0] ?? 0);
      }
    }
    return nanoseconds > 0 ? nanoseconds / 1e9 : undefined;
  } catch {
    return undefined;
  }
}

function family(root: number): Set<number> {
  const parents = list('/proc')
    .filter((name) => /^\d+$/.test(name))
    // `pid (name) state parent …`, and a name may hold anything.
    .map((pid) => [Number(pid), Number(/^\S+ \S (\d+)/.exec(afterName(read(`/proc/${pid}/stat`)))?.[1])] as const);
  const members = new Set([root]);
  for (let size = 0; size !== members.size; ) {
    size = members.size;
    for (const [pid, parent] of parents) if (members.has(parent)) members.add(pid);
  }
  return members;
}

const afterName = (stat: string): string => `x${stat.slice(stat.lastIndexOf(')') + 1)}`;

/** Processes and threads come and go while they are looked at. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
