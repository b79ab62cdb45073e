/** comlink ships its adapter for Node without types. */
declare module 'comlink/dist/esm/node-adapter.mjs' {
  import type { Endpoint } from 'comlink';

  interface NodeEndpoint {
    postMessage(message: unknown, transfer?: never[]): void;
    on(type: string, listener: (message: unknown) => void): unknown;
    off(type: string, listener: (message: unknown) => void): unknown;
  }
  export default function nodeEndpoint(endpoint: NodeEndpoint): Endpoint;
}
