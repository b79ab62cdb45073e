/** Numbers that look random and are the same for a seed: for benchmarks, the simulation (each part of it draws from a stream of its own), tests. */

export type Random = () => number;

/** Mulberry32 (Tommy Ettinger, public domain). The streams of one seed differ by what they are named after. */
export function randomOf(seed: number, ...names: readonly (string | number)[]): Random {
  let state = seed | 0;
  for (const character of names.join('/')) state = Math.imul(state ^ character.charCodeAt(0), 0x01000193);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const exponential = (random: Random, mean: number): number => -Math.log(1 - random()) * mean;

/** Around 0, with a deviation of 1 (Box and Muller). */
export const normal = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** One of them, each with its weight. */
export function drawn<T>(random: Random, choices: readonly (readonly [weight: number, choice: T])[]): T {
  let left = random() * choices.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, choice] of choices) {
    left -= weight;
    if (left < 0) return choice;
  }
  return (choices.at(-1) as readonly [number, T])[1];
}
