/** Versions as three numbers with dots between. What follows a hyphen or a plus does not count. */

/** Whether `version` comes before `least`; false where one of them is no version. */
export function isOlder(version: string, least: string): boolean {
  const [a, b] = [numbers(version), numbers(least)];
  const first = a.findIndex((number, place) => number !== b[place]);
  return first !== -1 && (a[first] ?? 0) < (b[first] ?? 0);
}

function numbers(version: string): number[] {
  const parts = version.split(/[-+]/)[0]?.split('.') ?? [];
  return [0, 1, 2].map((place) => Number(parts[place] ?? 0));
}
