/** Everything that is compared, and how one repeat of each is measured. */
import type { CoreSupport } from '../../bench/bench-api.ts';
import { benchStubs } from '../../bench/stubs.ts';
import type { ContestKindName } from '../../domain/contest.ts';
import type { CReference } from './c-reference.ts';
import { byProcessorTime, type Measured } from './cpu-share.ts';
import { ALL_CORES, COMPARED, type Dnetc } from './dnetc.ts';
import type { Place } from './place.ts';

export interface Contender {
  kind: ContestKindName;
  /** `chromium`, `node`, `C`, `dnetc`. */
  place: string;
  name: string;
  /** Heads the column of ratios to it; undefined where nobody is compared with it. */
  column?: string;
  /** Once, before the first repeat. */
  warmUp?(): Promise<unknown>;
  /** Keys or nodes a second of processor time. */
  measure(): Promise<Measured>;
  /** One a repeat. */
  rates: number[];
  /** The share of the CPU that each had; 1 where it keeps processor time by itself. */
  shares: number[];
}

/** The published nodes of one round of the stubs. */
const NODES = benchStubs.reduce((sum, { nodes }) => sum + nodes, 0);
const WARM_UP_MS = 300;

/** A core of ours in a place. OGR: published nodes over our seconds, whatever the core itself counts. */
export function coreContender({ name: place, api }: Place, { name, kind }: CoreSupport, seconds: number): Contender {
  const rate = async (milliseconds: number): Promise<number> => {
    if (kind === 'rc5') return api.measure(name, milliseconds);
    const rounds = await api.finishStubs(name, benchStubs, milliseconds);
    return (NODES * rounds.length) / rounds.reduce((sum, round) => sum + round, 0);
  };
  return {
    kind,
    place,
    name,
    rates: [],
    shares: [],
    warmUp: () => rate(WARM_UP_MS),
    measure: () => byProcessorTime(() => rate(seconds * 1000)),
  };
}

export function cContender(reference: CReference, seconds: number): Contender {
  return {
    kind: 'rc5',
    place: 'C',
    name: reference.name,
    ...(reference.name === 'gcc -O2' ? { column: 'C -O2' } : {}),
    rates: [],
    shares: [],
    measure: async () => ({ rate: await reference.measure(seconds), share: 1 }),
  };
}

/** The cores we compare ourselves with, or all there are. */
export function dnetcContenders(dnetc: Dnetc, which: 'compared' | 'all'): Contender[] {
  return (['rc5', 'ogr'] as const).flatMap((kind) =>
    (which === 'all' ? ALL_CORES : COMPARED[kind]).map((core) => {
      const contender: Contender = {
        kind,
        place: 'dnetc',
        name: `#${core}`,
        ...(COMPARED[kind].includes(core) ? { column: `dnetc #${core}` } : {}),
        rates: [],
        shares: [],
        async measure() {
          const { name, rate } = await dnetc.measure(kind, core);
          contender.name = `#${core} ${name}`;
          return { rate, share: 1 };
        },
      };
      return contender;
    }),
  );
}

/**
 * Repeats of all, interleaved: whatever the machine does touches all alike. Every other repeat goes backwards, so that
 * nobody always comes after the same one. One that fails is left out from then on; returns why, in a sentence each.
 */
export async function takeTurns(
  contenders: readonly Contender[],
  repeats: number,
  say: (what: string) => void,
): Promise<{ contender: Contender; reason: string }[]> {
  const failed: { contender: Contender; reason: string }[] = [];
  let still = [...contenders];
  const attempt = async (contender: Contender, what: () => Promise<unknown>): Promise<void> => {
    try {
      await what();
    } catch (error) {
      failed.push({ contender, reason: error instanceof Error ? error.message : String(error) });
      still = still.filter((other) => other !== contender);
    }
  };
  for (const contender of contenders) await attempt(contender, async () => contender.warmUp?.());
  for (let i = 0; i < repeats; i++) {
    say(`repeat ${i + 1} of ${repeats}`);
    for (const contender of i % 2 === 0 ? still : still.toReversed()) {
      await attempt(contender, async () => {
        const { rate, share } = await contender.measure();
        contender.rates.push(rate);
        contender.shares.push(share);
      });
    }
  }
  return failed;
}
