/**
 * Times the cores of the catalogue where it runs. Time is `performance.now` in the thread that computes, so that
 * neither messages nor a busy main thread count.
 */
import { catalogue, type LoadedCore } from '../cores/catalogue.ts';
import { chooseCore, measure } from '../cores/choose.ts';
import type { ContestKindName } from '../domain/contest.ts';
import type { BenchApi, CoreSupport } from './bench-api.ts';
import type { Stub } from './stubs.ts';

export class CoreTimer implements BenchApi {
  readonly #loaded = new Map<string, LoadedCore>();

  async cores(): Promise<CoreSupport[]> {
    const cores: CoreSupport[] = [];
    for (const { name, kind } of catalogue) {
      try {
        const loaded = await this.#core(name);
        const wrong = loaded.rows.map((row) => loaded.difference(row)).find((line) => line !== undefined);
        cores.push({ name, kind, ...(wrong === undefined ? {} : { reason: wrong }) });
      } catch (error) {
        cores.push({ name, kind, reason: error instanceof Error ? error.message : String(error) });
      }
    }
    return cores;
  }

  async measure(name: string, milliseconds: number): Promise<number> {
    return measure((await this.#core(name)).core, milliseconds);
  }

  async finishStubs(name: string, stubs: readonly Stub[], milliseconds: number): Promise<number[]> {
    const loaded = await this.#core(name);
    // As known answers: what is timed is then also right.
    const rows = stubs.map((stub, i) => ({ test: i + 1, ...stub, found: false }));
    const rounds: number[] = [];
    for (let left = milliseconds; rounds.length === 0 || left > 0; ) {
      const start = performance.now();
      const wrong = rows.map((row) => loaded.difference(row)).find((line) => line !== undefined);
      const elapsed = performance.now() - start;
      if (wrong !== undefined) throw new Error(`${name}: ${wrong}`);
      rounds.push(elapsed / 1000);
      left -= elapsed;
    }
    return rounds;
  }

  async chosen(kind: ContestKindName): Promise<string | undefined> {
    return (await chooseCore(kind)).core?.name;
  }

  async #core(name: string): Promise<LoadedCore> {
    let loaded = this.#loaded.get(name);
    if (loaded === undefined) {
      const entry = catalogue.find((entry) => entry.name === name);
      if (entry === undefined) throw new Error(`there is no core ${name}`);
      loaded = await entry.load();
      this.#loaded.set(name, loaded);
    }
    return loaded;
  }
}
