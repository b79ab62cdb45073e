/** Pages of sites that embed the widget: on another port and under other names than the gateway, all of them this machine. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';

export interface HostPage {
  body: string;
  headers?: Record<string, string>;
}

export class HostPages {
  readonly #server: Server;
  readonly #pages = new Map<string, HostPage>();
  readonly #port: number;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.#port = port;
    server.on('request', ({ url = '/' }, response) => {
      const page = this.#pages.get(url);
      if (page === undefined) {
        response.writeHead(404).end();
        return;
      }
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', ...page.headers });
      response.end(
        `<!doctype html><html lang="en"><title>A site</title><link rel="icon" href="data:,"><body>${page.body}</body></html>`,
      );
    });
  }

  static async open(): Promise<HostPages> {
    const server = createServer();
    server.listen(0);
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return new HostPages(server, address.port);
  }

  /** Browsers take every name below `localhost` for this machine, and each for a site of its own. */
  origin(name: string): string {
    return `http://${name}.localhost:${this.#port}`;
  }

  put(path: string, page: HostPage): void {
    this.#pages.set(path, page);
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
