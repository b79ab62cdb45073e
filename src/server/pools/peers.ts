/**
 * A handlespace that registrars keep in step by telling each other (ENRP, RFC 5353), over HTTP: each change goes to all; a presence
 * every second carries the checksum of the sender's own elements, and who finds another than its own copy has asks for the
 * table; who is silent and does not answer either is taken over, after all others were asked (init-takeover), the lower
 * identifier winning where two want to.
 *
 * Messages are signed by the registrar's key, for which the keymaster vouches. An element's registration travels as the
 * element signed it, so no registrar can invent one.
 *
 * Nothing waits for the others' answers: one that is frozen would hold up registrations, and the presence of whoever waits.
 */
import {
  EnrpClaims,
  type EnrpMessage,
  type Entry,
  MAX_ENTRIES,
  RegistrationClaims,
  type Vouched,
} from '../../protocol/pools.ts';
import { CLOCK_SKEW_MS } from '../proof/assertion.ts';
import { signJws } from '../proof/jws.ts';
import type { KeyPair } from '../proof/key.ts';
import { StatementReader } from '../proof/voucher.ts';
import {
  type Handlespace,
  type KnownRegistrar,
  type OnEvent,
  REGISTRAR_SILENT_MS,
  type Reason,
} from './handlespace.ts';
import { isOfSame, type Member, memberOf, Table } from './table.ts';

export interface PeersPorts {
  id: number;
  address: string;
  key: KeyPair;
  /** The keymaster's word for that key; undefined where there is none yet. */
  voucher: () => string | undefined;
  isTrusted: (keymaster: string) => boolean;
  isRevoked: (key: string) => boolean;
  /** Where other registrars are. */
  mentors: readonly string[];
  /** @returns what was answered; undefined: nothing, or a refusal. */
  send: (address: string, message: Vouched) => Promise<Vouched | undefined>;
  clock: () => number;
  onEvent: OnEvent;
}

const PRESENCE_EVERY_MS = 1000;
/** Registrars that are not there are looked for so often. */
const HUNT_EVERY_MS = 3000;
/** A checksum that differs may be overtaken by the change itself: the second time it is believed. */
const DIFFERENCES_BELIEVED = 2;
/** A table lacks what was told after it was written. */
const FRESH_MS = 2000;

interface Peer extends KnownRegistrar {
  /** Presences in a row whose checksum was another. */
  differences: number;
  isResyncing: boolean;
}

const enrp = new StatementReader(EnrpClaims);
const registration = new StatementReader(RegistrationClaims, { comesAgain: true });

export class PeerHandlespace implements Handlespace {
  readonly mode = 'peers';
  readonly table = new Table();
  readonly #ports: PeersPorts;
  readonly #peers = new Map<number, Peer>();
  /** Every place where a registrar is, or was. */
  readonly #places: Set<string>;
  /** Registrars that this one is about to take over; false: it has given way to another. */
  readonly #taking = new Map<number, boolean>();
  /** Homes that are not known, and since when. */
  readonly #strange = new Map<number, number>();
  #saidAt = Number.NEGATIVE_INFINITY;
  #huntedAt = Number.NEGATIVE_INFINITY;

  constructor(ports: PeersPorts) {
    this.#ports = ports;
    this.#places = new Set(ports.mentors);
  }

  registrars(): KnownRegistrar[] {
    return [...this.#peers.values()].map(({ id, address, heardAt }) => ({ id, address, heardAt }));
  }

  async put(member: Member): Promise<boolean> {
    this.table.put(member);
    void this.#tell({ is: 'update', entry: entryOf(member) });
    return true;
  }

  async remove(member: Member, reason: Reason): Promise<void> {
    const { handle, id, iat } = member.claims;
    this.table.remove(handle, id);
    void this.#tell({ is: 'removal', handle, id, iat, reason });
  }

  async tick(): Promise<void> {
    const { clock, address } = this.#ports;
    const now = clock();
    if (now - this.#saidAt >= PRESENCE_EVERY_MS) {
      this.#saidAt = now;
      void this.#tell(this.#presence());
    }
    if (now - this.#huntedAt >= HUNT_EVERY_MS) {
      this.#huntedAt = now;
      const here = new Set([address, ...[...this.#peers.values()].map((peer) => peer.address)]);
      for (const place of this.#places) if (!here.has(place)) void this.#ask(place, 0, this.#presence());
    }
    for (const peer of this.#peers.values()) {
      if (now - peer.heardAt > REGISTRAR_SILENT_MS) void this.#missed(peer);
    }
    this.#adopt();
  }

  async close(): Promise<void> {}

  /** A message of another registrar. @returns the answer; a sentence where it is refused. */
  async receive(vouched: Vouched): Promise<Vouched | string> {
    const read = this.#read(vouched);
    if (typeof read === 'string') return read;
    const { from, to, message } = read;
    if (to !== 0 && to !== this.#ports.id) return 'the message is for another registrar';
    if (message.is === 'presence') this.#heard(from, message.address, message);
    else if (this.#peers.has(from)) this.#heard(from);
    return this.#signed(from, this.#answer(from, message));
  }

  #answer(from: number, message: EnrpMessage): EnrpMessage {
    const { id } = this.#ports;
    switch (message.is) {
      case 'presence':
        return this.#presence();
      case 'table-request':
        return this.#part(message.after);
      case 'update':
        this.#merge(message.entry, from);
        return { is: 'ok' };
      case 'removal': {
        const known = this.table.get(message.handle, message.id);
        // Whoever the home is: the registration is over, or there is a later one.
        if (known !== undefined && known.claims.iat <= message.iat) {
          this.table.remove(message.handle, message.id);
        }
        return { is: 'ok' };
      }
      case 'list-request':
        return { is: 'list', registrars: this.registrars().map(({ id, address }) => ({ id, address })) };
      case 'init-takeover':
        return { is: 'takeover-ack', target: message.target, agrees: this.#agrees(from, message.target) };
      case 'takeover':
        if (message.target !== id) {
          this.#peers.delete(message.target);
          this.#taking.delete(message.target);
          this.#moved(message.target, from);
        }
        return { is: 'ok' };
      case 'table':
      case 'list':
      case 'takeover-ack':
      case 'ok':
        return { is: 'ok' };
    }
  }

  #agrees(from: number, target: number): boolean {
    const { id, clock } = this.#ports;
    if (target === id) return false;
    const peer = this.#peers.get(target);
    if (peer !== undefined && clock() - peer.heardAt <= REGISTRAR_SILENT_MS) return false;
    if (!this.#taking.has(target)) return true;
    if (from > id) return false;
    this.#taking.set(target, false);
    return true;
  }

  /** It is silent: it is asked, and taken over where it does not answer. */
  async #missed(peer: Peer): Promise<void> {
    const { id, clock } = this.#ports;
    if (this.#taking.has(peer.id)) return;
    this.#taking.set(peer.id, true);
    try {
      const isThere = () => clock() - peer.heardAt <= REGISTRAR_SILENT_MS || this.#peers.get(peer.id) !== peer;
      await this.#ask(peer.address, peer.id, this.#presence());
      if (isThere()) return;
      const others = [...this.#peers.values()].filter((one) => one !== peer);
      const answers = await Promise.all(
        others.map((one) => this.#ask(one.address, one.id, { is: 'init-takeover', target: peer.id })),
      );
      const isDenied = answers.some((answer) => answer?.is === 'takeover-ack' && !answer.agrees);
      if (isDenied || isThere() || this.#taking.get(peer.id) !== true) return;
      this.#peers.delete(peer.id);
      this.#moved(peer.id, id);
      await this.#tell({ is: 'takeover', target: peer.id });
    } finally {
      this.#taking.delete(peer.id);
    }
  }

  #moved(from: number, home: number): void {
    if (this.table.rehome(from, home) > 0) this.#ports.onEvent({ what: 'takeover', id: from, home });
  }

  #heard(id: number, address?: string, said?: { checksum: number; count: number }): void {
    const { clock, onEvent } = this.#ports;
    if (id === this.#ports.id) return;
    let peer = this.#peers.get(id);
    if (peer === undefined) {
      if (address === undefined) return;
      peer = { id, address, heardAt: clock(), differences: 0, isResyncing: false };
      this.#peers.set(id, peer);
      // Its place may have had another registrar, before a new start.
      for (const other of this.#peers.values()) {
        if (other.id !== id && other.address === address) this.#replaced(other);
      }
      onEvent({ what: 'registrar-joined', id, address });
      void this.#meet(peer);
    }
    peer.heardAt = clock();
    if (address !== undefined) {
      peer.address = address;
      this.#places.add(address);
    }
    if (said === undefined) return;
    const { checksum, count } = this.table.tally(id);
    if (checksum === said.checksum && count === said.count) peer.differences = 0;
    else if (++peer.differences >= DIFFERENCES_BELIEVED) void this.#resync(peer);
  }

  /**
   * A process was started anew at its address: the one before it will not come back. Everyone who sees that takes its elements,
   * for the new one knows none of them, and the lower identifier keeps them.
   */
  #replaced(old: Peer): void {
    this.#peers.delete(old.id);
    this.#moved(old.id, this.#ports.id);
  }

  /** Elements of a home that is not known, or no more: where it does not turn up, this is their home. */
  #adopt(): void {
    const { id, clock } = this.#ports;
    const now = clock();
    const strange = new Set(this.table.homes().filter((home) => home !== id && !this.#peers.has(home)));
    for (const home of this.#strange.keys()) if (!strange.has(home)) this.#strange.delete(home);
    for (const home of strange) {
      const since = this.#strange.get(home) ?? now;
      this.#strange.set(home, since);
      if (now - since > REGISTRAR_SILENT_MS) this.#moved(home, id);
    }
  }

  /** A registrar that was not known: what it has, and whom it knows. */
  async #meet(peer: Peer): Promise<void> {
    const { id } = this.#ports;
    const answer = await this.#ask(peer.address, peer.id, { is: 'list-request' });
    if (answer?.is === 'list') {
      for (const other of answer.registrars) {
        if (other.id === id || this.#peers.has(other.id)) continue;
        this.#places.add(other.address);
        void this.#ask(other.address, 0, this.#presence());
      }
    }
    await this.#resync(peer);
  }

  /** Audit: takes the table of another registrar's own elements for what it says. */
  async #resync(peer: Peer): Promise<void> {
    if (peer.isResyncing) return;
    peer.isResyncing = true;
    const began = this.#ports.clock();
    try {
      const there = new Set<string>();
      for (let after: { handle: string; id: number } | undefined, isFirst = true; isFirst || after !== undefined; ) {
        isFirst = false;
        const part = await this.#ask(peer.address, peer.id, {
          is: 'table-request',
          ...(after === undefined ? {} : { after }),
        });
        if (part?.is !== 'table') return;
        for (const entry of part.entries) {
          const member = this.#merge(entry, peer.id);
          if (member !== undefined) there.add(`${member.claims.handle} ${member.claims.id}`);
        }
        after = part.next;
      }
      for (const member of this.table.all()) {
        const { handle, id } = member.claims;
        if (member.home !== peer.id || there.has(`${handle} ${id}`) || began - member.seenAt < FRESH_MS) continue;
        this.table.remove(handle, id);
      }
      peer.differences = 0;
    } finally {
      peer.isResyncing = false;
    }
  }

  /** Takes an element that another registrar tells of, where that is news. @returns it, where it is what it says. */
  #merge(entry: Entry, from: number): Member | undefined {
    const { clock, isTrusted, isRevoked, id } = this.#ports;
    // Each speaks for its own.
    if (entry.home !== from) return undefined;
    const now = clock();
    const read = registration.read(entry, { isTrusted, isRevoked, now });
    if (!read.ok) return undefined;
    const { claims, voucher } = read.claims;
    if (!isVouchedFor(claims, voucher)) return undefined;
    const member = memberOf(entry, claims, voucher.sub, now);
    const known = this.table.get(claims.handle, claims.id);
    if (known !== undefined && !isOfSame(known, claims, member.key)) return undefined;
    if (!this.table.isNews(member)) {
      // Of a home that is gone anyone may be the next.
      const isOrphan = known !== undefined && known.home !== id && !this.#peers.has(known.home);
      if (isOrphan && known.claims.iat === claims.iat) this.table.put({ ...known, home: from });
      return member;
    }
    // That it has another home is no sign of it.
    this.table.put(known?.claims.iat === claims.iat ? { ...known, home: from } : member);
    return member;
  }

  /** Those of its own after a place, in the order of their places. */
  #part(after: { handle: string; id: number } | undefined): EnrpMessage {
    const rest = this.table.after(this.#ports.id, after, MAX_ENTRIES + 1);
    const some = rest.slice(0, MAX_ENTRIES);
    const last = some.at(-1)?.claims;
    return {
      is: 'table',
      entries: some.map(entryOf),
      ...(rest.length > some.length && last !== undefined ? { next: { handle: last.handle, id: last.id } } : {}),
    };
  }

  #presence(): EnrpMessage {
    const { id, address } = this.#ports;
    return { is: 'presence', address, ...this.table.tally(id) };
  }

  async #tell(message: EnrpMessage): Promise<void> {
    await Promise.all([...this.#peers.values()].map(({ id, address }) => this.#ask(address, id, message)));
  }

  async #ask(address: string, to: number, message: EnrpMessage): Promise<EnrpMessage | undefined> {
    const signed = this.#signed(to, message);
    if (typeof signed === 'string') return undefined;
    const answer = await this.#ports.send(address, signed);
    const read = answer === undefined ? undefined : this.#read(answer);
    if (read === undefined || typeof read === 'string' || (to !== 0 && read.from !== to)) return undefined;
    const said = read.message;
    if (said.is === 'presence') this.#heard(read.from, said.address, said);
    else this.#heard(read.from);
    return said;
  }

  #signed(to: number, message: EnrpMessage): Vouched | string {
    const { id, key, voucher, clock } = this.#ports;
    const own = voucher();
    if (own === undefined) return 'this registrar has no word of the keymaster yet';
    const claims: EnrpClaims = { aud: 'tabherd-enrp', from: id, to, iat: clock(), message };
    return { statement: signJws(claims, key), voucher: own };
  }

  #read(vouched: Vouched): EnrpClaims | string {
    const { isTrusted, isRevoked, clock } = this.#ports;
    const now = clock();
    const read = enrp.read(vouched, { isTrusted, isRevoked, now });
    if (!read.ok) return read.detail;
    const { claims, voucher } = read.claims;
    if (voucher.registrar !== true) return 'the voucher is for no registrar';
    if (Math.abs(claims.iat - now) > CLOCK_SKEW_MS) return 'the message is of another time: compare the clocks';
    return claims;
  }
}

const entryOf = ({ statement, voucher, home }: Member): Entry => ({ statement, voucher, home });

/** Whether the keymaster vouches for what an element says. */
export function isVouchedFor(
  { handle, addresses }: RegistrationClaims,
  voucher: { handle?: string; addresses: readonly string[] },
): boolean {
  return voucher.handle === handle && addresses.every((address) => voucher.addresses.includes(address));
}
