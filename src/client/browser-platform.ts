/**
 * Operating system and processor in a word, as far as a browser tells: Chromium by `userAgentData`, the others in their
 * user agent string, which says "Intel" on every Mac, and says less every year. For statistics only.
 */
import type { ClientInfo } from '../domain/client.ts';

export type Machine = Pick<ClientInfo, 'os' | 'cpu'>;

interface UserAgentData {
  platform?: string;
  getHighEntropyValues?(hints: string[]): Promise<{ architecture?: string; bitness?: string }>;
}

export async function machineOfBrowser(): Promise<Machine> {
  const { userAgentData } = navigator as { userAgentData?: UserAgentData };
  const said = machineOfUserAgent(navigator.userAgent);
  const values = await userAgentData?.getHighEntropyValues?.(['architecture', 'bitness']).catch(() => undefined);
  return machine(userAgentData?.platform || said.os, processor(values?.architecture, values?.bitness) ?? said.cpu);
}

export function machineOfUserAgent(userAgent: string): Machine {
  const says = (word: RegExp): boolean => word.test(userAgent);
  return machine(systems.find(([word]) => says(word))?.[1], processors.find(([word]) => says(word))?.[1]);
}

/** The first that fits: Android says Linux, too, and an iPhone says Mac OS X. */
const systems: readonly [RegExp, string][] = [
  [/Android/, 'Android'],
  [/iPhone|iPad|iPod/, 'iOS'],
  [/Windows/, 'Windows'],
  [/Mac OS X/, 'macOS'],
  [/CrOS/, 'Chrome OS'],
  [/Linux/, 'Linux'],
  [/FreeBSD/, 'FreeBSD'],
];

const processors: readonly [RegExp, string][] = [
  [/x86_64|Win64|x64|amd64/i, 'x86_64'],
  [/aarch64|arm64/i, 'arm64'],
  [/armv\d/i, 'arm'],
  [/i[3-6]86/, 'x86'],
];

function processor(architecture = '', bitness = ''): string | undefined {
  if (architecture === '') return undefined;
  if (bitness !== '64') return architecture;
  return architecture === 'x86' ? 'x86_64' : `${architecture}64`;
}

const LONGEST_WORD = 32;

function machine(os: string | undefined, cpu: string | undefined): Machine {
  return {
    ...(os === undefined ? {} : { os: os.slice(0, LONGEST_WORD) }),
    ...(cpu === undefined ? {} : { cpu: cpu.slice(0, LONGEST_WORD) }),
  };
}
