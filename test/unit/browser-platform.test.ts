/** What a client says of the machine and of its version. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { machineOfUserAgent } from '../../src/client/browser-platform.ts';
import { isOlder } from '../../src/protocol/version.ts';

test.each([
  ['Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0', { os: 'Linux', cpu: 'x86_64' }],
  ['Mozilla/5.0 (X11; Ubuntu; Linux aarch64; rv:145.0) Gecko/20100101 Firefox/145.0', { os: 'Linux', cpu: 'arm64' }],
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0',
    { os: 'Windows', cpu: 'x86_64' },
  ],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/26.0 Safari/605.1.15',
    { os: 'macOS' },
  ],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148', { os: 'iOS' }],
  ['Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0', { os: 'Android' }],
  ['Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 Chrome/140.0', { os: 'Chrome OS', cpu: 'x86_64' }],
  ['something else', {}],
])('%s', (userAgent, machine) => {
  expect(machineOfUserAgent(userAgent)).toEqual(machine);
});

test('versions are compared number by number, and no nonsense makes one too old', () => {
  const part = fc.nat({ max: 200 });
  const version = fc.tuple(part, part, part);
  fc.assert(
    fc.property(version, version, (a, b) => {
      const order = a.map((number, i) => number - (b[i] ?? 0)).find((difference) => difference !== 0) ?? 0;
      expect(isOlder(a.join('.'), b.join('.'))).toBe(order < 0);
    }),
  );
  expect(isOlder('0.9', '0.9.1')).toBe(true);
  expect(isOlder('0.9.1-rc.1', '0.9.1')).toBe(false);
  expect(isOlder('0.1.0', 'latest')).toBe(false);
});
