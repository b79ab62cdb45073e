/**
 * What of the work is made up in the zoo, and what is real. A client would take 20 seconds and more for a unit; here it has
 * its evidence at once, and everything that judges it is the keymaster's own.
 *
 *   RC5   where a unit's near matches are is drawn by the law that true ones follow: exponential gaps of 2^24 keys in the mean,
 *         from a seed and the unit's number ("the truth"). An offset counts as a near match if it is among them, which stands for the
 *         encryption. `rc5.observe`, `rc5.compare`, `rc5.spotCheck` and `doubtOf` are the real ones; the checker, instead
 *         of trying 2^22 keys, looks whether the spot has what the truth has there.
 *   OGR   the evidence is real: a few stubs of ogr-29, chosen for their size (three to seven million nodes), are searched once by the kernel. The
 *         line deals these out over and over. `verify`, `compare` and `spotCheck` are the real ones, and so is
 *         the checker: `recheck` over the kernel, each different spot once, for the same spot has the same outcome.
 */
import type { ContestKind, OgrSpotCheck, Rc5SpotCheck } from '../../../contests/kind.ts';
import { kinds } from '../../../contests/kinds.ts';
import { manifests } from '../../../contests/manifests.ts';
import { NEAR_BITS, NEAR_MATCHES_PER_UNIT } from '../../../contests/rc5/keys.ts';
import { doubtOf } from '../../../contests/rc5/suspicion.ts';
import { catalogue } from '../../../cores/catalogue.ts';
import type { Core } from '../../../cores/core.ts';
import { recheck } from '../../../cores/recheck.ts';
import type { ContestKindName, ContestManifest } from '../../../domain/contest.ts';
import type { OgrEvidence, Report, UnitEvidence } from '../../../domain/work.ts';
import type { Checked, Checker } from '../../../server/trust/checks.ts';
import { exponential, randomOf } from '../random.ts';

export interface Model {
  manifest: ContestManifest;
  kinds: Readonly<Record<ContestKindName, ContestKind>>;
  checker: Checker;
  /** What an honest client hands in. */
  honest(unit: number): UnitEvidence;
}

const manifestOf = (name: string, leaseSeconds: number): ContestManifest => {
  const manifest = manifests.find((one) => one.name === name);
  if (manifest === undefined) throw new Error(`there is no contest ${name}`);
  return { ...manifest, leaseSeconds, allocation: { kind: 'order' } };
};

export function rc5Model(seed: number, leaseSeconds: number): Model {
  const manifest = manifestOf('rc5-72', leaseSeconds);
  const truth = (unit: number): number[] => {
    const random = randomOf(seed, 'truth', unit);
    const offsets: number[] = [];
    let at = exponential(random, 1);
    for (; at < NEAR_MATCHES_PER_UNIT; at += exponential(random, 1)) {
      offsets.push(Math.max(Math.floor(at * 2 ** NEAR_BITS), (offsets.at(-1) ?? -1) + 1));
    }
    return offsets;
  };
  const kind: ContestKind = {
    ...kinds.rc5,
    verify(_manifest, report) {
      for (const [i, one] of report.evidence.entries()) {
        const unit = report.first + i;
        const real = new Set(truth(unit));
        const offsets = one.kind === 'rc5' ? one.nearMatches : [-1];
        const madeUp = offsets.find((offset, n) => !real.has(offset) || offset <= (offsets[n - 1] ?? -1));
        if (madeUp === undefined) continue;
        return { ok: false, code: 'evidence_false', detail: `unit ${unit}: key ${madeUp} is not a near match` };
      }
      const doubt = doubtOf(kinds.rc5.observe?.(manifest, report) ?? { units: [] });
      return doubt === undefined ? { ok: true, hits: [] } : { ok: false, code: 'evidence_missing', detail: doubt };
    },
  };
  const check = ({ unit, from, steps, nearMatches }: Rc5SpotCheck): Checked => {
    const there = truth(unit).filter((offset) => offset >= from && offset < from + steps);
    const missing = there.find((offset) => !nearMatches.includes(offset));
    return missing === undefined ? 'agrees' : { fault: `the near match at key ${missing} is missing` };
  };
  return {
    manifest,
    kinds: { ...kinds, rc5: kind },
    checker: {
      check: async (_manifest, spot) => (spot.kind === 'rc5' ? check(spot) : 'undecided'),
      async close() {},
    },
    honest: (unit) => ({ kind: 'rc5', nearMatches: truth(unit) }),
  };
}

/** Of ogr-29: units of three to seven intervals, drawn evenly from all and kept for their size. */
const STUBS: readonly number[] = [
  23750177622, 28322316663, 11008938580, 36331895351, 26537360271, 51672884997, 33623779327, 10496634079, 49753282241,
  4134501103, 48998749024, 8473262619, 31810049233, 31056392017, 40284225694, 12548136771, 19474845421, 33792523135,
  39197127678, 13911979289, 43397556640, 9076933919, 44042954449, 28465299819,
];

export class Stubs {
  readonly manifest: ContestManifest;
  readonly #core: Core;
  readonly #units: readonly number[];
  readonly #evidence = new Map<number, OgrEvidence>();
  readonly #checked = new Map<string, Checked>();
  /** Of the searches. */
  seconds = 0;

  private constructor(core: Core, count: number) {
    this.manifest = manifestOf('ogr-29', 7 * 86_400);
    this.#core = core;
    this.#units = STUBS.slice(0, count);
    const began = performance.now();
    for (const unit of this.#units) {
      const search = core.open(this.manifest, unit);
      while (!search.run(2 ** 18));
      this.#evidence.set(unit, search.evidence() as OgrEvidence);
    }
    this.seconds = (performance.now() - began) / 1000;
  }

  static async search(count = STUBS.length): Promise<Stubs> {
    const entry = catalogue.find(({ kind }) => kind === 'ogr');
    if (entry === undefined) throw new Error('there is no core of kind ogr');
    return new Stubs((await entry.load()).core, count);
  }

  /** The stub that is dealt out as this unit of the line. */
  stubOf(unit: number): number {
    return this.#units[unit % this.#units.length] as number;
  }

  evidenceOf(stub: number): OgrEvidence {
    return this.#evidence.get(stub) as OgrEvidence;
  }

  /** One of each. */
  reports(): Report[] {
    return [...this.#evidence].map(([first, evidence]) => ({
      lease: '0'.repeat(16),
      contest: this.manifest.name,
      first,
      evidence: [evidence],
      core: this.#core.name,
      seconds: 1,
    }));
  }

  check(spot: OgrSpotCheck): Checked {
    const key = JSON.stringify(spot);
    let checked = this.#checked.get(key);
    if (checked === undefined) {
      const again = recheck(this.#core, this.manifest, spot);
      while (!again.run(2 ** 18));
      checked = again.fault === undefined ? 'agrees' : { fault: again.fault };
      this.#checked.set(key, checked);
    }
    return checked;
  }
}

export function ogrModel(stubs: Stubs): Model {
  const { ogr } = kinds;
  const { manifest } = stubs;
  /** Unit by unit, each as the stub that it is. */
  const single = (report: Report, i: number): Report => ({
    ...report,
    first: stubs.stubOf(report.first + i),
    evidence: report.evidence.slice(i, i + 1),
  });
  const kind: ContestKind = {
    ...ogr,
    verify(_manifest, report) {
      for (let i = 0; i < report.evidence.length; i++) {
        const verdict = ogr.verify(manifest, single(report, i));
        if (!verdict.ok) return verdict;
      }
      return { ok: true, hits: [] };
    },
    compare(_manifest, unit, first, second) {
      for (let i = 0; i < first.length; i++) {
        const agreement = ogr.compare(manifest, stubs.stubOf(unit + i), first.slice(i, i + 1), second.slice(i, i + 1));
        if (!agreement.agree) return agreement;
      }
      return { agree: true };
    },
    spotCheck: (_manifest, report, random) =>
      ogr.spotCheck(manifest, single(report, Math.floor(random() * report.evidence.length)), random),
  };
  return {
    manifest,
    kinds: { ...kinds, ogr: kind },
    checker: {
      check: async (_manifest, spot) => (spot.kind === 'ogr' ? stubs.check(spot) : 'undecided'),
      async close() {},
    },
    honest: (unit) => stubs.evidenceOf(stubs.stubOf(unit)),
  };
}
