/**
 * A registrar (RFC 5351): elements register with it (ASAP), it supervises those whose home it is, and answers pool users in
 * the order of the pool's policy. Which elements there are it shares with other registrars (`handlespace.ts`).
 *
 * It believes nobody that an element is gone. Whoever is silent, or said to be unreachable by three, is asked for a keep-alive
 * at the address that pool users have, and is removed only if none comes.
 */
import { RefusedError } from '../../protocol/errors.ts';
import {
  DeregistrationClaims,
  type KeepAlive,
  MAX_RESOLVED,
  type PoolEvent,
  type PoolsOverview,
  RegistrationClaims,
  type RegistrationReply,
  type Resolution,
  type Unreachable,
  type Vouched,
} from '../../protocol/pools.ts';
import { Selector } from '../../protocol/selection.ts';
import type { Log } from '../log.ts';
import { CLOCK_SKEW_MS } from '../proof/assertion.ts';
import { StatementReader } from '../proof/voucher.ts';
import type { Handlespace, Reason } from './handlespace.ts';
import { isVouchedFor } from './peers.ts';
import { isOfSame, type Member, memberOf } from './table.ts';

/** What elements, pool users and a page ask of a registrar, here or elsewhere. */
export interface RegistrarApi {
  /** @throws RefusedError */
  register(vouched: Vouched): Promise<RegistrationReply>;
  deregister(vouched: Vouched): Promise<void>;
  /** @throws RefusedError `not_found`: there is no such pool. */
  resolve(handle: string): Promise<Resolution>;
  /** @param address where the report comes from. @returns whether the element is known. */
  unreachable(handle: string, report: Unreachable, address: string): Promise<boolean>;
  overview(): Promise<PoolsOverview>;
}

export interface RegistrarPorts {
  id: number;
  /** Where pool users, elements and registrars find it. */
  address: string;
  space: Handlespace;
  isTrusted: (keymaster: string) => boolean;
  isRevoked: (key: string) => boolean;
  /** Asks an element for a keep-alive; undefined where none comes in time. */
  probe: (address: string) => Promise<KeepAlive | undefined>;
  clock: () => number;
  /** In [0, 1). */
  random: () => number;
  log: Log;
  /** Told of all that happens. */
  onHappened?: ((event: PoolEvent) => void) | undefined;
}

/** For how long a pool user need not ask again. */
const RESOLUTION_SECONDS = 300;
/** Distinct pool users that must have missed an element before a registrar looks. */
const REPORTS_BELIEVED = 3;
/** A registrar looks at one element no oftener, whatever is reported. */
const LOOK_EVERY_MS = 10_000;
/** So long a look takes at the most. */
const LOOK_MS = 3000;
const REPORTS_KEPT_MS = 60_000;
const EVENTS_KEPT = 100;
const ELEMENTS_SHOWN = 200;
/** An element registers anew in a third of its lifetime: where so much of it is over it is asked whether it is there. */
const OVERDUE = 0.4;
/** An element that answers keep-alives and does not register again is let go after so many lifetimes. */
const LIFETIMES = 3;

/** What this registrar has seen of an element by itself. */
interface Seen {
  /** Who could not reach it, by client and address. */
  reporters: Set<string>;
  reportedAt: number;
  lookedAt: number;
  selected: number;
}

const registration = new StatementReader(RegistrationClaims, { comesAgain: true });
const deregistration = new StatementReader(DeregistrationClaims);

export class Registrar implements RegistrarApi {
  readonly #ports: RegistrarPorts;
  readonly #selectors = new Map<string, Selector>();
  readonly #seen = new Map<string, Seen>();
  readonly #events: PoolEvent[] = [];

  constructor(ports: RegistrarPorts) {
    this.#ports = ports;
  }

  async register(vouched: Vouched): Promise<RegistrationReply> {
    const { id: home, space, clock, isTrusted, isRevoked, address } = this.#ports;
    const now = clock();
    const read = registration.read(vouched, { isTrusted, isRevoked, now });
    if (!read.ok) throw refusal(read.detail);
    const claims = read.claims.claims;
    const { voucher } = read.claims;
    if (!isVouchedFor(claims, voucher)) {
      throw refusal(`the keymaster does not vouch for ${claims.addresses.join(', ')} in ${claims.handle}`);
    }
    if (Math.abs(claims.iat - now) > CLOCK_SKEW_MS)
      throw refusal('the registration is of another time: compare the clocks');
    const { handle, id } = claims;
    const known = space.table.get(handle, id);
    if (known !== undefined && !isOfSame(known, claims, voucher.sub)) {
      throw new RefusedError('conflict', `element ${id} of ${handle} has another key`, { status: 409 });
    }
    // A second one of the same moment is the first, whose answer was lost.
    const isOld = known === undefined ? space.table.isOver(claims) : known.claims.iat > claims.iat;
    const member = memberOf({ ...vouched, home }, claims, voucher.sub, now);
    if (isOld || !(await space.put(member))) {
      throw new RefusedError('conflict', 'there is a later registration of this element', { status: 409 });
    }
    if (known === undefined) await this.#succeed(member);
    if (known === undefined) this.#happened({ what: 'joined', ...named(member), home });
    else if (known.home !== home) this.#happened({ what: 'moved', ...named(member), home });
    return { home, registrars: [address, ...space.registrars().map((one) => one.address)] };
  }

  async deregister(vouched: Vouched): Promise<void> {
    const { space, clock, isTrusted, isRevoked } = this.#ports;
    const read = deregistration.read(vouched, { isTrusted, isRevoked, now: clock() });
    if (!read.ok) throw refusal(read.detail);
    const { handle, id, iat } = read.claims.claims;
    const known = space.table.get(handle, id);
    if (known === undefined || known.claims.iat > iat) return;
    if (known.key !== read.claims.voucher.sub) {
      throw new RefusedError('conflict', `element ${id} of ${handle} has another key`, { status: 409 });
    }
    await this.#remove(known, 'left');
  }

  async resolve(handle: string): Promise<Resolution> {
    const { space, random } = this.#ports;
    const elements = space.table.elements(handle);
    const [lowest] = elements;
    if (lowest === undefined) throw new RefusedError('not_found', `there is no pool ${handle}`, { status: 404 });
    const selector = this.#selectors.get(handle) ?? new Selector();
    this.#selectors.set(handle, selector);
    const selected = selector.select(lowest.policy.kind, elements, MAX_RESOLVED, { random });
    const [first] = selected;
    if (first !== undefined) this.#seenOf(handle, first.id).selected += 1;
    return { handle, elements: selected, lifetimeSeconds: RESOLUTION_SECONDS };
  }

  async unreachable(handle: string, { element, client }: Unreachable, address: string): Promise<boolean> {
    const { space, clock } = this.#ports;
    const member = space.table.get(handle, element);
    if (member === undefined) return false;
    const seen = this.#seenOf(handle, element);
    const now = clock();
    if (now - seen.reportedAt > REPORTS_KEPT_MS) seen.reporters.clear();
    seen.reportedAt = now;
    if (seen.reporters.size < REPORTS_BELIEVED) seen.reporters.add(`${client} ${address}`);
    if (seen.reporters.size >= REPORTS_BELIEVED && now - seen.lookedAt >= LOOK_EVERY_MS) {
      this.#lookAt(member, 'unreachable');
    }
    return true;
  }

  async overview(): Promise<PoolsOverview> {
    const { id, address, space, clock } = this.#ports;
    const { table } = space;
    return {
      now: clock(),
      registrar: id,
      mode: space.mode,
      registrars: [
        { id, address, elements: table.tally(id).count },
        ...space.registrars().map((one) => ({ ...one, elements: table.tally(one.id).count })),
      ].toSorted((a, b) => a.id - b.id),
      pools: table.handles().map((handle) => {
        const members = [...table.members(handle)].toSorted((a, b) => a.claims.id - b.claims.id);
        return {
          handle,
          policy: members[0]?.claims.policy.kind ?? 'round-robin',
          count: members.length,
          elements: members.slice(0, ELEMENTS_SHOWN).map(({ claims, home, seenAt, since }) => {
            const seen = this.#seen.get(placeOf(handle, claims.id));
            return {
              id: claims.id,
              addresses: claims.addresses,
              policy: claims.policy,
              load: claims.load,
              home,
              since,
              seenAt,
              selected: seen?.selected ?? 0,
              unreachable: seen?.reporters.size ?? 0,
            };
          }),
        };
      }),
      events: this.#events.toReversed(),
    };
  }

  /** Looks after the elements whose home this is, and after the other registrars. For a timer of about a second. */
  async tick(): Promise<void> {
    const { id, space, clock } = this.#ports;
    await space.tick();
    const now = clock();
    const silent = [...space.table.all()].filter(
      ({ home, claims, seenAt }) => home === id && now - seenAt > OVERDUE * claims.lifetimeSeconds * 1000,
    );
    for (const member of silent) this.#lookAt(member, 'silent');
    if (this.#seen.size > 2 * space.table.size + 100) this.#forget();
  }

  /** For the handlespace: what it does by itself. */
  readonly onEvent = (event: Omit<PoolEvent, 'at'>): void => this.#happened(event);

  /** In passing: it may take seconds until who is gone does not answer. */
  #lookAt(member: Member, reason: Reason): void {
    const { handle, id } = member.claims;
    void this.#look(member, reason).catch((err: unknown) =>
      this.#ports.log.error({ err, handle, id }, 'an element could not be looked at'),
    );
  }

  async #look(member: Member, reason: Reason): Promise<void> {
    const { space, clock, probe } = this.#ports;
    const { handle, id, addresses, lifetimeSeconds } = member.claims;
    const seen = this.#seenOf(handle, id);
    const began = clock();
    if (began - seen.lookedAt < (reason === 'silent' ? LOOK_MS : LOOK_EVERY_MS)) return;
    seen.lookedAt = began;
    const answers = await Promise.all(addresses.map((address) => probe(address)));
    const isThere = answers.some((answer) => answer?.id === id && answer.handle === handle);
    const known = space.table.get(handle, id);
    if (known === undefined) return;
    if (isThere) {
      seen.reporters.clear();
      // A registrar that it cannot reach any more keeps it for a while.
      const age = clock() - known.claims.iat;
      if (reason === 'silent' && age < LIFETIMES * lifetimeSeconds * 1000)
        space.table.put({ ...known, seenAt: clock() });
      else if (reason === 'silent') await this.#remove(known, reason);
      return;
    }
    // It may have registered while it was looked at.
    if (known.claims.iat === member.claims.iat) await this.#remove(known, reason);
  }

  /**
   * A gateway started anew comes with another number. Whoever is at one of its addresses is the one before: the keymaster vouches
   * for the addresses. What was said later is no earlier process's, though, and stays.
   */
  async #succeed({ claims }: Member): Promise<void> {
    const { handle, id, iat, addresses } = claims;
    const before = [...this.#ports.space.table.members(handle)].filter(
      (one) =>
        one.claims.id !== id &&
        one.claims.iat <= iat &&
        one.claims.addresses.some((address) => addresses.includes(address)),
    );
    for (const one of before) await this.#remove(one, 'left');
  }

  async #remove(member: Member, reason: Reason): Promise<void> {
    const { handle, id } = member.claims;
    await this.#ports.space.remove(member, reason);
    this.#seen.delete(placeOf(handle, id));
    this.#happened({ what: reason, ...named(member) });
  }

  #happened(event: Omit<PoolEvent, 'at'>): void {
    const happened = { at: this.#ports.clock(), ...event };
    this.#events.push(happened);
    this.#ports.onHappened?.(happened);
    if (this.#events.length > EVENTS_KEPT) this.#events.shift();
    this.#ports.log.info(event, `pool: ${event.what}`);
  }

  #seenOf(handle: string, id: number): Seen {
    const place = placeOf(handle, id);
    let seen = this.#seen.get(place);
    if (seen === undefined) {
      seen = { reporters: new Set(), reportedAt: 0, lookedAt: Number.NEGATIVE_INFINITY, selected: 0 };
      this.#seen.set(place, seen);
    }
    return seen;
  }

  #forget(): void {
    const here = new Set([...this.#ports.space.table.all()].map(({ claims }) => placeOf(claims.handle, claims.id)));
    for (const place of this.#seen.keys()) if (!here.has(place)) this.#seen.delete(place);
  }
}

const named = ({ claims: { handle, id, addresses } }: Member) => ({ handle, id, address: addresses[0] ?? '' });

const placeOf = (handle: string, id: number): string => `${handle} ${id}`;

const refusal = (detail: string): RefusedError => new RefusedError('proof_false', detail, { status: 403 });
