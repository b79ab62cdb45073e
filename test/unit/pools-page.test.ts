/** The pools' page from one answer to the next: what stands where, what is new, what is said aloud. */
import { expect, test } from 'vitest';
import { poolsTexts } from '../../src/app/pools-texts.ts';
import { GONE_MS, MARKS, marksOf, nextView, type PoolsView } from '../../src/app/pools-view.ts';
import { POLICY_NAMES, type PoolEvent, type PoolsOverview } from '../../src/protocol/pools.ts';

const START = Date.UTC(2026, 10, 28, 12);
const HOME = 7;

type Gateway = [id: number, address: string];

function overviewOf(gateways: Gateway[], more: Partial<PoolsOverview> & { count?: number } = {}): PoolsOverview {
  const { count = gateways.length, ...rest } = more;
  const policy = { kind: 'round-robin', weight: 1, priority: 0, degradation: 0 } as const;
  const still = { policy, load: 0.5, home: HOME, since: START, seenAt: START, selected: 0, unreachable: 0 };
  const elements = gateways.map(([id, address]) => ({
    ...still,
    id,
    addresses: [address],
  }));
  return {
    now: START,
    registrar: HOME,
    mode: 'peers',
    registrars: [{ id: HOME, address: 'https://r.example', elements: count }],
    pools: count === 0 ? [] : [{ handle: 'eu', policy: 'round-robin', count, elements }],
    events: [],
    ...rest,
  };
}

const seen = ({ pools }: PoolsView) =>
  pools.map(({ handle, rows }) => [
    handle,
    ...rows.map(({ element, gone }) => element.addresses[0] + (gone === undefined ? '' : ` ${gone.why}`)),
  ]);

const two: Gateway = [1, 'https://g2.example'];
const ten: Gateway = [2, 'https://g10.example'];

test('gateways stand by their addresses, numbers as numbers', () => {
  const view = nextView(overviewOf([ten, two]));
  expect(seen(view)).toEqual([['eu', two[1], ten[1]]]);
});

test('one that is gone keeps its place for a while, and one that comes back takes it', () => {
  const silent: PoolEvent = { at: START + 1, what: 'silent', handle: 'eu', id: two[0], address: two[1] };
  const first = nextView(overviewOf([two, ten]));
  const without = nextView(overviewOf([ten], { now: START + 2000, events: [silent] }), first);
  expect(seen(without)).toEqual([['eu', `${two[1]} silent`, ten[1]]]);
  const back = nextView(overviewOf([ten, [9, two[1]]], { now: START + 4000 }), without);
  expect(seen(back)).toEqual([['eu', two[1], ten[1]]]);
  expect(back.pools[0]?.rows.map(({ isNew }) => isNew)).toEqual([true, false]);
  const still = nextView(overviewOf([ten], { now: START + 2000 + GONE_MS - 1 }), without);
  expect(seen(still)).toEqual([['eu', `${two[1]} silent`, ten[1]]]);
  expect(seen(nextView(overviewOf([ten], { now: START + 2000 + GONE_MS }), still))).toEqual([['eu', ten[1]]]);
});

test('a pool whose last gateway is gone stays as long as that', () => {
  const first = nextView(overviewOf([two]));
  const empty = nextView(overviewOf([], { now: START + 2000 }), first);
  expect(seen(empty)).toEqual([['eu', `${two[1]} gone`]]);
  expect(seen(nextView(overviewOf([], { now: START + 2000 + GONE_MS }), empty))).toEqual([]);
});

test('of more gateways than are listed none is called gone for not being listed', () => {
  const first = nextView(overviewOf([two, ten], { count: 500 }));
  expect(seen(nextView(overviewOf([ten], { count: 500 }), first))).toEqual([['eu', ten[1]]]);
});

test('only what happened since is said, the oldest first, and many only counted', () => {
  const event = (i: number): PoolEvent => {
    const id = 100 + i;
    return { at: START + i, what: 'joined', handle: 'eu', id, address: `https://g${i}.example`, home: HOME };
  };
  const events = (n: number) => Array.from({ length: n }, (_, i) => event(i)).toReversed();
  const first = nextView(overviewOf([two], { events: events(2) }));
  expect(first.news).toEqual([]);
  const second = nextView(overviewOf([two], { events: events(4) }), first);
  expect(second.news).toEqual(['g2.example joined eu.', 'g3.example joined eu.']);
  expect(nextView(overviewOf([two], { events: events(4) }), second).news).toBe(second.news);
  const third = nextView(overviewOf([two], { events: events(9) }), second);
  expect(third.news).toHaveLength(4);
  expect(third.news.at(-1)).toBe('And 2 more events.');
  const other = { registrar: 8, registrars: [{ id: 8, address: 'https://s.example', elements: 1 }], events: events(3) };
  expect(nextView(overviewOf([two], other), third).news).toEqual(['Now the registrar s.example answers.']);
});

test('a registrar that is gone is still called by its address', () => {
  const registrars = [
    { id: HOME, address: 'https://r.example', elements: 0 },
    { id: 8, address: 'https://s.example', elements: 1 },
  ];
  const first = nextView(overviewOf([two], { registrars }));
  const takeover: PoolEvent = { at: START, what: 'takeover', id: 8, home: HOME };
  const { news } = nextView(overviewOf([two], { events: [takeover] }), first);
  expect(news).toEqual(['r.example took over the gateways of s.example, which fell silent.']);
  expect(nextView(overviewOf([two], { events: [takeover] }), nextView(overviewOf([two]))).news).toEqual([
    'r.example took over the gateways of registrar no. 8, which fell silent.',
  ]);
});

test('marks tell registrars apart while there are enough, and are kept', () => {
  const ids = Array.from({ length: MARKS }, (_, i) => 8 * i + 3);
  const marks = marksOf(ids);
  expect(new Set(marks.values()).size).toBe(MARKS);
  // A newcomer before all others changes nobody's.
  const more = marksOf([1, ...ids.slice(0, 4)], marks);
  for (const id of ids.slice(0, 4)) expect(more.get(id)).toBe(marks.get(id));
  expect(new Set(more.values()).size).toBe(5);
  expect(marksOf([...ids, 1]).get(1)).toBeLessThan(MARKS);
});

test.each(POLICY_NAMES)('%s is explained', (name) => {
  const { name: called, means } = poolsTexts.policy(name);
  expect(called.toLowerCase().replaceAll(' ', '-')).toBe(name.replace('degradation', 'with-degradation'));
  expect(means).toMatch(/^Browsers go to .*\.$/);
});

test('figures', () => {
  expect(poolsTexts.rfc(0x40000002)).toBe('RFC 5356, 0x40000002');
  expect(poolsTexts.rfc(1)).toBe('RFC 5356, 0x00000001');
  expect(poolsTexts.shown(3, 3)).toBe('3 gateways.');
  expect(poolsTexts.shown(200, 1234)).toBe('200 of 1,234 gateways are shown.');
  expect(poolsTexts.percent(0.126)).toBe('13 %');
  expect(poolsTexts.moment(START - 86_400_000, START)).toMatch(/^27 Nov 2026, \d\d:00:00$/);
});
