/**
 * What befalls the gateways of a pool, registrars among them, at random: kill -9, SIGSTOP, a partition of all that they hear,
 * all that they say, or both. Each ends after some seconds. Of eight one lives at every moment: that is what clients are
 * promised to find.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Passing } from '../storm/passing.ts';
import { count, pick, until } from '../storm/storm.ts';
import { cutOff, type Gateway, type PoolHerd } from './herd.ts';

const MINUTE = 60_000;
const SHORTEST_SECONDS = 1;
/** One fault in so many befalls all but one. */
const WAVE = 12;

export interface PoolCounts {
  killed: Record<string, number>;
  frozen: Record<string, number>;
  partitioned: Record<string, number>;
  waves: number;
}

type Fault = Exclude<keyof PoolCounts, 'waves'>;
const FAULTS: readonly Fault[] = ['killed', 'frozen', 'partitioned'];
/** A wave of kills would keep the machine busy with starting alone. */
const WAVES: readonly Fault[] = ['frozen', 'partitioned'];

export class PoolsStorm {
  readonly counts: PoolCounts = { killed: {}, frozen: {}, partitioned: {}, waves: 0 };
  /** How many lived when the fewest did. */
  fewest = Number.POSITIVE_INFINITY;
  readonly #herd: PoolHerd;
  readonly #longestSeconds: number;
  readonly #afflicted = new Set<Gateway>();
  readonly #passing = new Passing();

  constructor(herd: PoolHerd, longestSeconds: number) {
    this.#herd = herd;
    this.#longestSeconds = longestSeconds;
  }

  /** @param pauseMs between two faults, on the average. @returns when the last fault was over. */
  async rage({ ms, pauseMs }: { ms: number; pauseMs: number }): Promise<number> {
    for (const end = Date.now() + ms; Date.now() < end; ) {
      await sleep(2 * pauseMs * Math.random());
      if (Math.random() < 1 / WAVE) {
        this.counts.waves += 1;
        while (this.#afflict(WAVES)) this.#note();
      } else {
        this.#afflict(FAULTS);
      }
      this.#note();
    }
    await this.#passing.over();
    return Date.now();
  }

  #note(): void {
    this.fewest = Math.min(this.fewest, this.living.length);
  }

  /** Those whom nothing befalls now. */
  get living(): Gateway[] {
    return this.#herd.gateways.filter((one) => !this.#afflicted.has(one) && one.station.member.isUp);
  }

  /** False: the last one that lives is spared. */
  #afflict(faults: readonly Fault[]): boolean {
    const living = this.living;
    const gateway = pick(living);
    const fault = pick(faults);
    if (gateway === undefined || fault === undefined || living.length === 1) return false;
    count(this.counts[fault], gateway.isRegistrar ? 'registrars' : 'others');
    this.#afflicted.add(gateway);
    this.#passing.add(this.#suffer(gateway, fault).finally(() => this.#afflicted.delete(gateway)));
    return true;
  }

  async #suffer(gateway: Gateway, fault: Fault): Promise<void> {
    const { station, link } = gateway;
    const { member } = station;
    const ms = 1000 * (SHORTEST_SECONDS + Math.random() * (this.#longestSeconds - SHORTEST_SECONDS));
    switch (fault) {
      case 'killed':
        member.kill();
        await until(`${member.name} is up again`, MINUTE, async () => member.isUp);
        return;
      case 'frozen':
        member.freeze();
        await sleep(ms);
        member.thaw();
        return;
      case 'partitioned': {
        const [hears, says] = pick([
          [false, false],
          [false, true],
          [true, false],
        ]) ?? [false, false];
        if (!hears) link.weather = pick(['cut', 'half-open'] as const) ?? 'cut';
        if (!says) cutOff(gateway, true);
        await sleep(ms);
        link.weather = 'fair';
        cutOff(gateway, false);
      }
    }
  }
}
