/**
 * Puts known answers to an RC5 kernel. Rows have the form of distributed.net's selftest (see the note in
 * known-answers.json): a stretch of keys and the one in it that must be found, or must be found to be only a partial
 * match.
 */
import { encryptBlock, expandKey } from '../../contests/rc5/cipher.ts';
import { fromHex, toHex } from '../../contests/rc5/keys.ts';
import type { Rc5Kernel } from './rc5-core.ts';

export interface Rc5Row {
  test: number | string;
  key_bytes: string;
  iv_lo: string;
  iv_hi: string;
  plain_lo: string;
  plain_hi: string;
  cipher_lo: string;
  cipher_hi: string;
  /** 1: the whole block agrees; −1: only its first word; 0: nothing agrees. */
  expect: number;
  start_key: string;
  iterations: number;
}

/**
 * What the kernel got wrong in this row, as a sentence; undefined where it was right. Of a long row `most` keys are
 * searched: those around the one that must be found.
 */
export function rc5Difference(kernel: Rc5Kernel, row: Rc5Row, most = row.iterations): string | undefined {
  const word = (hex: string): number => Number.parseInt(hex, 16);
  const plain = [(word(row.plain_lo) ^ word(row.iv_lo)) >>> 0, (word(row.plain_hi) ^ word(row.iv_hi)) >>> 0] as const;
  const keyOf = (counter: bigint) => fromHex(counter.toString(16).padStart(row.start_key.length, '0'));
  const counterOf = (hex: string) => BigInt(`0x${hex}`);
  const keys = Math.min(most, row.iterations);
  const before = row.expect === 0 ? 0 : Number(counterOf(row.key_bytes) - counterOf(row.start_key)) - (keys >> 1);
  const start = counterOf(row.start_key) + BigInt(Math.max(0, Math.min(before, row.iterations - keys)));
  kernel.begin({ key: keyOf(start), plain, target: word(row.cipher_lo), mask: 0xffffffff });
  const { offsets } = kernel.search(keys);
  const found = offsets.map((offset) => {
    const key = keyOf(start + BigInt(offset));
    const [, B] = encryptBlock(expandKey(key), plain);
    return `${toHex(key)}${B === word(row.cipher_hi) ? '' : ' (first word only)'}`;
  });
  const wanted =
    row.expect === 0 ? [] : [`${row.key_bytes.toLowerCase()}${row.expect === 1 ? '' : ' (first word only)'}`];
  if (found.join() === wanted.join()) return otherHalf(kernel, row, plain);
  return `row ${row.test}: found ${found.join(', ') || 'nothing'} instead of ${wanted.join(', ') || 'nothing'}`;
}

/**
 * The published keys fall where they fall among the keys that a core tries at once. So each is followed by the key 16 further
 * on or back, encrypted by the plain cipher: it lies in the other half, vectors or integers.
 */
function otherHalf(kernel: Rc5Kernel, row: Rc5Row, plain: readonly [number, number]): string | undefined {
  const key = fromHex(row.key_bytes);
  key[key.length - 1] = (key.at(-1) ?? 0) ^ 16;
  const [target] = encryptBlock(expandKey(key), plain);
  const start = key.slice();
  start[start.length - 1] = 0;
  const offset = key.at(-1) ?? 0;
  kernel.begin({ key: start, plain, target, mask: 0xffffffff });
  const { offsets } = kernel.search(256);
  if (offsets.length === 1 && offsets[0] === offset) return undefined;
  return `row ${row.test}, with another last byte: found ${offsets.join(', ') || 'nothing'} instead of ${offset}`;
}
