/** On what a bench ran: in every report. */
import { cpus } from 'node:os';

export interface Machine {
  cpu: string;
  cpus: number;
  platform: string;
  tabherd: string;
  node: string;
}

export const machineOf = (version: string): Machine => ({
  cpu: cpus()[0]?.model.trim() ?? 'unknown',
  cpus: cpus().length,
  platform: `${process.platform} ${process.arch}`,
  tabherd: version,
  node: process.version,
});
