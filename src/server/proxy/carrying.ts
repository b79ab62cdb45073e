/**
 * A proxy's conversation with an upstream that it never meets, in files (`protocol/buffers-file.ts`). That a person brings
 * one says who may change things here; what the file says must still hold: a proof for every block, signed by the keys
 * it names and given to this proxy.
 *
 * Nothing in a file is an order: verdicts of reports that are gone, blocks that are here, states older than those known
 * are passed over.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ContestManifest } from '../../domain/contest.ts';
import type { Lease } from '../../domain/work.ts';
import {
  type BlocksFile,
  BUFFERS_FORMAT,
  type Carrier,
  FIRST_WISH_UNITS,
  type ReportsFile,
  type Taken,
  type Wish,
} from '../../protocol/buffers-file.ts';
import { RefusedError } from '../../protocol/errors.ts';
import type { Books } from '../ledger/books.ts';
import type { Desk } from '../ledger/desk.ts';
import { checkProof, lastOf, linksIn, MAX_LINKS, readProof, rootOf } from '../proof/chain.ts';
import type { KeyPair } from '../proof/key.ts';
import { enterContests, rowOf, takeLease, takeVerdicts } from './answers.ts';
import { waitingParcels } from './coalesce.ts';
import { Holding } from './holding.ts';
import type { Known } from './known.ts';
import type { ProxyPorts } from './proxy.ts';
import { selfOf } from './self.ts';

/** Reports in one file, and about how long their text may be: what a machine can easily read at once. */
const MAX_ROWS = 200_000;
const MAX_REPORT_BYTES = 128_000_000;

export class Carrying implements Carrier {
  readonly #ports: ProxyPorts;
  readonly #desk: Desk;
  readonly #key: KeyPair;
  readonly #known: Known;

  constructor(ports: ProxyPorts, desk: Desk, key: KeyPair, known: Known) {
    this.#ports = ports;
    this.#desk = desk;
    this.#key = key;
    this.#known = known;
  }

  async handUp(want?: readonly Wish[]): Promise<ReportsFile> {
    await this.#known.look();
    const { parcels } = await this.#ports.store.read((ledger) => waitingParcels(ledger, MAX_ROWS, MAX_REPORT_BYTES));
    const rows = parcels.reduce((sum, { ids }) => sum + ids.length, 0);
    return {
      format: BUFFERS_FORMAT,
      kind: 'reports',
      madeAt: this.#ports.clock(),
      client: selfOf(this.#ports, this.#key),
      reports: parcels.map(({ ids: places, report }) => ({ places, report })),
      left: Math.max(0, this.#known.waiting.count - rows),
      want: [...(want ?? this.#wishes())],
      holding: this.#known.holding.all().map(({ id }) => id),
    };
  }

  /** To the high mark of every contest: the next file may be long in coming. */
  #wishes(): Wish[] {
    if (this.#known.states.size === 0) return [{ units: FIRST_WISH_UNITS }];
    return this.#known.stock
      .filter(({ free, high }) => free < high)
      .map(({ contest, free, high }) => ({ units: high - free, contests: [contest] }));
  }

  async take(file: BlocksFile): Promise<Taken> {
    this.#check(file);
    // A file whose maker's clock was ahead is the newest only until then.
    if (file.madeAt > Math.min(this.#known.toldAt, this.#ports.clock())) await this.#hear(file);
    try {
      return await this.#desk.run((books, now) => this.#apply(books, file, now));
    } catch (error) {
      this.#known.holding = new Holding(await this.#ports.store.read((ledger) => ledger.upstream.upstreamLeases()));
      throw error;
    } finally {
      await this.#known.look();
    }
  }

  /** How the contests stand and who is trusted, as the newest file says. */
  async #hear(file: BlocksFile): Promise<void> {
    const before = this.#known.toldAt;
    try {
      await this.#desk.run(async (books) => {
        refuseOthers(books, file);
        await enterContests(books, file.contests);
        this.#known.states = new Map(file.contests.map(({ state }) => [state.name, state]));
        this.#known.trusted = file.trusted;
        this.#known.messages = file.messages;
        this.#known.toldAt = file.madeAt;
        await this.#known.keep(books.ledger);
      });
    } catch (error) {
      // Not written: the file is still the newest.
      this.#known.toldAt = before;
      throw error;
    }
  }

  async #apply(books: Books, file: BlocksFile, now: number): Promise<Taken> {
    const verdicts = file.verdicts.map(({ places: ids, result }) => ({ ids, result }));
    await takeVerdicts(this.#known, books, verdicts);
    // As the table has it: this may be the second try of a commit.
    this.#known.holding = new Holding(await books.ledger.upstream.upstreamLeases());
    const taken: Taken = { blocks: [], known: 0, over: 0 };
    for (const lease of file.leases) {
      const { contest, count } = lease;
      if (this.#isOver(lease, now)) taken.over += 1;
      else if (await this.#isKnown(books, lease)) taken.known += 1;
      else if (!(await takeLease(this.#known, books, lease))) taken.over += 1;
      else {
        const sum = taken.blocks.find((some) => some.contest === contest);
        if (sum === undefined) taken.blocks.push({ contest, blocks: 1, units: count });
        else {
          sum.blocks += 1;
          sum.units += count;
        }
      }
    }
    return taken;
  }

  #isOver(lease: Lease, now: number): boolean {
    const proof = readProof(lease.proof ?? '');
    const isTrusted = proof.ok && this.#known.trusted.includes(rootOf(proof.links));
    const later = this.#known.holding.under(rowOf(lease)).some((other) => other.expires_at > lease.expiresAt);
    return !isTrusted || lease.expiresAt <= now || later || linksIn(lease.proof ?? '') >= MAX_LINKS;
  }

  async #isKnown(books: Books, { id, contest, first, count }: Lease): Promise<boolean> {
    if (this.#known.holding.at(contest, first)?.id === id) return true;
    const line = books.get(contest)?.line;
    await line?.load([{ first, count }]);
    const run = line?.at(first);
    return run?.state === 'done' && run.past >= first + count;
  }

  /** @throws RefusedError */
  #check(file: BlocksFile): void {
    const { id } = this.#key;
    if (file.for !== id) {
      const detail = `the blocks are for ${file.for}, and this proxy is ${id}`;
      throw new RefusedError('conflict', detail, { status: 409, field: '/for' });
    }
    for (const [i, lease] of file.leases.entries()) {
      const proof = checkProof(lease.proof ?? '', { isTrusted: (key) => file.trusted.includes(key) });
      const detail = proof.ok ? untold(lease, lastOf(proof.links), id) : proof.detail;
      if (detail === undefined) continue;
      throw new RefusedError('proof_false', `/leases/${i}/proof: ${detail}`, {
        status: 422,
        field: `/leases/${i}/proof`,
      });
    }
    for (const [i, { manifest }] of file.contests.entries()) {
      try {
        this.#ports.kinds[manifest.search.kind].validate(manifest);
      } catch (cause) {
        const field = `/contests/${i}/manifest`;
        throw new RefusedError('body_malformed', `${field}: ${(cause as Error).message}`, { field, cause });
      }
    }
  }
}

/** What the proof of a block does not say of it. */
function untold(lease: Lease, last: ReturnType<typeof lastOf>, holder: string): string | undefined {
  if (last.sub !== holder) return 'the block was given to somebody else';
  const { id, contest, first, count, expiresAt } = lease;
  const isSame =
    last.jti === id &&
    last.contest === contest &&
    last.first === first &&
    last.count === count &&
    last.exp === expiresAt;
  return isSame ? undefined : 'it is of another block';
}

/** A contest never changes: one of the same name that is another search is another keyserver's. */
function refuseOthers(books: Books, { contests }: BlocksFile): void {
  const entered = new Map([...books.all()].map(({ manifest }) => [manifest.name, manifest]));
  for (const [i, { manifest }] of contests.entries()) {
    const known: ContestManifest | undefined = entered.get(manifest.name);
    if (known === undefined) continue;
    if (known.units === manifest.units && isDeepStrictEqual(known.search, manifest.search)) continue;
    const detail = `the contest ${manifest.name} is another search there than here: the file is from a strange keyserver`;
    throw new RefusedError('conflict', detail, { status: 409, field: `/contests/${i}/manifest` });
  }
}
