/** What a proxy says of itself to its upstream. */
import type { ClientInfo } from '../../domain/client.ts';
import type { KeyPair } from '../proof/key.ts';
import type { ProxyPorts } from './proxy.ts';

export const selfOf = ({ name, version }: ProxyPorts, { id }: KeyPair): ClientInfo => ({
  id,
  version,
  class: 'proxy',
  ...(name === undefined ? {} : { name }),
});
