/** The keyservers above a proxy: which of them is asked, and what is known of them. */
import { describe, expect, it } from 'vitest';
import { RefusedError, UnreachableError } from '../../src/protocol/errors.ts';
import type { Keyserver, Status } from '../../src/protocol/keyserver.ts';
import { type Upstream, Upstreams } from '../../src/server/proxy/upstreams.ts';

function failing(error: Error): () => Promise<never> {
  return async () => {
    throw error;
  };
}

/** One of which only `status` is asked. */
function upstream(url: string, status: () => Promise<Status>): Upstream & { asked: number } {
  const one = {
    url,
    asked: 0,
    keyserver: {
      status: () => {
        one.asked += 1;
        return status();
      },
    } as unknown as Keyserver,
  };
  return one;
}
const answering = (url: string) => upstream(url, async () => ({ version: url }) as Status);

describe('the upstreams of a proxy', () => {
  const ask = (keyserver: Keyserver): Promise<Status> => keyserver.status();

  it('are asked in order, until one answers', async () => {
    let now = 7;
    let isUp = false;
    const first = upstream('first', () =>
      isUp ? Promise.resolve({ version: 'first' } as Status) : failing(new UnreachableError('down'))(),
    );
    const second = answering('second');
    const third = answering('third');
    const upstreams = new Upstreams([first, second, third], { fallback: true, clock: () => now });
    expect(upstreams.states.map(({ state }) => state)).toEqual(['unknown', 'unknown', 'unknown']);
    expect((await upstreams.call(ask)).version).toBe('second');
    expect(upstreams.states).toEqual([
      { url: 'first', state: 'unreachable', error: 'down' },
      { url: 'second', state: 'reached', reachedAt: 7 },
      { url: 'third', state: 'unknown' },
    ]);
    now = 8;
    isUp = true;
    expect((await upstreams.call(ask)).version).toBe('first');
    expect(upstreams.states[0]).toEqual({ url: 'first', state: 'reached', reachedAt: 8 });
    now = 9;
    isUp = false;
    await upstreams.call(ask);
    expect(upstreams.states[0]).toEqual({ url: 'first', state: 'unreachable', reachedAt: 8, error: 'down' });
    expect(third.asked).toBe(0);
  });

  it('end with the first that refuses: the next would be asked what was answered', async () => {
    const second = answering('second');
    const refusing = upstream('first', failing(new RefusedError('proxy_refused', 'revoked')));
    const upstreams = new Upstreams([refusing, second], { fallback: true, clock: () => 7 });
    await expect(upstreams.call(ask)).rejects.toMatchObject({ code: 'proxy_refused' });
    expect(upstreams.states[0]).toEqual({ url: 'first', state: 'reached', reachedAt: 7, error: 'revoked' });
    expect(second.asked).toBe(0);
  });

  it('are only the first one without fallback, and none are unreachable', async () => {
    const second = answering('second');
    const down = upstream('first', failing(new UnreachableError('down')));
    const alone = new Upstreams([down, second], { fallback: false, clock: () => 7 });
    await expect(alone.call(ask)).rejects.toMatchObject({ name: 'UnreachableError', message: 'down' });
    expect(alone.states).toHaveLength(1);
    expect(second.asked).toBe(0);
    const none = new Upstreams([], { fallback: true, clock: () => 7 });
    await expect(none.call(ask)).rejects.toThrow(UnreachableError);
  });
});
