/**
 * The browsers that are not Chromium, each as the few things that a test of both does. `src/setup/prepare.mjs` has installed
 * them, or said why not.
 *
 * Firefox: a distribution's own, over WebDriver BiDi, which Playwright speaks (up to 1.64; 1.65 asks for commands that Firefox
 * 153 does not know). WebKit: WebKitGTK's MiniBrowser under its WebDriver, on a display of its own.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type { Readable } from 'node:stream';
import { firefox } from 'playwright-core';
import { Builder, By, type WebDriver } from 'selenium-webdriver';
import { DriverService } from 'selenium-webdriver/remote';
import type { Evaluates } from './tab.ts';

export interface Tab extends Evaluates {
  goto(url: string): Promise<unknown>;
  reload(): Promise<unknown>;
  /** @param testid of what is to be clicked. */
  click(testid: string): Promise<void>;
  screenshot(path: string): Promise<unknown>;
}

/** A browser with one tab and an empty profile. */
export interface Browsing {
  tab: Tab;
  close(): Promise<void>;
}

export interface OtherBrowser {
  name: string;
  /** Why there is none on this machine; undefined: there is one. */
  missing: string | undefined;
  open: () => Promise<Browsing>;
}

const WIDTH = 1440;
const HEIGHT = 900;

const selector = (testid: string): string => `[data-testid=${testid}]`;

function findProgram(name: string, folders = (process.env['PATH'] ?? '').split(delimiter)): string | undefined {
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

/** Not in the PATH: Debian has it below /usr/lib/x86_64-linux-gnu/webkit2gtk-4.1, others in /usr/libexec/webkit2gtk-4.1. */
function findMiniBrowser(): string | undefined {
  const below = (folder: string, name: RegExp): string[] =>
    existsSync(folder)
      ? readdirSync(folder)
          .filter((entry) => name.test(entry))
          .map((entry) => join(folder, entry))
      : [];
  const places = ['/usr/libexec', ...below('/usr/lib', /-linux-gnu/)].flatMap((place) => below(place, /^webkit2?gtk-/));
  return findProgram('MiniBrowser', places);
}

const firefoxPath = process.env['FIREFOX'] ?? findProgram('firefox-esr');

const webkit = { driver: findProgram('WebKitWebDriver'), display: findProgram('Xvfb'), browser: findMiniBrowser() };
const missingOfWebkit = [
  ...(webkit.driver === undefined ? ['no WebKitWebDriver'] : []),
  ...(webkit.browser === undefined ? ['no MiniBrowser'] : []),
  ...(webkit.display === undefined ? ['no Xvfb'] : []),
];

export const otherBrowsers: readonly OtherBrowser[] = [
  {
    name: 'Firefox',
    missing: firefoxPath === undefined ? 'no firefox-esr here, and none named in FIREFOX' : undefined,
    open: () => openFirefox(firefoxPath ?? ''),
  },
  {
    name: 'WebKit',
    missing: missingOfWebkit.length === 0 ? undefined : `${missingOfWebkit.join(', ')} here`,
    open: () => openWebkit(webkit.driver ?? '', webkit.browser ?? ''),
  },
];

async function openFirefox(executablePath: string): Promise<Browsing> {
  const browser = await firefox.launch({ channel: 'moz-firefox', executablePath });
  const page = await browser.newPage({ viewport: { width: WIDTH, height: HEIGHT } });
  return {
    tab: {
      goto: (url) => page.goto(url),
      reload: () => page.reload(),
      click: (testid) => page.click(selector(testid)),
      evaluate: (run) => page.evaluate(run),
      screenshot: (path) => page.screenshot({ path }),
    },
    close: () => browser.close(),
  };
}

async function openWebkit(driverPath: string, browserPath: string): Promise<Browsing> {
  const { display, end } = await openDisplay();
  // Without a language, as in LANG=C, its `navigator.language` is none.
  const env = { ...process.env, DISPLAY: display, LANG: 'en_US.UTF-8' } as Record<string, string>;
  const service = new DriverService.Builder(driverPath).setLoopback(true).setEnvironment(env).build();
  try {
    const driver = await new Builder()
      .usingServer(await service.start())
      .withCapabilities({
        browserName: 'MiniBrowser',
        'webkitgtk:browserOptions': { binary: browserPath, args: ['--automation'] },
      })
      .build();
    await driver.manage().window().setRect({ x: 0, y: 0, width: WIDTH, height: HEIGHT });
    return {
      tab: tabOf(driver),
      async close() {
        await driver.quit();
        await service.kill();
        await end();
      },
    };
  } catch (error) {
    await service.kill();
    await end();
    throw error;
  }
}

function tabOf(driver: WebDriver): Tab {
  return {
    goto: (url) => driver.get(url),
    reload: () => driver.navigate().refresh(),
    click: async (testid) => driver.findElement(By.css(selector(testid))).click(),
    evaluate: (run) => driver.executeScript(run),
    screenshot: async (path) => writeFile(path, await driver.takeScreenshot(), 'base64'),
  };
}

/** An X display without a screen; it chooses a number that is free. */
async function openDisplay(): Promise<{ display: string; end: () => Promise<void> }> {
  const args = ['-displayfd', '3', '-screen', '0', `${WIDTH}x${HEIGHT}x24`, '-nolisten', 'tcp'];
  const server: ChildProcess = spawn('Xvfb', args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  const ended = once(server, 'exit');
  const told = once(server.stdio[3] as Readable, 'data') as Promise<[Buffer]>;
  const number = await Promise.race([told, ended.then(() => undefined)]);
  if (number === undefined) throw new Error(`Xvfb ended with ${server.exitCode}`);
  return {
    display: `:${number[0].toString().trim()}`,
    async end() {
      server.kill();
      await ended;
    },
  };
}
