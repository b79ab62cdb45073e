/**
 * What a browser tells of the machine. Each of these exists in some browsers only, mostly Chromium, some only over HTTPS and
 * one only with the person's leave; what is not told is taken to be fine.
 */
import type { Conditions } from './limits.ts';
import type { EnginePorts } from './ports.ts';

interface Battery extends EventTarget {
  charging: boolean;
}

interface PressureRecord {
  state: Conditions['pressure'];
}

interface Observer {
  observe(source: 'cpu', options: { sampleInterval: number }): Promise<void>;
}

interface IdleDetector extends EventTarget {
  userState: 'active' | 'idle' | null;
  screenState: 'locked' | 'unlocked' | null;
  start(options: { threshold: number }): Promise<void>;
}

interface Connection extends EventTarget {
  saveData?: boolean;
  type?: string;
}

interface Told {
  getBattery?(): Promise<Battery>;
  connection?: Connection;
}

const { PressureObserver, IdleDetector } = globalThis as {
  PressureObserver?: new (hear: (records: PressureRecord[]) => void) => Observer;
  IdleDetector?: (new () => IdleDetector) & { requestPermission(): Promise<'granted' | 'denied'> };
};

const PRESSURE_EVERY_MS = 2_000;
/** The least that browsers allow. */
const IDLE_AFTER_MS = 60_000;

export function browserConditions(): NonNullable<EnginePorts['conditions']> {
  const told = navigator as Told;
  const { connection } = told;
  const conditions: Conditions = {};
  let changed = (): void => {};
  const note = (change: Partial<Conditions>): void => {
    Object.assign(conditions, change);
    changed();
  };

  void told.getBattery?.().then((battery) => {
    const look = (): void => note({ onBattery: !battery.charging });
    battery.addEventListener('chargingchange', look);
    look();
  }, ignore);

  if (connection !== undefined) {
    const look = (): void => note({ metered: connection.saveData === true || connection.type === 'cellular' });
    connection.addEventListener('change', look);
    look();
  }

  if (PressureObserver !== undefined) {
    const observer = new PressureObserver((records) => {
      const pressure = records.at(-1)?.state;
      if (pressure !== undefined) note({ pressure });
    });
    observer.observe('cpu', { sampleInterval: PRESSURE_EVERY_MS }).catch(ignore);
  }

  void watchUse((inUse) => note({ inUse }));

  return {
    now: () => conditions,
    listen(hear) {
      changed = hear;
    },
  };
}

/** Whether a browser can tell that the machine is in use, if the person lets it. */
export const canTellUse = (): boolean => IdleDetector !== undefined;

/** Asks the person for leave; only from a click. The answer holds from the next start on, too. */
export async function askToTellUse(): Promise<boolean> {
  return (await IdleDetector?.requestPermission().catch(() => 'denied')) === 'granted';
}

async function watchUse(note: (inUse: boolean) => void): Promise<void> {
  if (IdleDetector === undefined) return;
  const permission = await navigator.permissions
    .query({ name: 'idle-detection' as PermissionName })
    .catch(() => undefined);
  if (permission === undefined) return;
  const watch = (): void => {
    if (permission.state !== 'granted') return;
    const detector = new IdleDetector();
    const look = (): void => note(detector.userState === 'active' && detector.screenState !== 'locked');
    detector.addEventListener('change', look);
    detector.start({ threshold: IDLE_AFTER_MS }).then(look, ignore);
  };
  permission.addEventListener('change', watch);
  watch();
}

/** A browser that refuses to tell. */
const ignore = (): void => {};
