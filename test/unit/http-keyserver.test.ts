/** The client's half of the API: what it makes of refusals, and of answers that no gateway of ours would give. */
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { UnreachableError } from '../../src/protocol/errors.ts';
import { HttpKeyserver } from '../../src/protocol/http-keyserver.ts';
import type { ExchangeReply, ExchangeRequest } from '../../src/protocol/keyserver.ts';

describe('a keyserver reached over HTTP', () => {
  let answer: { status: number; headers?: Record<string, string>; body: string } | 'hang' | 'cut';
  let server: HttpServer;
  let url: string;
  beforeAll(async () => {
    server = createServer((request, response) => {
      if (answer === 'hang') return;
      if (answer === 'cut') {
        response.writeHead(200, { 'content-length': '100' }).write('{');
        setTimeout(() => request.socket.destroy(), 10);
        return;
      }
      response.writeHead(answer.status, answer.headers).end(answer.body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const status = async (): Promise<unknown> =>
    new HttpKeyserver(url, { fetch, timeoutMs: 300 }).status().then(
      () => 'answered',
      (error: unknown) => error,
    );
  const problem = (code: string, status: number) =>
    JSON.stringify({ type: 'about:blank', title: 'x', status, code, detail: 'because', field: '/a/b' });

  it('throws what the problem document says', async () => {
    answer = { status: 422, body: problem('contest_unknown', 422) };
    expect(await status()).toMatchObject({
      name: 'RefusedError',
      code: 'contest_unknown',
      status: 422,
      field: '/a/b',
      message: 'because',
    });
  });

  it.each<[string, typeof answer, object]>([
    [
      'that is busy',
      { status: 429, headers: { 'retry-after': '7' }, body: problem('internal', 429) },
      { retryAfterSeconds: 7 },
    ],
    [
      'in trouble',
      { status: 503, headers: { 'retry-after': '5' }, body: problem('internal', 503) },
      { retryAfterSeconds: 5 },
    ],
    ['behind a broken proxy', { status: 502, body: '<html>Bad Gateway</html>' }, { retryAfterSeconds: undefined }],
    ['behind a captive portal', { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Log in' }, {}],
    ['that is something else', { status: 404, body: 'no' }, {}],
    ['that talks nonsense', { status: 200, body: '{"version":1}' }, {}],
    ['that never answers', 'hang', { cause: { name: 'TimeoutError' } }],
    ['whose answer is cut', 'cut', { cause: { name: 'TypeError' } }],
  ])('is unreachable when it meets one %s', async (_what, given, expected) => {
    answer = given;
    const error = await status();
    expect(error).toBeInstanceOf(UnreachableError);
    expect(error).toMatchObject(expected);
  });

  it('understands a Retry-After that is a date', async () => {
    const headers = { 'retry-after': new Date(Date.now() + 60_000).toUTCString() };
    answer = { status: 503, headers, body: '' };
    const { retryAfterSeconds } = (await status()) as UnreachableError;
    expect(retryAfterSeconds).toBeGreaterThan(55);
    expect(retryAfterSeconds).toBeLessThanOrEqual(60);
  });

  it('is unreachable where nobody listens', async () => {
    const nobody = new HttpKeyserver('http://127.0.0.1:9', { fetch });
    await expect(nobody.status()).rejects.toBeInstanceOf(UnreachableError);
  });
});

describe('an exchange over HTTP', () => {
  const requests: { encoding: string | undefined; body: ExchangeRequest }[] = [];
  /** What the server says it takes; undefined: nothing about it, as an older one. */
  let takes: string | undefined;
  let refuses = false;
  let reply: Record<string, unknown>;
  let server: HttpServer;
  let url: string;
  const plain: ExchangeReply = { results: [], leases: [], now: 0, contests: [], retryAfterSeconds: 0 };
  const id = '00000000-0000-4000-8000-000000000001';
  const request = (holding: number): ExchangeRequest => ({
    client: { id, version: '0.0.0', name: 'Käthe ✓' },
    reports: [],
    want: { blocks: 0, from: [], holding: Array<string>(holding).fill(id) },
  });
  beforeAll(async () => {
    server = createServer((incoming, response) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => {
        const encoding = incoming.headers['content-encoding'];
        const body = Buffer.concat(chunks);
        const text = (encoding === 'gzip' ? gunzipSync(body) : body).toString();
        requests.push({ encoding, body: JSON.parse(text) as ExchangeRequest });
        if (takes !== undefined) response.setHeader('accept-encoding', takes);
        if (encoding !== undefined && refuses) response.writeHead(415).end('{}');
        else response.end(JSON.stringify(reply));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());
  beforeEach(() => {
    requests.length = 0;
    takes = undefined;
    refuses = false;
    reply = { ...plain };
  });
  const encodings = (): (string | undefined)[] => requests.map(({ encoding }) => encoding);

  it('goes plain to a server that has not said that it takes gzip, or said that it does not', async () => {
    const keyserver = new HttpKeyserver(url, { fetch });
    for (takes of [undefined, 'identity', 'br, gzip;q=0', 'gzip;q=0.000']) {
      await keyserver.exchange(request(100));
      await keyserver.exchange(request(100));
    }
    expect(encodings()).toEqual(Array(8).fill(undefined));
  });

  it.each(['gzip', 'GZIP, identity', 'br;q=1, gzip;q=0.5'])(
    'goes in gzip once it has said %j, and small ones plain',
    async (says) => {
      const keyserver = new HttpKeyserver(url, { fetch });
      takes = says;
      await keyserver.exchange(request(100));
      await keyserver.exchange(request(100));
      await keyserver.exchange(request(1));
      expect(encodings()).toEqual([undefined, 'gzip', undefined]);
      expect(requests.map(({ body }) => body)).toEqual([request(100), request(100), request(1)]);
    },
  );

  it('is repeated plain, once and for all, where a server refuses gzip after all', async () => {
    const keyserver = new HttpKeyserver(url, { fetch });
    takes = 'gzip';
    await keyserver.exchange(request(100));
    refuses = true;
    expect(await keyserver.exchange(request(100))).toEqual(plain);
    await keyserver.exchange(request(100));
    expect(encodings()).toEqual([undefined, 'gzip', undefined, undefined]);
  });

  it('passes over directives it does not know; one it knows must be whole', async () => {
    const keyserver = new HttpKeyserver(url, { fetch });
    const wait = { do: 'wait', code: 302, seconds: 7 };
    reply = { ...plain, protocol: 'keyserver<-client/2', directives: [{ do: 'sing', code: 199 }, wait] };
    expect((await keyserver.exchange(request(1))).directives).toEqual([wait]);
    reply = { ...plain, directives: [{ do: 'wait', code: 302 }] };
    await expect(keyserver.exchange(request(1))).rejects.toThrow('/directives/0');
  });
});
