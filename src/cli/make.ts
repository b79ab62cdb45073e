/** `tabherd choose` and `tabherd stubs`: the two tables that are data in this repository, made anew. */
import { readFile, writeFile } from 'node:fs/promises';
import { Value } from 'typebox/value';
import { countStubsByPrefix } from '../contests/ogr/stubs.ts';
import { generateChoose, packChoose } from '../cores/ogr/generate-choose.ts';
import { OgrSearch } from '../domain/contest.ts';
import { faultOf } from '../protocol/fault.ts';

/** Writes the choose table, exact to `depth` segments: `src/cores/ogr/choose.bin`. */
export async function choose(file: string, { depth }: { depth: number }): Promise<void> {
  const columns = await generateChoose(depth, (k) => process.stderr.write(`column ${k} of ${depth}\n`));
  const packed = await packChoose(columns);
  await writeFile(file, packed);
  process.stdout.write(`${file}: ${packed.length} bytes, exact to ${depth} segments\n`);
}

/** Prints `units` and `stubsByPrefix` for the `search` of an OGR manifest. */
export async function stubs(file: string): Promise<void> {
  const { search } = JSON.parse(await readFile(file, 'utf8')) as { search?: unknown };
  const fault = faultOf(OgrSearch, search, '/search');
  if (fault !== undefined || !Value.Check(OgrSearch, search))
    throw new Error(`${file}: ${fault?.pointer} ${fault?.message}`);
  const stubsByPrefix = countStubsByPrefix(search);
  const units = stubsByPrefix.reduce((sum, count) => sum + count, 0);
  process.stdout.write(`${JSON.stringify({ units, stubsByPrefix })}\n`);
}
