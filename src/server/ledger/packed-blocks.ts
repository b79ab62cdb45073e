/**
 * Who finished which units, in about five bytes a block, so that a million blocks are a few megabytes. A sequence of
 *
 *   client   varint            the client's number
 *   skip     varint, zigzag    first unit − the unit past the block before
 *   count    varint            units
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
    varint(bytes, client);
    const skip = first - past;
    varint(bytes, skip < 0 ? -2 * skip - 1 : 2 * skip);
    varint(bytes, count);
    past = first + count;
  }
  return Uint8Array.from(bytes);
}

/** @throws RangeError the bytes end within a block. */
export function unpackBlocks(bytes: Uint8Array): FinishedBlock[] {
  const blocks: FinishedBlock[] = [];
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
    const client = next();
    const zigzag = next();
    const first = past + (zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2);
    const count = next();
    blocks.push({ client, first, count });
    past = first + count;
  }
  return blocks;
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
