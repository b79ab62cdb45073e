/**
 * The stubs that OGR cores are compared by. A core's speed is a stub's known node count over the seconds it takes to
 * finish it: a core that prunes better visits fewer nodes, and is as much faster. So the counts are data, and never
 * what the core at hand counts.
 *
 * distributed.net's client benchmarks on 25/6-9-30-14-10-11: for 16 seconds, since to its end there are 5.6 x 10^9
 * nodes. So one of these lies below it; all have its marks and length, so that a core prepares its tables once. Together
 * they take about half a second.
 */
export interface Stub {
  marks: number;
  max_length: number;
  /** Differences of the first marks. */
  diffs: readonly number[];
  /** To the end of the stub, as distributed.net's client counts. */
  nodes: number;
  /** By our own definition (`assembly/ogr/search.ts`): a core that gets it wrong is not timed. */
  own_nodes: number;
}

export const benchStubs: readonly Stub[] = [
  // Rows 27 and 29 of distributed.net's OGR-NG selftest (test/vectors/ogr.json).
  { marks: 25, max_length: 480, diffs: [1, 2, 4, 5, 8, 10, 14, 21], nodes: 3_191_161, own_nodes: 6606 },
  { marks: 25, max_length: 480, diffs: [2, 22, 32, 21, 5, 1, 12, 34], nodes: 4_399_738, own_nodes: 625_215 },
  // Counted by a search with their limits, choose columns exact to 12 segments: at most 5 in 100,000 more than theirs.
  { marks: 25, max_length: 480, diffs: [6, 9, 30, 14, 10, 11, 60], nodes: 29_725_959, own_nodes: 5_712_939 },
];
