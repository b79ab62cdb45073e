/**
 * RC5-32/12/b as the verifier uses it: one key at a time, CBC decryption of a whole message, PKCS #7 padding.
 * From R. Rivest, "The RC5 Encryption Algorithm" (1994) and RFC 2040; symbols are the paper's. Words are 32 bits,
 * bytes little-endian within a word.
 */
const P = 0xb7e15163;
const Q = 0x9e3779b9;
/** 2(r + 1) words of key schedule for r = 12 rounds. */
const T = 26;

const rotl = (x: number, n: number): number => (x << (n & 31)) | (x >>> (-n & 31));
const rotr = (x: number, n: number): number => (x >>> (n & 31)) | (x << (-n & 31));

/** One 8-byte block as its two words: A from bytes 0…3, B from bytes 4…7. */
export type Block = readonly [A: number, B: number];

/** S, the expanded key table of a key of 1…255 bytes. */
export function expandKey(key: Uint8Array): Int32Array {
  const c = Math.max(1, Math.ceil(key.length / 4));
  const L = new Int32Array(c);
  key.forEach((byte, i) => {
    L[i >> 2] = at(L, i >> 2) | (byte << (8 * (i & 3)));
  });
  const S = new Int32Array(T);
  for (let i = 0; i < T; i++) S[i] = P + Math.imul(i, Q);
  let A = 0;
  let B = 0;
  // i and j count round and round: a remainder would take as long as all else here.
  for (let t = 0, i = 0, j = 0; t < 3 * Math.max(T, c); t++) {
    A = rotl((at(S, i) + A + B) | 0, 3);
    S[i] = A;
    B = rotl((at(L, j) + A + B) | 0, A + B);
    L[j] = B;
    i = i + 1 === T ? 0 : i + 1;
    j = j + 1 === c ? 0 : j + 1;
  }
  return S;
}

/** The ciphertext block of a plaintext block. */
export function encryptBlock(S: Int32Array, [a, b]: Block): Block {
  let A = (a + at(S, 0)) | 0;
  let B = (b + at(S, 1)) | 0;
  for (let i = 1; i <= 12; i++) {
    A = (rotl(A ^ B, B) + at(S, 2 * i)) | 0;
    B = (rotl(B ^ A, A) + at(S, 2 * i + 1)) | 0;
  }
  return [A >>> 0, B >>> 0];
}

function decryptBlock(S: Int32Array, [a, b]: Block): Block {
  let A = a | 0;
  let B = b | 0;
  for (let i = 12; i >= 1; i--) {
    B = rotr((B - at(S, 2 * i + 1)) | 0, A) ^ A;
    A = rotr((A - at(S, 2 * i)) | 0, B) ^ B;
  }
  return [(A - at(S, 0)) >>> 0, (B - at(S, 1)) >>> 0];
}

/** CBC decryption; the padding is still in the result. `iv`: 8 bytes; `ciphertext`: a multiple of 8. */
export function decryptCbc(key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array): Uint8Array {
  const S = expandKey(key);
  const plain = new Uint8Array(ciphertext.length);
  const view = new DataView(plain.buffer);
  let previous = blockAt(iv, 0);
  for (let i = 0; i < ciphertext.length; i += 8) {
    const block = blockAt(ciphertext, i);
    const [A, B] = decryptBlock(S, block);
    view.setUint32(i, A ^ previous[0], true);
    view.setUint32(i + 4, B ^ previous[1], true);
    previous = block;
  }
  return plain;
}

/** The plaintext without its PKCS #7 padding (RFC 2040, section 4), or undefined where the padding is not valid. */
export function removePadding(plain: Uint8Array): Uint8Array | undefined {
  const pad = plain.at(-1) ?? 0;
  if (pad < 1 || pad > 8 || pad > plain.length) return undefined;
  const padding = plain.subarray(plain.length - pad);
  return padding.every((byte) => byte === pad) ? plain.subarray(0, plain.length - pad) : undefined;
}

export function blockAt(bytes: Uint8Array, offset: number): Block {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return [view.getUint32(offset, true), view.getUint32(offset + 4, true)];
}

function at(words: Int32Array, i: number): number {
  return words[i] ?? 0;
}
