/**
 * The person's choice among the contests, said in the keyserver's own terms, priority and weight, so that whatever reads
 * those (`lottery.ts`, `stock.ts`) knows no second way.
 */
import type { Contest } from '../domain/contest.ts';
import type { Settings } from './settings.ts';

export type Preference = Pick<Settings, 'choice' | 'order' | 'weights'>;

/** The contests as the person wants them; those of weight 0 are left out. */
export function preferred(contests: readonly Contest[], preference: Preference): Contest[] {
  const { choice, order } = preference;
  if (choice === 'keyserver') return [...contests];
  return contests.filter(isWanted(preference)).map(({ manifest, state }, listed) => {
    const { priority: _, weight: __, ...rest } = state;
    const place = order.indexOf(manifest.name);
    const mine =
      choice === 'share'
        ? { priority: 0, weight: weightOf(manifest.name, preference) }
        : { priority: place === -1 ? order.length + listed : place };
    return { manifest, state: { ...rest, ...mine } };
  });
}

export const isWanted =
  (preference: Preference) =>
  ({ manifest }: Contest): boolean =>
    preference.choice === 'keyserver' || weightOf(manifest.name, preference) > 0;

const weightOf = (name: string, { weights }: Preference): number => weights[name] ?? 1;
