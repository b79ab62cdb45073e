/** The engine's conversation with its gateway, alone. */
import { expect, test } from 'vitest';
import { Conversation } from '../../src/client/conversation.ts';
import { Counter } from '../../src/client/counter.ts';
import { Holdings } from '../../src/client/holdings.ts';
import { MemoryBuffers } from '../../src/client/memory-buffers.ts';
import type { PooledKeyserver } from '../../src/client/ports.ts';
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
