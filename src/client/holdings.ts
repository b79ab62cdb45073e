/**
 * What this client has: blocks, reports, contests, totals, as the engine sees them and as the buffers keep them. Every
 * change is made in memory at once and in the buffers behind it, so that the engine never waits to know what it has.
 */
import type { Announcement, Contest, ContestKindName, ContestState, Hit } from '../domain/contest.ts';
import type { CoreReport } from '../domain/core-report.ts';
import type { BlockCheckpoint, Lease, Report } from '../domain/work.ts';
import type { ReportResult } from '../protocol/keyserver.ts';
import { type Buffers, type Facts, type Saved, type StoredBlock, withCheckpoint } from './buffers.ts';
import type { KeptHistory } from './rate-history.ts';
import { withRun } from './runs.ts';
import { SafeBuffers } from './safe-buffers.ts';
import { type Settings, settingsOf } from './settings.ts';
import type { Found, Totals } from './snapshot.ts';
import { learn } from './stock.ts';
import type { StorageLoss } from './storage-loss.ts';

export class Holdings {
  readonly clientId: string;
  readonly #buffers: SafeBuffers;
  #blocks = new Map<string, StoredBlock>();
  #reports = new Map<string, Report>();
  #facts: Partial<Facts> = {};
  #mine = new Set<string>();

  private constructor(buffers: SafeBuffers, clientId: string) {
    this.#buffers = buffers;
    this.clientId = clientId;
  }

  /** @param reopen opens the same storage once more, after it has failed. */
  static async open(storage: Buffers, reopen?: () => Promise<Buffers>): Promise<Holdings> {
    const buffers = new SafeBuffers(storage, reopen);
    const saved = await buffers.load();
    const holdings = new Holdings(buffers, await buffers.clientId(newClientId()));
    holdings.#take(saved);
    return holdings;
  }

  /** Reads the buffers again: another tab may have worked on them. */
  async reload(): Promise<void> {
    this.#take(await this.#buffers.load());
  }

  #take({ blocks, reports, facts }: Saved): void {
    this.#blocks = new Map(blocks.map((block) => [block.lease.id, block]));
    this.#reports = new Map(reports.map((report) => [report.lease, report]));
    this.#facts = facts;
    this.#mine = new Set(facts.mine);
  }

  close(): Promise<void> {
    return this.#buffers.close();
  }

  /** For steps of which it is told by `reload`. */
  get buffers(): Buffers {
    return this.#buffers;
  }

  get storageLoss(): StorageLoss | undefined {
    return this.#buffers.loss;
  }

  /** See `SafeBuffers.rescue`. */
  rescue(mine: boolean): Promise<boolean> {
    return this.#buffers.rescue(mine);
  }

  set onStorageLost(listener: (reason: unknown) => void) {
    this.#buffers.onLost = listener;
  }

  // ── facts ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Undefined until the person chose. */
  get wanted(): boolean | undefined {
    return this.#facts.wanted;
  }

  get stopped(): string | undefined {
    return this.#facts.stopped;
  }

  get waitUntil(): number {
    return this.#facts.waitUntil ?? 0;
  }

  get dismissed(): readonly string[] {
    return this.#facts.dismissed ?? [];
  }

  get settings(): Settings {
    return settingsOf(this.#facts.settings);
  }

  get snoozedUntil(): number {
    return this.#facts.snoozedUntil ?? 0;
  }

  get history(): KeptHistory | undefined {
    return this.#facts.history;
  }

  get contests(): readonly Contest[] {
    return this.#facts.contests ?? [];
  }

  get speeds(): Readonly<Record<string, number>> {
    return this.#facts.speeds ?? {};
  }

  get totals(): Totals {
    return this.#facts.totals ?? {};
  }

  /** The units of acknowledged reports and of those that wait, by contest. */
  get own(): Record<string, number[]> {
    const own = new Map(Object.entries(this.totals).map(([contest, { runs = [] }]) => [contest, runs]));
    for (const { contest, first, evidence } of this.#reports.values()) {
      own.set(contest, withRun(own.get(contest) ?? [], { first, count: evidence.length }));
    }
    return Object.fromEntries(own);
  }

  keep<K extends keyof Facts>(key: K, value: Facts[K]): void {
    this.#facts = { ...this.#facts, [key]: value };
    void this.#buffers.setFact(key, value);
  }

  contest(name: string): Contest | undefined {
    return this.contests.find(({ manifest }) => manifest.name === name);
  }

  /** Returns false where a state is of a contest not known yet. */
  noteStates(states: readonly ContestState[]): boolean {
    const byName = new Map(states.map((state) => [state.name, state]));
    const noted = this.contests.map((contest) => ({
      ...contest,
      state: byName.get(contest.manifest.name) ?? contest.state,
    }));
    this.keep('contests', noted);
    return states.every(({ name }) => this.contest(name) !== undefined);
  }

  /** Hits in this client's own report, shown before the keyserver has confirmed them. */
  noteOwnHits(contest: string, hits: readonly Hit[]): void {
    const known = this.contest(contest);
    if (hits.length === 0 || known === undefined) return;
    for (const hit of hits) this.#mine.add(mark(contest, hit));
    this.keep('mine', [...this.#mine]);
    const told = new Set(known.state.hits.map((hit) => mark(contest, hit)));
    const fresh = hits.filter((hit) => !told.has(mark(contest, hit)));
    this.noteStates([{ ...known.state, hits: [...known.state.hits, ...fresh] }]);
  }

  get found(): Found[] {
    return this.contests.flatMap(({ manifest: { name }, state }) =>
      state.hits.map((hit) => ({ contest: name, hit, mine: this.#mine.has(mark(name, hit)) })),
    );
  }

  /** A first guess of a contest's units a second, where nothing is known yet. */
  guessSpeed(contest: string, unitsPerSecond: number | undefined): void {
    if (unitsPerSecond === undefined || this.speeds[contest] !== undefined) return;
    this.keep('speeds', { ...this.speeds, [contest]: unitsPerSecond });
  }

  /** How the cores of a kind did in this environment; undefined: not measured yet. */
  coresOf(kind: ContestKindName, environment: string): CoreReport[] | undefined {
    const kept = this.#facts.cores?.[kind];
    return kept?.environment === environment ? kept.tried : undefined;
  }

  keepCores(kind: ContestKindName, environment: string, tried: CoreReport[]): void {
    this.keep('cores', { ...this.#facts.cores, [kind]: { environment, tried } });
  }

  forgetCores(): void {
    this.keep('cores', {});
  }

  // ── blocks and reports ────────────────────────────────────────────────────────────────────────────────────────

  get blocks(): ReadonlyMap<string, StoredBlock> {
    return this.#blocks;
  }

  get reports(): ReadonlyMap<string, Report> {
    return this.#reports;
  }

  /** The ids of all leases it knows of. */
  get leases(): string[] {
    return [...this.#blocks.keys(), ...this.#reports.keys()];
  }

  /** Those it has already, as a block or a report, stay as they are. */
  async add(leases: readonly Lease[]): Promise<void> {
    const fresh = leases.filter(({ id }) => !this.#blocks.has(id) && !this.#reports.has(id));
    for (const lease of fresh) this.#blocks.set(lease.id, { lease });
    if (fresh.length > 0) await this.#buffers.addBlocks(fresh);
  }

  /** Notes a checkpoint; it reaches the buffers only by `save`. `undefined`: the block is to begin anew. */
  progress(lease: string, checkpoint: BlockCheckpoint | undefined): void {
    const block = this.#blocks.get(lease);
    if (block !== undefined) this.#blocks.set(lease, withCheckpoint(block, checkpoint));
  }

  /** Keeps a block's last noted checkpoint. */
  async save(lease: string): Promise<void> {
    const block = this.#blocks.get(lease);
    if (block !== undefined) await this.#buffers.saveCheckpoint(lease, block.checkpoint);
  }

  /** The block becomes a report. Learns the speed from it. */
  async finish(report: Report): Promise<void> {
    const { contest, evidence, seconds } = report;
    this.#blocks.delete(report.lease);
    this.#reports.set(report.lease, report);
    this.keep('speeds', { ...this.speeds, [contest]: learn(this.speeds[contest], evidence.length, seconds) });
    await this.#buffers.finishBlock(report);
  }

  async drop(leases: readonly string[]): Promise<void> {
    for (const lease of leases) this.#blocks.delete(lease);
    if (leases.length > 0) await this.#buffers.dropBlocks(leases);
  }

  async settle(results: readonly ReportResult[]): Promise<void> {
    if (results.length === 0) return;
    for (const { lease } of results) this.#reports.delete(lease);
    const totals = await this.#buffers.settle(results);
    this.#facts = { ...this.#facts, totals };
  }
}

const mark = (contest: string, hit: Announcement): string =>
  hit.kind === 'found' ? `${contest}/found/${hit.at}` : `${contest}/${hit.unit}`;

/** A random UUID, or as many random digits where a page without TLS has no `randomUUID`. */
export function newClientId(): string {
  if ('randomUUID' in crypto) return crypto.randomUUID();
  const bytes = (crypto as Crypto).getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
