/**
 * What goes wrong in the simulated time, and when: links that are cut or lose answers, proxies that are killed, one that is
 * lost with its disk, the keymaster away for a day.
 */

import { exponential, type Random } from '../random.ts';
import type { Link } from './link.ts';
import type { Station } from './station.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export interface Trouble {
  at: number;
  happen(): Promise<void>;
}

export interface TroubledPyramid {
  start: number;
  end: number;
  uppers: readonly Station[];
  leaves: readonly Station[];
  /** From a leaf's clients to it. */
  clientLinks: readonly Link[];
  /** A leaf was lost with its disk: the units that it had in stock, and the reports that it had not sent. */
  onDiskLost(lost: { free: number; waiting: number }): void;
}

/** How often, and for how long: means of exponential distributions. */
const RATES = {
  linkCut: { everyMs: DAY_MS, lastsMs: 20 * MINUTE_MS },
  answersLost: { everyMs: 8 * HOUR_MS, lastsMs: 20_000 },
  proxyKilled: { everyMs: 2 * DAY_MS, lastsMs: 5 * MINUTE_MS },
};

/** In order of time. */
export function troublesOf(random: Random, pyramid: TroubledPyramid): Trouble[] {
  const { start, end, uppers, leaves, clientLinks } = pyramid;
  const troubles: Trouble[] = [];
  const put = (at: number, happen: () => void | Promise<void>): void => {
    if (at < end) troubles.push({ at, happen: async () => happen() });
  };
  const often = (
    { everyMs, lastsMs }: { everyMs: number; lastsMs: number },
    begin: () => void | Promise<void>,
    over: () => void | Promise<void>,
  ): void => {
    for (let at = start + exponential(random, everyMs); at < end; at += exponential(random, everyMs)) {
      put(at, begin);
      at += exponential(random, lastsMs);
      put(at, over);
    }
  };
  for (const link of [...clientLinks, ...leaves.map((leaf) => leaf.link), ...uppers.map((upper) => upper.link)]) {
    often(RATES.linkCut, cut(link), mend(link));
    often(
      RATES.answersLost,
      () => {
        link.losesAnswers = true;
      },
      () => {
        link.losesAnswers = false;
      },
    );
  }
  for (const station of [...leaves, ...uppers]) {
    often(
      RATES.proxyKilled,
      () => station.kill(),
      async () => {
        await station.start();
      },
    );
  }
  const days = (end - start) / DAY_MS;
  const away = start + 0.4 * days * DAY_MS;
  for (const { link } of uppers) {
    put(away, cut(link));
    put(away + Math.min(DAY_MS, 0.35 * days * DAY_MS), mend(link));
  }
  const [unlucky] = leaves;
  if (unlucky !== undefined) {
    const lostAt = start + 0.75 * days * DAY_MS;
    put(lostAt, async () => pyramid.onDiskLost(await unlucky.loseDisk()));
    put(lostAt + HOUR_MS / 2, async () => {
      await unlucky.start();
    });
  }
  return troubles.toSorted((a, b) => a.at - b.at);
}

const cut = (link: Link) => (): void => {
  link.cuts += 1;
};
const mend = (link: Link) => (): void => {
  link.cuts -= 1;
};
