/**
 * Two ways to load a keyserver. Closed: so many clients at once, each sends when its answer is there; what comes out is
 * the most that it can do. Open: exchanges come when they come (Poisson), whether or not it is ready for them, and the time of
 * each counts from when it should have been sent, so that waiting in line counts (no coordinated omission).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { HttpConnection } from './http-connection.ts';

/** A request, and what to do with the answer. */
export interface Sending {
  /** An exchange unless told. */
  path?: string;
  /** Absent: it is a GET. */
  body?: string;
  took: (reply: string) => void;
}

export interface Senders {
  next(): Sending;
}

export interface Closed {
  /** Exchanges a second. */
  rate: number;
  /** Milliseconds, of each. */
  latencies: number[];
}

export interface Open {
  /** Exchanges a second that were to be sent. */
  rate: number;
  /** Milliseconds from when each was due, in the order of their answers. */
  latencies: number[];
}

const EXCHANGE = '/api/v1/exchange';

export async function withConnections<T>(
  url: string,
  count: number,
  use: (connections: HttpConnection[]) => Promise<T>,
): Promise<T> {
  const connections: HttpConnection[] = [];
  try {
    for (let i = 0; i < count; i++) connections.push(await HttpConnection.open(url));
    return await use(connections);
  } finally {
    for (const connection of connections) connection.close();
  }
}

export async function closedLoad(
  connections: readonly HttpConnection[],
  senders: Senders,
  seconds: number,
): Promise<Closed> {
  const latencies: number[] = [];
  const began = performance.now();
  const until = began + seconds * 1000;
  await Promise.all(
    connections.map(async (connection) => {
      while (performance.now() < until) {
        const sent = performance.now();
        await exchange(connection, senders);
        latencies.push(performance.now() - sent);
      }
    }),
  );
  return { rate: latencies.length / ((performance.now() - began) / 1000), latencies };
}

export async function openLoad(
  connections: readonly HttpConnection[],
  senders: Senders,
  { rate, seconds, random }: { rate: number; seconds: number; random: () => number },
): Promise<Open> {
  const latencies: number[] = [];
  const free = [...connections];
  const due: number[] = [];
  const running = new Set<Promise<void>>();
  let failure: unknown;
  const send = (): void => {
    while (free.length > 0 && due.length > 0) {
      const connection = free.pop() as HttpConnection;
      const at = due.shift() as number;
      const one = exchange(connection, senders).then(
        () => {
          latencies.push(performance.now() - at);
          free.push(connection);
          running.delete(one);
          send();
        },
        (error: unknown) => {
          failure ??= error;
          due.length = 0;
          running.delete(one);
        },
      );
      running.add(one);
    }
  };
  const began = performance.now();
  const until = began + seconds * 1000;
  for (let next = began; next < until; ) {
    const now = performance.now();
    for (; next <= now && next < until; next += (-Math.log(1 - random()) / rate) * 1000) due.push(next);
    send();
    if (failure !== undefined) throw failure;
    // A timer that is late makes an exchange late: it counts from when it was due.
    await sleep(1);
  }
  while (running.size > 0) await Promise.race(running);
  if (failure !== undefined) throw failure;
  return { rate, latencies };
}

async function exchange(connection: HttpConnection, senders: Senders): Promise<void> {
  const { path = EXCHANGE, body, took } = senders.next();
  took(await (body === undefined ? connection.get(path) : connection.post(path, body)));
}
