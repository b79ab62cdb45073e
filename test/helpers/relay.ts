/** Between a client and a keyserver over HTTP: passes everything on, and keeps what was said in both directions. */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';

export interface Relay {
  url: string;
  /** Addresses and bodies, unpacked, in order. */
  said: string[];
  close: () => void;
}

export async function relayTo(target: string): Promise<Relay> {
  const said: string[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const body = await buffer(request);
      said.push(request.url ?? '', unpacked(body));
      const { method = 'GET' } = request;
      const answer = await fetch(new URL(request.url ?? '', target), {
        method,
        headers: headersOf(request),
        ...(body.length === 0 ? {} : { body }),
      });
      const text = await answer.text();
      said.push(text);
      response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' }).end(text);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, said, close: () => server.close() };
}

const unpacked = (body: Buffer): string => (body[0] === 0x1f ? gunzipSync(body) : body).toString();

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  const passed = ['content-type', 'content-encoding', 'accept'];
  return Object.fromEntries(passed.flatMap((name) => (headers[name] ? [[name, String(headers[name])]] : [])));
}
