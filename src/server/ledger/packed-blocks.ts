/**
 * Who finished which units, in about five bytes a block, so that a million blocks are a few megabytes. A sequence of
 *
 *   client   varint    the client's number, doubled; and one where the skip goes back
 *   skip     varint    |first unit − the unit past the block before|
 *   count    varint    units
 *
 * Varints are LEB128: seven bits a byte, the lowest first, the high bit set in all but the last.
 */
export interface FinishedBlock {
  /** The client's number. */
  client: number;
  first: number;
  count: number;
}

export function packBlocks(blocks: readonly FinishedBlock[], after = 0): Uint8Array {
  const bytes: number[] = [];
  let past = after;
  for (const { client, first, count } of blocks) {
    // Not zigzag: doubled, the longest skips would not be exact any more.
    varint(bytes, 2 * client + (first < past ? 1 : 0));
    varint(bytes, Math.abs(first - past));
    varint(bytes, count);
    past = first + count;
  }
  return Uint8Array.from(bytes);
}

/** @throws RangeError the bytes end within a block. */
export function unpackBlocks(bytes: Uint8Array): FinishedBlock[] {
  const blocks: FinishedBlock[] = [];
  eachBlock(bytes, (client, first, count) => blocks.push({ client, first, count }));
  return blocks;
}

/** Goes through packed blocks without making an object of each: there may be millions. @throws RangeError */
export function eachBlock(bytes: Uint8Array, visit: (client: number, first: number, count: number) => unknown): void {
  let at = 0;
  const next = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at];
      if (byte === undefined) throw new RangeError('the packed blocks are cut off');
      at += 1;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  let past = 0;
  while (at < bytes.length) {
    const who = next();
    const client = Math.floor(who / 2);
    const skip = next();
    const first = who % 2 === 0 ? past + skip : past - skip;
    const count = next();
    visit(client, first, count);
    past = first + count;
  }
}

/** Division, not shifts: unit numbers are past 2^32. */
function varint(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
}
