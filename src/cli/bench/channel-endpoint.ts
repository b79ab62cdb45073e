/** The channel between a Node process and the one that forked it, as comlink's Node adapter wants a port. */
import type nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';

interface Channel {
  send?(message: unknown): unknown;
  on(type: 'message', listener: (message: unknown) => void): unknown;
  off(type: 'message', listener: (message: unknown) => void): unknown;
}

export function channelEndpoint(channel: Channel): Parameters<typeof nodeEndpoint>[0] {
  return {
    postMessage: (message) => void channel.send?.(message),
    on: (_type, listener) => void channel.on('message', listener),
    off: (_type, listener) => void channel.off('message', listener),
  };
}
