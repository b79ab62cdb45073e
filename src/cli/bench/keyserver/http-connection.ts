/**
 * One kept-alive HTTP/1.1 connection of the load generator, one request at a time. It shares the machine with what it measures, so
 * it does no more than a request needs: node's own client costs several times as much as this for each.
 *
 * It reads what our gateway sends, a body with its Content-Length, and throws at anything else.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

const HEAD_END = Buffer.from('\r\n\r\n');

interface Waiting {
  resolve(body: string): void;
  reject(error: Error): void;
}

export class HttpConnection {
  readonly #socket: Socket;
  readonly #host: string;
  #waiting: Waiting | undefined;
  #received: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket, host: string) {
    this.#socket = socket;
    this.#host = host;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the keyserver closed a connection')));
  }

  static async open(url: string): Promise<HttpConnection> {
    const { hostname, port, host } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return new HttpConnection(socket, host);
  }

  /** The reply's body. @throws Error it was not 200. */
  post(path: string, body: string): Promise<string> {
    // As browsers do; the API answers uncompressed.
    const head = `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
    return this.#ask('POST', path, head, body);
  }

  /** As `post`. */
  get(path: string): Promise<string> {
    return this.#ask('GET', path, '', '');
  }

  #ask(method: string, path: string, head: string, body: string): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(`${method} ${path} HTTP/1.1\r\nHost: ${this.#host}\r\n${head}\r\n${body}`);
    });
  }

  close(): void {
    this.#socket.removeAllListeners('close');
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const end = this.#received.indexOf(HEAD_END);
    if (end === -1) return;
    const head = this.#received.toString('latin1', 0, end);
    const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
    if (length === undefined) return this.#fail(new Error(`a reply without its length: ${head}`));
    const from = end + HEAD_END.length;
    const past = from + Number(length);
    if (this.#received.length < past) return;
    const body = this.#received.toString('utf8', from, past);
    this.#received = this.#received.subarray(past);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (head.startsWith('HTTP/1.1 200 ')) waiting?.resolve(body);
    else waiting?.reject(new Error(`the keyserver answered ${head.split('\r\n', 1)[0]}: ${body}`));
  }

  #fail(error: Error): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(error);
  }
}
