/**
 * A wire between two processes of a test: a TCP relay on a loopback port of its own, whose weather a test changes. The far
 * end may move to another port and the wire stays where it is, so that addresses outlive the processes behind them.
 *
 *   fair       bytes pass as they come
 *   slow       each piece is late by up to a quarter of a second
 *   cut        connections are reset, new ones refused
 *   half-open  connections stay, and nothing passes; one that lost something so is silent for ever, as when a router forgets it
 *   torn       a connection is reset after some hundreds of bytes of one direction, in the midst of a request or an answer
 */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export type Weather = 'fair' | 'slow' | 'cut' | 'half-open' | 'torn';

const MOST_LATE_MS = 250;
const MOST_BYTES = 2000;

interface Wire {
  isLost: boolean;
  near: Socket;
  far: Socket;
}

export class FaultyLink {
  /** The port behind it; undefined: nobody is there. */
  target: number | undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #weather: Weather = 'fair';

  private constructor(server: Server, target: number | undefined) {
    this.#server = server;
    this.target = target;
    server.on('connection', (socket) => this.#relay(socket));
  }

  static async open(target?: number): Promise<FaultyLink> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FaultyLink(server, target);
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the link is closed');
    return address.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get weather(): Weather {
    return this.#weather;
  }

  set weather(weather: Weather) {
    this.#weather = weather;
    if (weather === 'cut') this.#resetAll();
  }

  async close(): Promise<void> {
    this.#resetAll();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #resetAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  #relay(near: Socket): void {
    if (this.#weather === 'cut' || this.target === undefined) {
      near.on('error', () => {});
      near.resetAndDestroy();
      return;
    }
    const wire = { isLost: false, near, far: connect(this.target, '127.0.0.1') };
    for (const socket of [wire.near, wire.far]) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
    }
    this.#pass(wire, wire.near, wire.far);
    this.#pass(wire, wire.far, wire.near);
  }

  /** One direction. Back pressure is left out: what passes is small. */
  #pass(wire: Wire, from: Socket, to: Socket): void {
    let left = Math.floor(Math.random() * MOST_BYTES);
    let last = Promise.resolve();
    const next = (then: () => void): void => {
      last = last.then(async () => {
        if (this.#weather === 'slow') await sleep(Math.random() * MOST_LATE_MS);
        if (this.#weather === 'half-open') wire.isLost = true;
        if (!wire.isLost) then();
      });
    };
    from.on('data', (bytes: Buffer) =>
      next(() => {
        if (this.#weather !== 'torn' || bytes.length <= left) {
          if (this.#weather === 'torn') left -= bytes.length;
          to.write(bytes);
          return;
        }
        to.write(bytes.subarray(0, left), () => {
          wire.near.resetAndDestroy();
          wire.far.resetAndDestroy();
        });
      }),
    );
    from.on('end', () => next(() => to.end()));
    from.on('close', () => next(() => to.destroy()));
  }
}
