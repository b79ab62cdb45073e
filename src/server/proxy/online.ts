/** Whether this machine has a network, as far as it can tell without asking anyone: an address that is not its own. */
import { networkInterfaces } from 'node:os';

export const isOnline = (): boolean =>
  Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ internal }) => !internal));
