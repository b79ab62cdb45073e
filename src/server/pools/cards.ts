/**
 * Business cards (ASAP): proxies that are elements of a pool leave where they are found, and are called back when a contest is over, so
 * that they hear of it at once and not with their next reports. The keymaster vouches for the address, so a card cannot
 * make a keyserver call anyone else.
 */
import type { ContestState } from '../../domain/contest.ts';
import type { BusinessCard } from '../../protocol/pools.ts';
import { BoundedMap } from '../proof/bounded-map.ts';
import { readVoucher, type VoucherTrust } from '../proof/voucher.ts';

const CARDS_KEPT = 1000;
const CALL_EVERY_MS = 5000;

export class Cards {
  readonly #addresses = new BoundedMap<string, string>(CARDS_KEPT);
  readonly #call: (address: string) => Promise<void>;
  #closed: ReadonlySet<string> | undefined;
  #calledAt = Number.NEGATIVE_INFINITY;

  constructor(call: (address: string) => Promise<void>) {
    this.#call = call;
  }

  /** A proxy, that has shown that it is itself, left its card. */
  leave(proxy: string, card: BusinessCard, trust: VoucherTrust): void {
    const read = readVoucher(card.voucher, trust);
    const [address] = read.ok ? read.claims.addresses : [];
    if (!read.ok || address === undefined || read.claims.sub !== proxy || read.claims.handle !== card.handle) return;
    this.#addresses.set(proxy, address);
  }

  /** How contests stand: where one is over that was not before, everyone is called. @returns how many were. */
  async look(contests: readonly ContestState[], now: number): Promise<number> {
    const closed = new Set(contests.filter(({ state }) => state === 'closed').map(({ name }) => name));
    const before = this.#closed;
    this.#closed = closed;
    if (before === undefined || [...closed].every((name) => before.has(name))) return 0;
    if (now - this.#calledAt < CALL_EVERY_MS) {
      // The next look finds it.
      this.#closed = before;
      return 0;
    }
    this.#calledAt = now;
    const addresses = [...this.#addresses.values()];
    await Promise.all(addresses.map((address) => this.#call(address).catch(() => {})));
    return addresses.length;
  }
}
