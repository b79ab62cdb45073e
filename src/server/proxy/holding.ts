/** The blocks that a proxy was given, by their units: under which lease and chain of proofs it hands a unit on. */
import type { UpstreamLeaseRow } from '../store/schema.ts';

export class Holding {
  /** By contest, sorted by `first`; never overlapping. */
  readonly #leases = new Map<string, UpstreamLeaseRow[]>();

  constructor(rows: readonly UpstreamLeaseRow[] = []) {
    for (const row of rows) this.add(row);
  }

  /**
   * From now on its units are under this lease; of earlier ones that had some of them the rest stays.
   * @returns the leases that were there before in its place, and those that are there now.
   */
  add(row: UpstreamLeaseRow): { gone: UpstreamLeaseRow[]; put: UpstreamLeaseRow[] } {
    const before = this.#leases.get(row.contest) ?? [];
    const isOver = (other: UpstreamLeaseRow): boolean => other.past > row.first && other.first < row.past;
    const gone = before.filter(isOver);
    const put = [
      row,
      ...gone.filter((other) => other.first < row.first).map((other) => ({ ...other, past: row.first })),
      ...gone.filter((other) => other.past > row.past).map((other) => ({ ...other, first: row.past })),
    ];
    const after = [...before.filter((other) => !isOver(other)), ...put];
    this.#leases.set(
      row.contest,
      after.toSorted((a, b) => a.first - b.first),
    );
    return { gone, put };
  }

  /** The leases that have units of this one. */
  under({ contest, first, past }: Pick<UpstreamLeaseRow, 'contest' | 'first' | 'past'>): UpstreamLeaseRow[] {
    return (this.#leases.get(contest) ?? []).filter((other) => other.past > first && other.first < past);
  }

  remove({ id, contest, first }: Pick<UpstreamLeaseRow, 'id' | 'contest' | 'first'>): void {
    const leases = this.#leases.get(contest) ?? [];
    this.#leases.set(
      contest,
      leases.filter((lease) => lease.id !== id || lease.first !== first),
    );
  }

  /** The lease that the unit is in. */
  at(contest: string, unit: number): UpstreamLeaseRow | undefined {
    const leases = this.#leases.get(contest) ?? [];
    let low = 0;
    let high = leases.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((leases[middle] as UpstreamLeaseRow).first <= unit) low = middle + 1;
      else high = middle;
    }
    const lease = leases[low - 1];
    return lease !== undefined && unit < lease.past ? lease : undefined;
  }

  all(): UpstreamLeaseRow[] {
    return [...this.#leases.values()].flat();
  }
}
