/**
 * What became of every unit, noted beside the ledgers and compared with them in the end: what clients were given and
 * finished, what the keymaster credited to whom and how long after, and what was worked in vain.
 */
import type { ClientInfo } from '../../../domain/client.ts';
import type { Lease, Report } from '../../../domain/work.ts';
import type { ReportResult } from '../../../protocol/keyserver.ts';

const CREDITED = 1;
const GIVEN = 2;
const CHUNK = 65_536;

export class Audit {
  /** Given to clients. */
  blocks = 0;
  units = 0;
  /** Units that clients were given although others had been given them before. */
  reissued = 0;
  /** Blocks whose lease ran out before their report was handed in; of those, reported late. */
  expired = 0;
  late = 0;
  /** Worked to the end. */
  finishedBlocks = 0;
  finishedUnits = 0;
  /** Finished units whose report never left a client that did not come back. */
  neverSent = 0;
  /** Units in hand of clients that did not come back. */
  abandoned = 0;
  /** Work on blocks that were dropped or abandoned unfinished, in units. */
  unfinished = 0;
  /** What clients were told. */
  believed = { credited: 0, duplicate: 0, refused: 0 };
  /** What the keymaster said. */
  credited = 0;
  duplicate = 0;
  refused = 0;
  readonly creditOf = new Map<string, number>();
  /** Units for which a client was told credit, or that they had been done. */
  readonly handedInOf = new Map<string, number>();
  /** Units credited although they had been before: there must be none. */
  creditedTwice = 0;
  /** From finished to credited, seconds, a value for each block. */
  readonly waits: number[] = [];

  readonly #flags = new Map<number, Uint8Array>();
  readonly #finishedAt = new Map<string, number>();

  given({ first, count }: Lease): void {
    this.blocks += 1;
    this.units += count;
    for (let unit = first; unit < first + count; unit++) if (!this.#mark(unit, GIVEN)) this.reissued += 1;
  }

  finished(client: string, { first, count }: Lease, at: number): void {
    this.finishedBlocks += 1;
    this.finishedUnits += count;
    this.#finishedAt.set(`${client} ${first}`, at);
  }

  /** A client was answered. */
  answered(client: string, count: number, { outcome, credited }: ReportResult): void {
    if (outcome === 'refused') {
      this.believed.refused += count;
      return;
    }
    this.believed.credited += credited;
    this.believed.duplicate += count - credited;
    // Of a report whose answer was lost a client hears the second time that it is a duplicate.
    this.handedInOf.set(client, (this.handedInOf.get(client) ?? 0) + count);
  }

  /** The keymaster has settled a report. */
  settled({ id }: ClientInfo, { first, evidence }: Report, { outcome, credited }: ReportResult, now: number): void {
    const count = evidence.length;
    if (outcome === 'refused') this.refused += count;
    else this.duplicate += count - credited;
    if (outcome !== 'accepted') return;
    this.credited += credited;
    this.creditOf.set(id, (this.creditOf.get(id) ?? 0) + credited);
    let fresh = 0;
    for (let unit = first; unit < first + count; unit++) {
      if (this.#mark(unit, CREDITED)) fresh += 1;
      const key = `${id} ${unit}`;
      const at = this.#finishedAt.get(key);
      if (at === undefined) continue;
      this.waits.push((now - at) / 1000);
      this.#finishedAt.delete(key);
    }
    this.creditedTwice += credited - fresh;
  }

  /** @returns whether it had not been marked before. */
  #mark(unit: number, flag: number): boolean {
    const chunk = Math.floor(unit / CHUNK);
    let flags = this.#flags.get(chunk);
    if (flags === undefined) {
      flags = new Uint8Array(CHUNK);
      this.#flags.set(chunk, flags);
    }
    const before = flags[unit % CHUNK] ?? 0;
    flags[unit % CHUNK] = before | flag;
    return (before & flag) === 0;
  }
}
