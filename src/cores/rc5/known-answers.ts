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

/** What the kernel got wrong in this row, as a sentence; undefined where it was right. */
export function rc5Difference(kernel: Rc5Kernel, row: Rc5Row): string | undefined {
  const word = (hex: string): number => Number.parseInt(hex, 16);
  const plain = [(word(row.plain_lo) ^ word(row.iv_lo)) >>> 0, (word(row.plain_hi) ^ word(row.iv_hi)) >>> 0] as const;
  const start = fromHex(row.start_key);
  kernel.begin({ key: start, plain, target: word(row.cipher_lo), mask: 0xffffffff });
  const { offsets } = kernel.search(row.iterations);
  const found = offsets.map((offset) => {
    const counter = BigInt(`0x${row.start_key}`) + BigInt(offset);
    const key = fromHex(counter.toString(16).padStart(start.length * 2, '0'));
    const [, B] = encryptBlock(expandKey(key), plain);
    return `${toHex(key)}${B === word(row.cipher_hi) ? '' : ' (first word only)'}`;
  });
  const wanted =
    row.expect === 0 ? [] : [`${row.key_bytes.toLowerCase()}${row.expect === 1 ? '' : ' (first word only)'}`];
  if (found.join() === wanted.join()) return undefined;
  return `row ${row.test}: found ${found.join(', ') || 'nothing'} instead of ${wanted.join(', ') || 'nothing'}`;
}
