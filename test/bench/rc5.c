/*
 * RC5-72 key search in plain C: what a compiler makes of the algorithm of assembly/rc5/scalar4.ts, to measure the
 * WebAssembly kernels against. RC5-32/12/9 (R. Rivest, 1994; symbols are the paper's), four keys interleaved.
 *
 *   rc5 SECONDS    finds a known key first, then prints keys a second of processor time
 *
 * S is a stream: step t of the 78 reads the word written 26 steps before and writes its own.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { PASS = 26, STEPS = 78, WIDTH = 4 };

static uint32_t S[PASS + STEPS][WIDTH];

static inline uint32_t rotl(uint32_t x, uint32_t n) { return x << (n & 31) | x >> (-n & 31); }

static uint32_t word(uint64_t bytes) { return __builtin_bswap32((uint32_t)bytes); }

/* One statement for each of the four keys. */
#define EACH(x) { { enum { k = 0 }; x } { enum { k = 1 }; x } { enum { k = 2 }; x } { enum { k = 3 }; x } }
#define MIX(t, L)                                                    \
  EACH(S[PASS + (t)][k] = A[k] = rotl(S[t][k] + A[k] + B[k], 3);)    \
  EACH(B[k] += A[k]; L[k] = B[k] = rotl(L[k] + B[k], B[k]);)

/* Tries four keys: K0..K7 are `high`, big-endian; K8 is last, last + 1, last + 2, last + 3. A bit for each that agrees. */
static unsigned try4(uint64_t high, uint32_t last, uint32_t lo, uint32_t hi, uint32_t target, uint32_t mask) {
  const uint32_t first = word(high >> 32), second = word(high);
  uint32_t A[WIDTH] = {0}, B[WIDTH] = {0}, L0[WIDTH], L1[WIDTH], L2[WIDTH];
  EACH(L0[k] = first; L1[k] = second; L2[k] = last + k;)
  for (int t = 0; t < STEPS; t += 3) {
    MIX(t, L0)
    MIX(t + 1, L1)
    MIX(t + 2, L2)
  }
  const uint32_t (*s)[WIDTH] = (const uint32_t(*)[WIDTH])S + STEPS;
  EACH(A[k] = lo + s[0][k]; B[k] = hi + s[1][k];)
  for (int r = 1; r < 12; r++) {
    s += 2;
    EACH(A[k] = rotl(A[k] ^ B[k], B[k]) + s[0][k];)
    EACH(B[k] = rotl(B[k] ^ A[k], A[k]) + s[1][k];)
  }
  /* Half A of round 12 is enough to reject a key. */
  EACH(A[k] = rotl(A[k] ^ B[k], B[k]) + s[2][k];)
  unsigned agree = 0;
  EACH(if (((A[k] ^ target) & mask) == 0) agree |= 1u << k;)
  return agree;
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  const double seconds = argc > 1 ? atof(argv[1]) : 1;
  for (uint32_t i = 0; i < PASS; i++) EACH(S[i][k] = 0xb7e15163u + i * 0x9e3779b9u;)

  /* Row 1 of src/cores/rc5/known-answers.json: key c90c0353c0d4e1fe85 and no other among its 2^17 keys. */
  const uint32_t lo = 0x20656854 ^ 0x1f59ce07, hi = 0x6e6b6e75 ^ 0x419a1486, target = 0x562d285a;
  uint64_t high = 0xc90c0353c0d4e100;
  unsigned hits = 0, right = 0;
  for (uint32_t i = 0; i < 1u << 17; i += WIDTH) {
    const unsigned agree = try4(high + (i >> 8), i & 255, lo, hi, target, 0xffffffff);
    hits += agree != 0;
    right += agree == 1u << (0xfe85 & 3) && i == (0xfe85 & ~3);
  }
  if (hits != 1 || right != 1) {
    fprintf(stderr, "the known key was not found\n");
    return 1;
  }

  /* As a search does it: near matches are counted, so that no work can be left out. */
  unsigned near = 0;
  double keys = 0, elapsed, start = now();
  do {
    for (uint32_t i = 0; i < 1u << 16; i += WIDTH) near += try4(high + (i >> 8), i & 255, lo, hi, target, 0xffffff) != 0;
    high += 256;
    keys += 1 << 16;
  } while ((elapsed = now() - start) < seconds);
  printf("%.0f keys/s, %u near matches\n", keys / elapsed, near);
  return 0;
}
