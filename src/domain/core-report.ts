/** How a core did on one machine, in one browser: what a choice between cores is made and remembered by. */

export interface CoreReport {
  /** As the catalogue names it: `rc5-mixed`. */
  name: string;
  /**
   * `chosen`: right, and the fastest: it gets the work. `slower`: right. `wrong`: it got a known answer wrong, and is
   * never used here. `unsupported`: this browser cannot compile it.
   */
  state: 'chosen' | 'slower' | 'wrong' | 'unsupported';
  /** What it got wrong, as a sentence; or what it requires and is not all there. */
  detail?: string;
  /** Keys or nodes a second of one thread; 0 where it was not timed. */
  stepsPerSecond: number;
}
