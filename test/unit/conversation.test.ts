/** The engine's conversation with its gateway, alone. */
import { expect, test, vi } from 'vitest';
import { Conversation } from '../../src/client/conversation.ts';
import { Counter } from '../../src/client/counter.ts';
import { Holdings } from '../../src/client/holdings.ts';
import { MemoryBuffers } from '../../src/client/memory-buffers.ts';
import type { PooledKeyserver } from '../../src/client/ports.ts';
import { UnreachableError } from '../../src/protocol/errors.ts';
import { client } from '../helpers/keyservers.ts';

test('what goes wrong and is nobody’s answer is not tried again at once, for ever', async () => {
  let calls = 0;
  const broken = {
    contests: () => {
      calls += 1;
      throw new TypeError('a mistake of ours');
    },
  };
  const counter = new Counter(broken as unknown as PooledKeyserver, client());
  const conversation: Conversation = new Conversation(await Holdings.open(new MemoryBuffers()), counter, {
    phase: 'on',
    likes: () => true,
    mayTalk: () => true,
    wish: () => ({ blocks: 0, from: [] }),
    kiosk: { isDue: () => false, word: () => undefined, said() {} },
    onFill() {},
    onStop() {},
    notice() {},
    onReportsWaiting() {},
    onDead() {},
    // As the engine does.
    onEnd: () => conversation.talk(),
  });
  conversation.talk();
  await expect(conversation.idle()).rejects.toThrow('a mistake of ours');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(calls).toBe(1);
  expect(counter.mayCall).toBe(false);
});

test('where there are several gateways it comes back within two seconds for a minute, then ever more rarely', async () => {
  vi.useFakeTimers();
  try {
    const waits = async (hasOthers: boolean): Promise<number[]> => {
      const away = { hasOthers, status: () => Promise.reject(new UnreachableError('nobody answers')) };
      const counter = new Counter(away as unknown as PooledKeyserver, client());
      const some: number[] = [];
      for (let n = 0; n < 50; n++) {
        await counter.call((keyserver) => keyserver.status());
        some.push(counter.retryAt - Date.now());
        vi.setSystemTime(counter.retryAt);
      }
      return some;
    };
    const [several, one] = [await waits(true), await waits(false)];
    let passed = 0;
    const inTheFirstMinute = several.filter((wait) => {
      passed += wait;
      return passed < 60_000;
    });
    expect(Math.max(...inTheFirstMinute)).toBeLessThanOrEqual(2000);
    expect(Math.max(...several.slice(-3), ...one.slice(-3))).toBeGreaterThan(100_000);
    expect(one[3]).toBeGreaterThan(2000);
  } finally {
    vi.useRealTimers();
  }
});
