/**
 * Random faults over a herd for so long: kill -9 of any process, PostgreSQL too; wires cut, slowed, torn, gone silent; disks
 * filled; clocks stepped. Each fault but a kill ends after some seconds. At the end everything is fair again, and every
 * process that was down is up.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Weather } from './faulty-link.ts';
import type { Herd } from './herd.ts';
import { Passing } from './passing.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const STEPS_MS = [2, 10, 30, 120, 600, 3600].flatMap((seconds) => [seconds * SECOND, -seconds * SECOND]);
const EXCHANGES_BETWEEN = 5;
const MOST_DOWN = 3;
const KINDS: readonly Weather[] = ['cut', 'cut', 'slow', 'slow', 'torn', 'torn', 'half-open'];

export interface Counts {
  kills: Record<string, number>;
  links: Record<string, number>;
  fills: Record<string, number>;
  steps: Record<string, number>;
}

export class Storm {
  readonly counts: Counts = { kills: {}, links: {}, fills: {}, steps: {} };
  readonly #herd: Herd;
  /** Faults that end by themselves, and PostgreSQL's restart. */
  readonly #passing = new Passing();
  #postgresIsUp = true;

  constructor(herd: Herd) {
    this.#herd = herd;
  }

  get kills(): number {
    return Object.values(this.counts.kills).reduce((sum, times) => sum + times, 0);
  }

  /**
   * So long, and longer where it has not killed so often by then: up to twice as long, and two minutes.
   * @param pauseMs the least between two faults, on the average.
   */
  async rage({ ms, kills, pauseMs }: { ms: number; kills: number; pauseMs: number }): Promise<void> {
    const end = Date.now() + ms;
    const last = end + ms + 2 * MINUTE;
    while (Date.now() < end || (this.kills < kills && Date.now() < last)) {
      await sleep(2 * pauseMs * Math.random());
      await this.#progress();
      const dice = Math.random();
      if (dice < 0.45) this.#kill();
      else if (dice < 0.8) this.#spoilLink();
      else if (dice < 0.9) this.#fillDisk();
      else this.#stepClock();
    }
    await this.#calm();
  }

  /** A storm that lets nobody work proves nothing: between two faults some exchanges come through, or a second passes. */
  async #progress(): Promise<void> {
    const enough = this.#herd.answered + EXCHANGES_BETWEEN;
    for (const end = Date.now() + SECOND; Date.now() < end && this.#herd.answered < enough; ) await sleep(20);
  }

  #kill(): void {
    const { members, postgres } = this.#herd;
    // Nor must the machine be busy with starting alone.
    if (members.filter(({ isUp }) => !isUp).length >= MOST_DOWN) return;
    const victim = pick([...members, ...(postgres === undefined || !this.#postgresIsUp ? [] : [postgres])]);
    if (victim === undefined) return;
    if ('restart' in victim) {
      this.#postgresIsUp = false;
      count(this.counts.kills, 'PostgreSQL');
      this.#passing.add(
        victim
          .kill()
          .then(() => sleep(2 * SECOND * Math.random()))
          .then(() => victim.restart())
          .finally(() => {
            this.#postgresIsUp = true;
          }),
      );
    } else if (victim.kill()) {
      count(this.counts.kills, victim.name);
    }
  }

  #spoilLink(): void {
    const chosen = pick(this.#herd.links.filter(({ link }) => link.weather === 'fair'));
    const weather = pick(KINDS);
    if (chosen === undefined || weather === undefined) return;
    chosen.link.weather = weather;
    count(this.counts.links, weather);
    this.#passing.after(0.3 + 4 * Math.random(), () => {
      chosen.link.weather = 'fair';
    });
  }

  #fillDisk(): void {
    const station = pick(this.#herd.stations.filter(({ disk }) => disk !== undefined));
    if (station?.disk === undefined) return;
    const { disk, member } = station;
    count(this.counts.fills, `${member.name} (${disk.kind})`);
    this.#passing.add(disk.fill(member.pid));
    this.#passing.after(1 + 4 * Math.random(), () => disk.empty(member.pid));
  }

  #stepClock(): void {
    const station = pick(this.#herd.stations);
    const offset = pick(STEPS_MS);
    if (station === undefined || offset === undefined) return;
    this.#herd.step(station, offset);
    count(this.counts.steps, `${station.member.name} ${offset > 0 ? 'forward' : 'back'}`);
    this.#passing.after(1 + 5 * Math.random(), () => this.#herd.step(station, 0));
  }

  async #calm(): Promise<void> {
    await this.#passing.over();
    const { links, disks, stations } = this.#herd;
    for (const { link } of links) link.weather = 'fair';
    for (const disk of disks) await disk.empty(undefined);
    for (const station of stations) this.#herd.step(station, 0);
    // Started anew they wait for nobody: what kept them from talking was the storm.
    for (const { member } of stations) if (member.kill()) count(this.counts.kills, member.name);
    await until('every process is up', MINUTE, async () => this.#herd.members.every(({ isUp }) => isUp));
  }
}

/** @throws Error it did not come true in time. */
export async function until(what: string, ms: number, isSo: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + ms; !(await isSo()); ) {
    if (Date.now() > end) throw new Error(`${what}: not after ${ms / 1000} s`);
    await sleep(250);
  }
}

export const pick = <T>(all: readonly T[]): T | undefined => all[Math.floor(Math.random() * all.length)];

export function count(of: Record<string, number>, name: string): void {
  of[name] = (of[name] ?? 0) + 1;
}
