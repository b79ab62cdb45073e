/**
 * Writes the AssemblyScript of the RC5 cores that weave integer and vector keys into one stream of instructions. A
 * processor has separate units for the two, and the search of one key is a chain in which each step waits for the
 * one before it: only many keys side by side, in both kinds of registers, keep all units busy. Written out, that is
 * some 1,200 lines of the same few statements; here is each of them once. `assembly/README.md` counts instructions.
 *
 * A batch is 16 keys in four vectors and 4 groups of 4 keys in integers. While the vectors take one step of the key
 * schedule the integers take three, so that a group is through its schedule when the vectors are through a pass:
 *
 *   vectors    | pass 1          | pass 2          | pass 3          | encryption      |
 *   integers   | group 0         | group 1         | group 2         | group 3         |
 *
 * S and L are streams, not rings: step t reads the word S[t] that was written 26 steps before (or, in pass 1, the
 * constant P + tQ) and writes S[t + 26]; it reads L[t] and writes L[t + c], c = 3 words of L for keys of nine bytes and 2
 * for fewer. All begins at step 3: the steps before it are the same for the 256 keys that differ in the last byte only,
 * or nearly so.
 *
 * More vectors are a little faster in a loop of nothing else (6: by 4 %), but then batches do not divide the 256 keys that
 * begin alike, and what that costs is more.
 */

const P = 0xb7e15163;
const Q = 0x9e3779b9;
/** Vectors of four keys side by side. */
const VECTORS = 4;
/** Integer keys side by side, and how often in a batch. */
const LANES = 4;
const GROUPS = 4;
/** Bytes of one word of the vectors' streams and of the integers'. */
const VECTOR_WORD = 16 * VECTORS;
const WORD = 4 * LANES;
const STEPS = 78;
const FIRST_STEP = 3;
/** Words that a group begins with: S[2] (or what stands for it) and the last c words of L. */
const HEAD_BYTES = 3 * WORD;
/** Steps of the integers for one of the vectors. */
const STRIDE = 3;
/** Half-rounds of encryption that decide: all but B of the last round. */
const HALF_ROUNDS = 23;

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);
const lines = (n: number, line: (i: number) => string): string[] => range(n).map(line);

/**
 * The whole module: exports `init` and `search` as every RC5 core does. `relaxed`: 2^n may be made by a relaxed
 * conversion, which is an instruction cheaper, but whose result for 2^31 is the machine's to choose.
 */
export function rc5MixedSource(relaxed: boolean): string {
  const word = VECTOR_WORD;
  const rotate = relaxed ? rotateRelaxed : rotateStrict;

  return `
import { C_BYTES, C_EXPONENT, C_FIVE_BITS, C_LANES, C_POWERS, C_REPEAT, FOUND, HEADS, KEY, KEY_BYTES, KEY_LAST, MASK,
  MAX_FOUND, PLAIN_HI, PLAIN_LO, S, SL, TARGET, VL, VS } from './layout';
import { init as initScalar, note, try8, try9 } from './scalar4';

const P: u32 = ${P};
const Q: u32 = ${Q};
const S0: u32 = ${rotl(P, 3)};
const BATCH: u32 = ${4 * VECTORS + GROUPS * LANES};
const END: usize = S + ${STEPS * WORD};
const LAST_ROUND: usize = VS + ${(STEPS + 2 + HALF_ROUNDS) * word};

export function init(): void {
  initScalar();
  for (let i: u32 = 0; i < 26; i++) {
    for (let k: u32 = 0; k < ${VECTORS}; k++) v128.store(VS + i * ${word} + k * 16, i32x4.splat(P + i * Q));
  }
  for (let k: u32 = 0; k < ${VECTORS}; k++) v128.store(VS + k * 16, i32x4.splat(S0), ${26 * word});
  v128.store(S, i32x4.splat(S0), ${26 * WORD});
  v128.store(C_FIVE_BITS, i32x4.splat(31));
  v128.store(C_EXPONENT, i32x4.splat(0x3f800000));
  v128.store(C_REPEAT, i32x4.splat(0x01010101));
  v128.store(C_BYTES, i32x4.splat(0x18100800));
  v128.store(C_POWERS, i64x2(0x8040201008040201, 0));
  v128.store(C_LANES, i32x4(0, 1, 2, 3));
}

/**
 * What a batch begins with: S[1] and S[2] in pass 2, the last c words of L. Those of the vectors go where they belong,
 * those of the groups to HEADS. Unless \`fresh\`, the 256 keys are those of the batch before, and only L[2] is another.
 * (Exported so that both stay functions: inlined they cost the loops registers.)
 */
export function prepare9(high: u64, last: u32, fresh: bool): void {
  const L0 = rotl<u32>(bswap<u32>((high >> 32) as u32) + S0, S0 & 31);
  const S1 = rotl<u32>(P + Q + S0 + L0, 3);
  const L1 = rotl<u32>(bswap<u32>(high as u32) + S1 + L0, S1 + L0);
  const S2 = rotl<u32>(P + 2 * Q + S1 + L1, 3);
  // The count of L's third rotate is the same for all.
  const C = S2 + L1;
  if (fresh) {
    storeS1(S1);
    for (let k: u32 = 0; k < ${VECTORS}; k++) {
      v128.store(VS + k * 16, i32x4.splat(S2), ${28 * word});
      v128.store(VL + k * 16, i32x4.splat(L0), ${3 * word});
      v128.store(VL + k * 16, i32x4.splat(L1), ${4 * word});
    }
    v128.store(S, i32x4.splat(S2), ${28 * WORD});
    v128.store(SL, i32x4.splat(L0), ${3 * WORD});
    v128.store(SL, i32x4.splat(L1), ${4 * WORD});
  }
  for (let i: usize = 0; i < ${VECTORS + GROUPS}; i++) {
    const sum = i32x4.add(i32x4.splat(last + (i << 2) + C), v128.load(C_LANES));
    const L2 = v128.or(i32x4.shl(sum, C & 31), i32x4.shr_u(sum, (32 - C) & 31));
    if (i < ${VECTORS}) v128.store(VL + (i << 4), L2, ${5 * word});
    else v128.store(HEADS + (i - ${VECTORS}) * ${HEAD_BYTES}, L2);
  }
}

/** Of eight bytes, the last one maybe zero: \`next\` is what the next key adds to L[1]. Step 2 is made key by key. */
export function prepare8(key: u64, next: u32): void {
  const L0 = rotl<u32>(bswap<u32>((key >> 32) as u32) + S0, S0 & 31);
  const S1 = rotl<u32>(P + Q + S0 + L0, 3);
  const C = S1 + L0;
  let L1 = bswap<u32>(key as u32) + C;
  storeS1(S1);
  for (let i: usize = 0; i < ${VECTORS + GROUPS}; i++) {
    const ofVector = i < ${VECTORS};
    const atS2: usize = ofVector ? VS + ${28 * word} + (i << 4) : HEADS + (i - ${VECTORS}) * ${HEAD_BYTES};
    const atL1: usize = ofVector ? VL + ${3 * word} + (i << 4) : atS2 + ${WORD};
    const atL0: usize = ofVector ? atL1 + ${word} : atL1 + ${WORD};
    for (let lane: usize = 0; lane < 16; lane += 4) {
      const second = rotl<u32>(L1, C);
      const S2 = rotl<u32>(P + 2 * Q + S1 + second, 3);
      store<u32>(atS2 + lane, S2);
      store<u32>(atL1 + lane, second);
      store<u32>(atL0 + lane, rotl<u32>(L0 + S2 + second, S2 + second));
      L1 += next;
    }
  }
}

function storeS1(S1: u32): void {
  for (let k: u32 = 0; k < ${VECTORS}; k++) v128.store(VS + k * 16, i32x4.splat(S1), ${27 * word});
  v128.store(S, i32x4.splat(S1), ${27 * WORD});
}

export function search(count: u32): u32 {
  return load<u32>(KEY_BYTES) == 9 ? search9(count) : search8(count);
}

${searchFunction(rotate, 3)}
${searchFunction(rotate, 2)}
`;
}

/** The search for keys of nine bytes (c = 3), or of eight and seven (c = 2). */
function searchFunction(rotate: (each: Each) => string[], c: 2 | 3): string {
  const word = VECTOR_WORD;
  const each = (line: (k: number) => string): string[] => lines(VECTORS, line);
  const integers = strideSteps(c);

  /** Step t of all vectors, one kind of instruction after another so that none waits for the one before it. */
  const vectorStep = [
    ...each((k) => `X${k} = i32x4.add(i32x4.add(v128.load(v, ${16 * k}), A${k}), B${k});`),
    ...each((k) => `A${k} = v128.or(i32x4.shl(X${k}, 3), i32x4.shr_u(X${k}, 29));`),
    ...each((k) => `v128.store(v, A${k}, ${26 * word + 16 * k});`),
    ...each((k) => `N${k} = i32x4.add(A${k}, B${k});`),
    ...each((k) => `X${k} = i32x4.add(v128.load(v, VL - VS + ${16 * k}), N${k});`),
    ...rotate(each),
    ...each((k) => `B${k} = X${k};`),
    ...each((k) => `v128.store(v, B${k}, VL - VS + ${c * word + 16 * k});`),
  ];
  /** A = rotl(A ^ B, B) + S and then the two change places. */
  const vectorHalfRound = [
    ...each((k) => `X${k} = v128.xor(A${k}, B${k});`),
    ...each((k) => `N${k} = B${k};`),
    ...rotate(each),
    ...each((k) => `A${k} = B${k};`),
    ...each((k) => `B${k} = i32x4.add(v128.load(v, ${16 * k}), X${k});`),
  ];
  // With nine bytes only L[2] differs from group to group.
  const fromHead =
    c === 3
      ? [`v128.store(SL, v128.load(head), ${5 * WORD});`]
      : [
          `v128.store(S, v128.load(head), ${28 * WORD});`,
          `v128.store(SL, v128.load(head, ${WORD}), ${3 * WORD});`,
          `v128.store(SL, v128.load(head, ${2 * WORD}), ${4 * WORD});`,
        ];
  const groupHead = `${fromHead.join('\n        ')}
        head += ${HEAD_BYTES};
        s = S + ${FIRST_STEP * WORD};`;

  return `
function search${c === 3 ? 9 : 8}(count: u32): u32 {
  let high = load<u64>(KEY);
  let last = load<u32>(KEY_LAST);
  const lo = load<u32>(PLAIN_LO), hi = load<u32>(PLAIN_HI);
  const target = load<u32>(TARGET), mask = load<u32>(MASK);
  // From memory: V8 makes a constant anew at every use, and takes three instructions for it.
  const fiveBits = v128.load(C_FIVE_BITS), exponent = v128.load(C_EXPONENT);
  const repeat = v128.load(C_REPEAT), bytes = v128.load(C_BYTES), powers = v128.load(C_POWERS);
  ${each((k) => `let A${k} = i32x4.splat(0), B${k} = A${k}, X${k} = A${k}, N${k} = A${k}, M${k} = A${k}, T${k} = A${k}, U${k} = A${k};`).join('\n  ')}
  ${lines(LANES, (k) => `let a${k}: u32 = 0, b${k}: u32 = 0;`).join(' ')}
  let s: usize = 0, v: usize = 0, head: usize = 0, offset: u32 = 0, tried: u32 = 0;
  ${c === 3 ? 'let fresh = true;' : 'const seven = load<u32>(KEY_BYTES) == 7;'}
  store<u32>(FOUND, 0);
  while (tried < count && load<u32>(FOUND) <= <u32>MAX_FOUND - BATCH) {
    if ((last & (BATCH - 1)) != 0 || count - tried < BATCH) {
      // Before the first whole batch and behind the last one.
      ${c === 3 ? 'try9(high, last, tried);' : 'if (seven) try8(((high << 8) | last) << 8, tried, 0x00010000);\n      else try8((high << 8) | last, tried, 0x01000000);'}
      tried += ${LANES};
      last += ${LANES};
    } else {
      ${c === 3 ? 'prepare9(high, last, fresh || last == 0);\n      fresh = false;' : 'prepare8(seven ? ((high << 8) | last) << 8 : (high << 8) | last, seven ? 0x00010000 : 0x01000000);'}
      ${each((k) => `A${k} = v128.load(VS, ${28 * word + 16 * k}); B${k} = v128.load(VL, ${(FIRST_STEP + c - 1) * word + 16 * k});`).join('\n      ')}
      offset = tried + ${4 * VECTORS};
      head = HEADS;
      v = VS + ${FIRST_STEP * word};
      for (let pass = 0; pass < 3; pass++) {
        ${groupHead}
        do {
          ${weave(vectorStep, integers).join('\n          ')}
          s += ${STRIDE * WORD};
          v += ${word};
        } while (s < END);
        ${ENCRYPT_GROUP}
      }
      ${groupHead}
      v = VS + ${STEPS * word};
      ${each((k) => `A${k} = i32x4.add(v128.load(v, ${16 * k}), i32x4.splat(lo)); B${k} = i32x4.add(v128.load(v, ${word + 16 * k}), i32x4.splat(hi));`).join('\n      ')}
      v += ${2 * word};
      do {
        ${weave(vectorHalfRound, integers).join('\n        ')}
        s += ${STRIDE * WORD};
        v += ${word};
      } while (v < LAST_ROUND);
      do {
        ${integers.join('\n        ')}
        s += ${STRIDE * WORD};
      } while (s < END);
      ${ENCRYPT_GROUP}
      ${each(vectorCheck).join('\n      ')}
      tried += BATCH;
      last += BATCH;
    }
    if (last == 256) {
      last = 0;
      high++;
    }
  }
  store<u64>(KEY, high);
  store<u32>(KEY_LAST, last);
  return tried;
}
`;
}

function rotl(x: number, n: number): number {
  return ((x << n) | (x >>> (32 - n))) >>> 0;
}

type Each = (line: (k: number) => string) => string[];

/**
 * X = rotl(X, N), for which wasm has no instruction: the two halves of the 64-bit product X 2^(N mod 32) hold the bits
 * that stay and those that come round. 2^n is a float whose exponent is n + 127.
 */
function rotateRelaxed(each: Each): string[] {
  return [
    ...each((k) => `M${k} = i32x4.add(i32x4.shr_u(i32x4.shl(N${k}, 27), 4), exponent);`),
    ...each((k) => `M${k} = i32x4.relaxed_trunc_f32x4_s(M${k});`),
    ...multiply(each),
  ];
}

/** The same with 2^n from a table: byte j of it is powers[n - 8j], and nothing where that is no index. */
function rotateStrict(each: Each): string[] {
  return [
    ...each((k) => `M${k} = i8x16.sub(i32x4.mul(v128.and(N${k}, fiveBits), repeat), bytes);`),
    ...each((k) => `M${k} = i8x16.swizzle(powers, M${k});`),
    ...multiply(each),
  ];
}

function multiply(each: Each): string[] {
  return [
    ...each((k) => `T${k} = i64x2.extmul_low_i32x4_u(X${k}, M${k});`),
    ...each((k) => `U${k} = i64x2.extmul_high_i32x4_u(X${k}, M${k});`),
    ...each(
      (k) =>
        `X${k} = v128.or(v128.shuffle<i32>(T${k}, U${k}, 0, 2, 4, 6), v128.shuffle<i32>(T${k}, U${k}, 1, 3, 5, 7));`,
    ),
  ];
}

function vectorCheck(k: number): string {
  const lane = (l: number): string =>
    `if (((i32x4.extract_lane(B${k}, ${l}) ^ target) & mask) == 0) note(tried + ${4 * k + l});`;
  return `X${k} = v128.and(v128.xor(B${k}, i32x4.splat(target)), i32x4.splat(mask));
      if (!i32x4.all_true(X${k})) {
        ${lines(4, lane).join('\n        ')}
      }`;
}

/**
 * Three steps of a group of four keys, two keys after the other two: A, B and what a step needs of L are taken from
 * memory when they are used, or V8 would spill them at worse places.
 */
const strideSteps = (c: 2 | 3): string[] =>
  [0, 2].flatMap((pair) => {
    const keys = [pair, pair + 1];
    const step = (t: number, k: number): string[] => [
      `a${k} = rotl<u32>((load<u32>(s, ${t * WORD + 4 * k}) + a${k}) + b${k}, 3);`,
      `store<u32>(s, a${k}, ${(t + 26) * WORD + 4 * k});`,
      `b${k} += a${k};`,
      `b${k} = rotl<u32>(load<u32>(s, SL - S + ${t * WORD + 4 * k}) + b${k}, b${k});`,
      `store<u32>(s, b${k}, SL - S + ${(t + c) * WORD + 4 * k});`,
    ];
    return [
      ...keys.flatMap((k) => [
        `a${k} = load<u32>(s, ${25 * WORD + 4 * k});`,
        `b${k} = load<u32>(s, SL - S + ${(c - 1) * WORD + 4 * k});`,
      ]),
      ...range(STRIDE).flatMap((t) => keys.flatMap((k) => step(t, k))),
    ];
  });

/** Encrypts under the round keys of the group and notes the keys that agree with the target. */
const ENCRYPT_GROUP: string = (() => {
  const roundKey = (i: number, k: number): string => `load<u32>(END, ${i * WORD + 4 * k})`;
  const every = (line: (k: number) => string): string[] => lines(LANES, line);
  return [
    ...every((k) => `a${k} = lo + ${roundKey(0, k)}; b${k} = hi + ${roundKey(1, k)};`),
    ...range(HALF_ROUNDS).flatMap((i) => {
      const [x, y] = i % 2 === 0 ? ['a', 'b'] : ['b', 'a'];
      return every((k) => `${x}${k} = rotl<u32>(${x}${k} ^ ${y}${k}, ${y}${k}) + ${roundKey(i + 2, k)};`);
    }),
    ...every((k) => `if (((a${k} ^ target) & mask) == 0) note(offset + ${k});`),
    `offset += ${LANES};`,
  ].join('\n      ');
})();

/** Spreads the shorter list evenly over the longer one; either keeps its order. */
function weave(a: readonly string[], b: readonly string[]): string[] {
  const woven: string[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const next = i * b.length <= j * a.length && i < a.length ? a[i++] : (b[j++] ?? a[i++]);
    woven.push(next ?? '');
  }
  return woven;
}
