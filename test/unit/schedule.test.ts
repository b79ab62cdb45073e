/** When a client may work, and a proxy speak with its upstream. Monday is the 5th of January 2026; times are local. */
import { expect, test } from 'vitest';
import { parseSchedule } from '../../src/domain/schedule.ts';

const MONDAY = 5;
const at = (day: number, hour: number, minute = 0): Date => new Date(2026, 0, day, hour, minute);

test.each([
  [[], at(MONDAY, 3), true],
  [['22:00-06:00'], at(MONDAY, 22), true],
  [['22:00-06:00'], at(MONDAY, 5, 59), true],
  [['22:00-06:00'], at(MONDAY, 6), false],
  [['mon-fri 22:00-06:00'], at(MONDAY, 5), false],
  [['mon-fri 22:00-06:00'], at(MONDAY + 5, 5), true],
  [['mon-fri 22:00-06:00'], at(MONDAY + 5, 22), false],
  [['fri-mon 08:00-09:00'], at(MONDAY, 8), true],
  [['fri-mon 08:00-09:00'], at(MONDAY + 1, 8), false],
  [['sat,sun 00:00-24:00'], at(MONDAY + 6, 23, 59), true],
  [['Sat,Sun 00:00-24:00'], at(MONDAY, 0), false],
  [['tue 01:00-02:00', 'mon 03:00-04:00'], at(MONDAY, 3, 30), true],
])('%j at %s: %s', (windows, date, open) => {
  expect(parseSchedule(windows).isOpen(date)).toBe(open);
});

test.each([
  [[], at(MONDAY, 3), undefined],
  [['00:00-24:00'], at(MONDAY, 3), undefined],
  [['22:00-06:00'], at(MONDAY, 12, 30), at(MONDAY, 22)],
  [['22:00-06:00'], at(MONDAY, 22), at(MONDAY + 1, 6)],
  [['mon 22:00-06:00'], at(MONDAY + 1, 6), at(MONDAY + 7, 22)],
  [['08:00-10:00', '10:00-12:00'], at(MONDAY, 9), at(MONDAY, 12)],
])('%j at %s changes next at %s', (windows, date, next) => {
  expect(parseSchedule(windows).nextChange(date)).toEqual(next);
});

test.each([
  '',
  'mon',
  'mon 8-9',
  'xyz 08:00-09:00',
  'mon-tue-wed 08:00-09:00',
  '08:60-09:00',
  '24:00-01:00',
  '08:00-24:01',
])('"%s" is refused by name', (text) => {
  expect(() => parseSchedule([text])).toThrow(`"${text}" is no window`);
});
