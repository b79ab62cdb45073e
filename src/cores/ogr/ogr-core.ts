/**
 * The JavaScript side of the OGR core: expands the choose table into the wasm memory (laid out in
 * `assembly/ogr/layout.ts`) once, the limit table once a contest, and runs stubs in slices. The state of a unit is
 * its nodes, the differences of the marks now placed, the shortest ruler found, and the trace so far; the kernel
 * rebuilds its bitmaps from the differences.
 */
import {
  DIFFS,
  FINISHED,
  LIMITS,
  POSITIONS,
  RESIDUES,
  RULER,
  RUNNING,
  SETS,
  STOPPED_AT_RULER,
} from '../../../assembly/ogr/layout.ts';
import { ogrSearch } from '../../contests/ogr/ogr.ts';
import { diffsOf, isGolomb, marksOf, REACH } from '../../contests/ogr/rulers.ts';
import { unitToStub } from '../../contests/ogr/stubs.ts';
import { readTrace, Trace, writeTrace } from '../../contests/ogr/trace.ts';
import type { OgrSearch } from '../../domain/contest.ts';
import type { Core, UnitCheckpoint, UnitSearch } from '../core.ts';
import { writeKnown } from './choose-table.ts';

/** No manifest has more than 29 marks, and 28 are the most whose optimum is known: 27 segments. */
const SEGMENTS = 27;
/** Levels below the stub that `fraction` looks at. */
const FRACTION_LEVELS = 3;
const MOST_NODES_A_CALL = 2 ** 30;

interface OgrExports {
  memory: WebAssembly.Memory;
  init(): void;
  expand(depth: number, segments: number): void;
  prepare(marks: number, maxLength: number): void;
  open(stub: number, count: number, nodes: number, ruler: number, stopAtFirst: number): void;
  run(budget: number): number;
  nodesDone(): number;
  placed(): number;
  bestLength(): number;
}

/** One stub to search below; it need not be a unit of a contest. */
export interface StubRun {
  marks: number;
  maxLength: number;
  stub: readonly number[];
  stopAtFirst?: boolean;
  /** Where to go on: from a checkpoint. */
  resume?: { nodes: number; diffs: readonly number[]; ruler?: readonly number[] | undefined };
}

export class OgrKernel {
  readonly #exports: OgrExports;
  readonly #view: DataView;
  #prepared = '';
  #stubDepth = 0;
  #marks = 0;

  /** `columns` as loadChoose or generateChoose gives them: the deeper, the fewer nodes. */
  constructor(module: WebAssembly.Module, columns: Uint8Array) {
    this.#exports = new WebAssembly.Instance(module).exports as unknown as OgrExports;
    this.#exports.init();
    const { memory } = this.#exports;
    this.#view = new DataView(memory.buffer);
    writeKnown(memory, SEGMENTS);
    new Uint8Array(memory.buffer).set(columns, RESIDUES);
    this.#exports.expand(columns.length / SETS, SEGMENTS);
  }

  get memory(): WebAssembly.Memory {
    return this.#exports.memory;
  }

  begin({ marks, maxLength, stub, stopAtFirst = false, resume }: StubRun): void {
    const wanted = `${marks}/${maxLength}`;
    if (this.#prepared !== wanted) this.#exports.prepare(marks, maxLength);
    this.#prepared = wanted;
    this.#marks = marks;
    this.#stubDepth = stub.length;
    const diffs = resume?.diffs ?? stub;
    for (const [i, diff] of diffs.entries()) this.#view.setUint32(DIFFS + 4 * i, diff, true);
    for (const [i, mark] of (resume?.ruler ?? []).entries()) this.#view.setUint32(RULER + 4 * i, mark, true);
    const length = resume?.ruler?.at(-1) ?? 0;
    this.#exports.open(stub.length, diffs.length, resume?.nodes ?? 0, length, stopAtFirst ? 1 : 0);
  }

  /** Returns true once the stub is finished, or a ruler was found that was to be the last. */
  run(budget: number): boolean {
    const nodes = Math.max(1, Math.min(Math.floor(budget), MOST_NODES_A_CALL));
    const state = this.#exports.run(nodes);
    if (state !== RUNNING && state !== FINISHED && state !== STOPPED_AT_RULER) {
      throw new Error(`the kernel returned ${state}`);
    }
    return state !== RUNNING;
  }

  get nodes(): number {
    return this.#exports.nodesDone();
  }

  /** The differences of the marks placed now, the stub's included. */
  get diffs(): number[] {
    return diffsOf(Array.from({ length: this.#exports.placed() + 1 }, (_, d) => this.#mark(POSITIONS, d)));
  }

  /** The shortest ruler found so far, as marks. */
  get ruler(): number[] | undefined {
    if (this.#exports.bestLength() === 0) return undefined;
    return Array.from({ length: this.#marks }, (_, i) => this.#view.getUint32(RULER + 4 * i, true));
  }

  /** How far the first marks below the stub have moved through the places they may take: mixed radix. */
  get fraction(): number {
    let fraction = 0;
    let width = 1;
    const placed = this.#exports.placed();
    for (let d = this.#stubDepth + 1; d <= Math.min(placed, this.#stubDepth + FRACTION_LEVELS); d++) {
      const before = this.#mark(POSITIONS, d - 1);
      const places = this.#mark(LIMITS, d) - before;
      fraction += (width * (this.#mark(POSITIONS, d) - before - 1)) / places;
      width /= places;
    }
    return fraction;
  }

  #mark(of: number, d: number): number {
    return this.#view.getInt32(of + d * 4, true);
  }
}

/** A core over a kernel. */
export function ogrCoreOver(kernel: OgrKernel): Core {
  return {
    name: 'ogr-simd',
    kind: 'ogr',
    open(manifest, unit, checkpoint): UnitSearch {
      const search = ogrSearch(manifest);
      const { marks, maxLength } = search;
      const stub = unitToStub(search, unit);
      const resume = checkpoint === undefined ? undefined : resumable(search, checkpoint, unit, stub);
      const trace = resume === undefined ? new Trace() : resume.trace;
      kernel.begin({ marks, maxLength, stub, ...(resume === undefined ? {} : { resume }) });
      const traceOf = () => (trace === undefined ? undefined : writeTrace(stub, trace.states));
      let finished = false;
      return {
        run(budget) {
          const until = kernel.nodes + Math.max(1, Math.floor(budget));
          while (!finished && kernel.nodes < until) {
            const due = trace?.due ?? Number.POSITIVE_INFINITY;
            finished = kernel.run(Math.min(due, until) - kernel.nodes);
            if (!finished && kernel.nodes === due) trace?.add(kernel.diffs);
          }
          return finished;
        },
        get steps() {
          return kernel.nodes;
        },
        get fraction() {
          return finished ? 1 : kernel.fraction;
        },
        checkpoint() {
          const { nodes, diffs } = kernel;
          const text = traceOf();
          return {
            format: 'ogr-3',
            unit,
            nodes,
            diffs,
            ...rulerOf(kernel),
            ...(text === undefined ? {} : { trace: text }),
          };
        },
        evidence() {
          const text = traceOf();
          return { kind: 'ogr', nodes: kernel.nodes, ...rulerOf(kernel), ...(text ? { trace: text } : {}) };
        },
      };
    },
  };
}

const rulerOf = ({ ruler }: OgrKernel): { ruler?: number[] } => (ruler === undefined ? {} : { ruler });

function resumable(search: OgrSearch, checkpoint: UnitCheckpoint, unit: number, stub: number[]) {
  if (checkpoint.format !== 'ogr-3' || checkpoint.unit !== unit) {
    throw new TypeError(`checkpoint ${checkpoint.format} of unit ${checkpoint.unit}: ogr-3 of unit ${unit} wanted`);
  }
  const { diffs, nodes, ruler } = checkpoint;
  const below = diffs.length <= search.marks - 2 && stub.every((diff, i) => diffs[i] === diff);
  if (!below || !isGolomb(marksOf(diffs), REACH)) {
    throw new TypeError(`checkpoint at ${diffs.join('-')}: no place below the stub ${stub.join('-')} of unit ${unit}`);
  }
  if (checkpoint.trace === undefined) return { diffs, nodes, ruler };
  const read = readTrace(search, stub, nodes, checkpoint.trace);
  if (read.fault !== undefined) throw new TypeError(`checkpoint of unit ${unit}: ${read.fault}`);
  return { diffs, nodes, ruler, trace: new Trace(nodes, read.states) };
}
