/**
 * A Chromium nobody configured, for the bench and for the end-to-end tests (`src/setup/prepare.mjs` has made sure there
 * is one). Playwright is loaded only here and only when asked: nothing else on the command line needs it.
 */
import { existsSync } from 'node:fs';
import type { Browser } from 'playwright-core';

const INSTALLED = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Quiet ones: nothing that calls home, nothing that needs a GPU or a user namespace. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Bench and tests load the machine, and a tab would make room for them.
  '--disable-features=ComputePressure',
];

/** As Playwright has them. */
export function launchOptions(...more: string[]): { args: string[]; executablePath?: string } {
  const executablePath = [process.env['CHROMIUM'], ...INSTALLED].find((path) => path !== undefined && existsSync(path));
  return { args: [...FLAGS, ...more], ...(executablePath === undefined ? {} : { executablePath }) };
}

export async function launchChromium(...more: string[]): Promise<Browser> {
  const { chromium } = await import('playwright-core');
  return chromium.launch(launchOptions(...more));
}
