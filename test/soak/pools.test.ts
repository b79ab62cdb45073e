/**
 * The long form of the storm over a pool (`npm run soak`): ten minutes unless SOAK_MINUTES says otherwise. What it does and what
 * must be true in the end: `test/helpers/pools-storm/`.
 */
import { expect, test } from 'vitest';
import { CHI_7, chiSquared } from '../helpers/chi-squared.ts';
import { CLIENTS } from '../helpers/pools-storm/herd.ts';
import { faultsOf, inWords, poolsTrial, spreadOf } from '../helpers/pools-storm/trial.ts';

const minutes = Number(process.env['SOAK_MINUTES'] ?? 10);
if (!(minutes > 0)) throw new Error('SOAK_MINUTES is a number of minutes');

const plain = { weight: 1, priority: 0, degradation: 0 };

test.each([
  { behind: 'proxies' as const, share: 0.7, kind: 'round-robin' as const },
  { behind: 'keymasters' as const, share: 0.3, kind: 'least-used' as const },
])(
  '$behind: nothing is lost, and nobody idle, while gateways and registrars come and go',
  async ({ behind, share, kind }) => {
    const began = Date.now();
    const trial = await poolsTrial({
      behind,
      ms: minutes * share * 60_000,
      pauseMs: 1500,
      longestSeconds: 25,
      policy: () => ({ ...plain, kind }),
    });
    console.log(inWords(`${behind}, ${kind}`, trial, (Date.now() - began) / 1000));
    expect(faultsOf(trial)).toEqual([]);
    expect(trial.moves).toBeGreaterThan(20);
    expect(trial.audit.acknowledged).toBeGreaterThan(CLIENTS);
  },
  minutes * 120_000 + 600_000,
);

test('weighted random: clients, and so exchanges, are spread by weight', async () => {
  const weight = (gateway: number): number => 1 + (gateway % 4);
  const { clients, exchanges } = await spreadOf((gateway) => ({
    ...plain,
    kind: 'weighted-random',
    weight: weight(gateway),
  }));
  console.log(`weighted random 1 2 3 4 1 2 3 4: clients ${clients.join(' ')}; exchanges ${exchanges.join(' ')}`);
  expect(
    chiSquared(
      clients,
      clients.map((_, gateway) => weight(gateway)),
    ),
  ).toBeLessThan(CHI_7);
  // Each client asks as often as any other.
  expect(chiSquared(exchanges, clients)).toBeLessThan(CHI_7);
}, 300_000);
