/** Tabs that have no Web Locks: one runs at a time, and the next takes over. Node has the same BroadcastChannel. */
import { expect, test } from 'vitest';
import { takeTurnByTalking } from '../../src/client/turn.ts';

test('of three that ask at once one runs; when it goes, the next does', async () => {
  let running = 0;
  let most = 0;
  let waited = 0;
  const live = async (): Promise<void> => {
    const giveUp = await takeTurnByTalking(() => {
      waited += 1;
    });
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setTimeout(resolve, 700));
    running -= 1;
    giveUp();
  };
  await Promise.all([live(), live(), live()]);
  expect(most).toBe(1);
  expect(waited).toBeGreaterThanOrEqual(2);
});
