/** The client's half of the API: what it makes of refusals, and of answers that no gateway of ours would give. */
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UnreachableError } from '../../src/protocol/errors.ts';
import { HttpKeyserver } from '../../src/protocol/http-keyserver.ts';

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
