/**
 * The API under requests that nobody sane would send. A third are made from the OpenAPI description, whose schemas they fit; a third
 * are real traffic with one thing changed somewhere; a third is that traffic. Whatever comes, an answer is no 5xx, a problem
 * document where it is an error, and in the end every credited unit was reported with its own evidence under a lease that was given.
 */
import {
  type Arbitrary,
  anything,
  array,
  bigInt,
  boolean,
  constant,
  constantFrom,
  dictionary,
  double,
  integer,
  oneof,
  record,
  sample,
  string,
  stringMatching,
} from 'fast-check';
import type { FastifyInstance } from 'fastify';
import { Value } from 'typebox/value';
import type { Lease, Report } from '../../src/domain/work.ts';
import { Problem } from '../../src/protocol/errors.ts';
import type { ExchangeReply, ExchangeRequest } from '../../src/protocol/keyserver.ts';
import { createGateway } from '../../src/server/http/gateway.ts';
import { checkLedger } from '../../src/server/ledger/check.ts';
import { Pools } from '../../src/server/pools/pools.ts';
import { asking, client, openKeymaster, silent, temporaryFolder } from './keyservers.ts';
import { POLICY, POOL } from './pools.ts';
import { falseReport, testManifest, trueReport, workOf } from './test-contest.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
type Schema = Record<string, unknown>;

/** Values that a JSON schema takes. */
export function valuesOf(schema: Schema): Arbitrary<unknown> {
  const { type, anyOf, properties, items, pattern } = schema;
  if ('const' in schema) return constant(schema['const']);
  if (Array.isArray(schema['enum'])) return constantFrom(...(schema['enum'] as unknown[]));
  if (Array.isArray(anyOf)) return oneof(...(anyOf as Schema[]).map(valuesOf));
  const number = (name: string, otherwise: number): number => Number(schema[name] ?? otherwise);
  switch (type) {
    case 'object': {
      if (properties === undefined)
        return dictionary(string({ maxLength: 8 }), anything({ maxDepth: 1 }), { maxKeys: 3 });
      const fields = Object.entries(properties as Record<string, Schema>).map(([key, one]) => [key, valuesOf(one)]);
      return record(Object.fromEntries(fields) as Record<string, Arbitrary<unknown>>, {
        requiredKeys: (schema['required'] as string[] | undefined) ?? [],
      });
    }
    case 'array': {
      const minLength = number('minItems', 0);
      return array(valuesOf((items ?? {}) as Schema), {
        minLength,
        maxLength: Math.max(minLength, Math.min(3, number('maxItems', 3))),
      });
    }
    case 'string':
      if (typeof pattern === 'string')
        return stringMatching(new RegExp(pattern)).map((text) => text.slice(0, number('maxLength', 64)));
      return string({ minLength: number('minLength', 0), maxLength: Math.min(40, number('maxLength', 40)) });
    case 'integer':
      return integer({
        min: Math.max(-(2 ** 31), number('minimum', -5)),
        max: Math.min(2 ** 31 - 1, number('maximum', 2 ** 31 - 1)),
      });
    case 'number':
      return double({ min: number('minimum', -1e9), max: number('maximum', 1e9), noNaN: true });
    case 'boolean':
      return boolean();
    case 'null':
      return constant(null);
    default:
      return anything({ maxDepth: 2 });
  }
}

/** What a value is changed into: its neighbours, the edges of its type, and other types. */
const strange: Arbitrary<Json> = oneof(
  constantFrom<Json>(
    null,
    true,
    '',
    ' ',
    '\u0000',
    '\ud800',
    '__proto__',
    '../../etc',
    [],
    {},
    -1,
    0,
    1,
    0.5,
    1e308,
    -0,
  ),
  constantFrom<Json>(2 ** 53, 2 ** 53 - 1, 2 ** 63, '9'.repeat(400), 'a'.repeat(70_000), [[[[[[]]]]]]),
  integer().map((n): Json => n),
  double({ noNaN: true, noDefaultInfinity: true }).map((n): Json => n),
  string({ unit: 'binary', maxLength: 20 }).map((text): Json => text),
  bigInt().map((n): Json => `${n}`),
);

/** Changes one thing somewhere in it. */
function mutated(value: Json, pick: (below: number) => number, what: Json): Json {
  if (Array.isArray(value) && value.length > 0 && pick(4) > 0) {
    const i = pick(value.length);
    const way = pick(4);
    if (way === 0) return value.toSpliced(i, 1);
    if (way === 1) return [...value, ...value.slice(i)];
    return value.with(i, mutated(value[i] as Json, pick, what));
  }
  if (value !== null && typeof value === 'object' && !Array.isArray(value) && pick(6) > 0) {
    const keys = Object.keys(value);
    const key = keys[pick(Math.max(1, keys.length))];
    if (key === undefined) return what;
    const way = pick(8);
    if (way === 0) return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
    if (way === 1) return { ...value, [`${key}x`]: what };
    return { ...value, [key]: mutated(value[key] as Json, pick, what) };
  }
  if (typeof value === 'number' && pick(2) === 0) return value + pick(3) - 1;
  if (typeof value === 'string' && value !== '' && pick(2) === 0) {
    const i = pick(value.length);
    return `${value.slice(0, i)}${String.fromCharCode(32 + pick(95))}${value.slice(i + 1)}`;
  }
  return what;
}

export interface FuzzResult {
  requests: number;
  /** By status. */
  statuses: Record<number, number>;
  faults: string[];
  done: number;
}

interface Operation {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  path: string;
  body: Arbitrary<unknown> | undefined;
  parameters: { name: string; in: string; values: Arbitrary<unknown> }[];
}

/** Every operation that the gateway describes. */
async function operationsOf(gateway: FastifyInstance): Promise<Operation[]> {
  const { paths } = (await gateway.inject('/api/v1/openapi.json')).json<{
    paths: Record<string, Record<string, Schema>>;
  }>();
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): Operation => {
      const { requestBody, parameters = [] } = operation as {
        requestBody?: { content: Record<string, { schema: Schema }> };
        parameters?: { name: string; in: string; schema: Schema }[];
      };
      const schema = requestBody?.content['application/json']?.schema;
      return {
        method: method.toUpperCase() as Operation['method'],
        path,
        body: schema === undefined ? undefined : valuesOf(schema),
        parameters: parameters.map((one) => ({ name: one.name, in: one.in, values: valuesOf(one.schema) })),
      };
    }),
  );
}

const TOKEN = 'a-token-for-the-fuzzer';
const UNITS = 2 ** 30;
/** Arbitraries are drawn by the hundred: each draw sets fast-check up anew. */
const AT_ONCE = 100;
const TOGETHER = 16;

export async function fuzz(requests: number, seed: number): Promise<FuzzResult> {
  const folder = temporaryFolder();
  const { Administration } = await import('../../src/server/keymaster/administration.ts');
  const { testKinds } = await import('./test-contest.ts');
  const server = await openKeymaster(folder.path, [testManifest({ units: UNITS, leaseSeconds: 1e6 })], {
    secondRuns: 1,
  });
  const { keymaster, store, clock } = server;
  const administration = new Administration({ keymaster, store, kinds: testKinds, clock: () => clock.now });
  const { role } = keymaster.desk;
  const pools = new Pools(
    {
      registrar: true,
      registrars: [],
      addresses: ['http://127.0.0.1:9'],
      handle: POOL,
      policy: POLICY,
      successors: [],
      origins: [],
    },
    {
      store,
      isShared: false,
      clock: () => clock.now,
      log: silent,
      isTrusted: (key) => role.isTrusted(key),
      isRevoked: (key) => role.isRevoked(key),
      key: () => role.key(),
      isKeymaster: true,
    },
  );
  await pools.tick();
  const gateway = await createGateway({
    pools,
    keyserver: keymaster,
    version: '0.0.0',
    clock: () => clock.now,
    admin: { administration, token: () => TOKEN },
  });
  const result: FuzzResult = { requests: 0, statuses: {}, faults: [], done: 0 };
  let state = seed >>> 0 || 1;
  // xorshift32: enough to choose by, and the same for the same seed.
  const pick = (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  try {
    const operations = await operationsOf(gateway);
    const drawn = new Map<Arbitrary<unknown>, unknown[]>();
    const draw = <T>(arbitrary: Arbitrary<T>): T => {
      let some = drawn.get(arbitrary) as T[] | undefined;
      if (some === undefined || some.length === 0) {
        some = sample(arbitrary, { numRuns: AT_ONCE, seed: pick(2 ** 31) });
        drawn.set(arbitrary, some);
      }
      return some.pop() as T;
    };
    /** Units by the client they were credited to, as the answers said. */
    let credited = 0;
    const leases: { lease: Lease; owner: number }[] = [];

    const send = async (method: Operation['method'], url: string, payload?: unknown) => {
      const withToken = url.startsWith('/admin') && pick(4) > 0;
      const response = await gateway.inject({
        method,
        url,
        headers: {
          ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
          ...(withToken ? { authorization: `Bearer ${TOKEN}` } : {}),
        },
        ...(payload === undefined
          ? {}
          : { payload: typeof payload === 'string' ? payload : (JSON.stringify(payload) ?? '') }),
      });
      const { statusCode } = response;
      result.requests += 1;
      result.statuses[statusCode] = (result.statuses[statusCode] ?? 0) + 1;
      const where = `${method} ${url.slice(0, 200)} ${(JSON.stringify(payload) ?? '').slice(0, 500)}`;
      if (statusCode >= 500) result.faults.push(`${statusCode} of ${where}: ${response.body.slice(0, 300)}`);
      if (statusCode >= 400 && !Value.Check(Problem, parsed(response.body))) {
        result.faults.push(`${statusCode} without a problem document, of ${where}: ${response.body.slice(0, 200)}`);
      }
      return response;
    };

    const exchange = async (body: unknown): Promise<void> => {
      const response = await send('POST', '/api/v1/exchange', body);
      if (response.statusCode !== 200) return;
      const { results, leases: given } = response.json<ExchangeReply>();
      const request = JSON.parse(JSON.stringify(body)) as ExchangeRequest;
      for (const [i, { outcome, credited: units }] of results.entries()) {
        const report = request.reports[i] as Report;
        if (outcome === 'accepted') credited += units;
        if (units === 0) continue;
        const isTrue = report.evidence.every((one, n) => one.kind === 'ogr' && one.nodes === workOf(report.first + n));
        const isGiven = leases.some(({ lease }) => lease.id === report.lease);
        if (!isTrue || !isGiven || units > report.evidence.length) {
          result.faults.push(`${units} units were credited for ${JSON.stringify(report).slice(0, 300)}`);
        }
      }
      const owner = Number(request.client.id.slice(-12));
      for (const lease of given) leases.push({ lease, owner: Number.isInteger(owner) ? owner : 0 });
      if (leases.length > 4000) leases.splice(0, 1000);
    };

    const realTraffic = (): ExchangeRequest => {
      // Those of before were caught at what was changed in their reports.
      const who = 1 + pick(50) + 50 * Math.floor(result.requests / 500);
      const own = leases.filter(({ owner }) => owner === who).slice(-8);
      const some = own.filter(() => pick(2) === 0).map(({ lease }) => lease);
      const reports = some.map((lease) => (pick(20) === 0 ? falseReport(lease) : trueReport(lease)));
      return asking({ client: client(who), reports, blocks: pick(4), units: 1 + pick(8) });
    };

    const one = async (): Promise<void> => {
      const way = pick(3);
      if (way === 0) {
        const operation = operations[pick(operations.length)] as Operation;
        const of = (where: string) => operation.parameters.filter((one) => one.in === where);
        let path = operation.path;
        for (const { name, values } of of('path')) path = path.replace(`{${name}}`, encoded(draw(values)));
        const query = of('query').map(({ name, values }) => `${name}=${encoded(draw(values))}`);
        const url = query.length === 0 ? path : `${path}?${query.join('&')}`;
        const body = operation.body === undefined ? undefined : draw(operation.body);
        if (url === '/api/v1/exchange') await exchange(body);
        else if (!CHANGING.test(url)) await send(operation.method, url, body);
      } else if (way === 1) {
        await exchange(mutated(realTraffic(), pick, draw(strange)));
      } else {
        await exchange(realTraffic());
      }
      if (pick(200) === 0) await keymaster.sweep();
    };
    // Together: they share commits, as real ones do.
    const several = async (): Promise<void> => {
      while (result.requests < requests) await one();
    };
    await Promise.all(Array.from({ length: TOGETHER }, several));
    await keymaster.trust.settled();
    const check = await store.snapshot(checkLedger);
    for (const { faults } of check.contests) result.faults.push(...faults);
    result.done = check.contests.find(({ name }) => name === 'test')?.done ?? 0;
    if (result.done > credited) result.faults.push(`${result.done} units are done, and ${credited} were credited`);
    return result;
  } finally {
    await gateway.close();
    await server.close();
    folder.remove();
  }
}

/** With the token it may do what it likes to contests and keys, and then nothing is credited any more. */
const CHANGING = /^\/admin\/v1\/(contests|keys|proxies)/;

/** Half a surrogate pair is in no address. */
const encoded = (value: unknown): string => encodeURIComponent(String(value).replace(/[\ud800-\udfff]/g, ''));

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
