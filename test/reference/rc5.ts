/**
 * RC5-32/12/b, slow and obvious, straight from the definitions in R. Rivest, "The RC5 Encryption Algorithm" (1994):
 * big integers, no tricks. The twin that the kernels and the verifier are tested against; shares no code with them.
 */
const W = 32n;
const R = 12;
const WORD = (1n << W) - 1n;
const P = 0xb7e15163n;
const Q = 0x9e3779b9n;

const rotl = (x: bigint, n: bigint): bigint => {
  const s = n % W;
  return ((x << s) | (x >> (W - s))) & WORD;
};

/** S[0…25] of a key given as bytes K[0…b−1]. */
export function schedule(key: readonly number[]): bigint[] {
  const c = Math.ceil(key.length / 4);
  const L = Array.from({ length: c }, () => 0n);
  for (let i = key.length - 1; i >= 0; i--) {
    L[Math.floor(i / 4)] = ((L[Math.floor(i / 4)] ?? 0n) << 8n) + BigInt(key[i] ?? 0);
  }
  const t = 2 * (R + 1);
  const S = Array.from({ length: t }, (_, i) => (P + BigInt(i) * Q) & WORD);
  let [A, B, i, j] = [0n, 0n, 0, 0];
  for (let k = 0; k < 3 * Math.max(t, c); k++) {
    A = S[i] = rotl(((S[i] ?? 0n) + A + B) & WORD, 3n);
    B = L[j] = rotl(((L[j] ?? 0n) + A + B) & WORD, (A + B) & WORD);
    i = (i + 1) % t;
    j = (j + 1) % c;
  }
  return S;
}

/** The two words of the ciphertext block. */
export function encrypt(key: readonly number[], plain: readonly [number, number]): [number, number] {
  const S = schedule(key);
  let A = (BigInt(plain[0]) + (S[0] ?? 0n)) & WORD;
  let B = (BigInt(plain[1]) + (S[1] ?? 0n)) & WORD;
  for (let i = 1; i <= R; i++) {
    A = (rotl(A ^ B, B) + (S[2 * i] ?? 0n)) & WORD;
    B = (rotl(B ^ A, A) + (S[2 * i + 1] ?? 0n)) & WORD;
  }
  return [Number(A), Number(B)];
}

/** The bytes K[0…b−1] of the b-byte key with this number, K[0] the most significant. */
export function keyOf(counter: bigint, b: number): number[] {
  return Array.from({ length: b }, (_, i) => Number((counter >> BigInt(8 * (b - 1 - i))) & 0xffn));
}

/** Offsets of the keys in counter, counter + 1, … whose first ciphertext word agrees with `target` where `mask` is 1. */
export function search(
  counter: bigint,
  b: number,
  count: number,
  plain: readonly [number, number],
  target: number,
  mask: number,
): number[] {
  const found: number[] = [];
  for (let i = 0; i < count; i++) {
    const [A] = encrypt(keyOf(counter + BigInt(i), b), plain);
    if (((A ^ target) & mask) === 0) found.push(i);
  }
  return found;
}
