/**
 * A whole keyserver in one process: store, keymaster and gateway on one port. It handles no signals and ends no
 * process: whoever calls it owns those, and closes what it got.
 */
import { networkInterfaces } from 'node:os';
import { resolve } from 'node:path';
import fastify from 'fastify';
import type { ContestKind } from '../contests/kind.ts';
import type { ContestKindName, ContestManifest } from '../domain/contest.ts';
import { createGateway } from './http/gateway.ts';
import { Keymaster } from './keymaster/keymaster.ts';
import { openPostgresStore } from './store/postgres.ts';
import { openSqliteStore } from './store/sqlite.ts';

/** distributed.net's port. */
export const DEFAULT_PORT = 2064;

const SWEEP_EVERY_MS = 15_000;

/** How long requests under way may take once the server closes; an exchange takes milliseconds. */
const DRAIN_MS = 2000;

export interface ServerOptions {
  /** Made if it is not there; belongs to one process at a time. */
  dataDir: string;
  /** A PostgreSQL for the ledger; without one it is in the data folder. */
  databaseUrl?: string | undefined;
  /** 0: any free one. */
  port?: number | undefined;
  /** All addresses unless told: of both families, or of IPv4 where the machine has no other. */
  host?: string | undefined;
  appDir?: string | undefined;
  manifests: readonly ContestManifest[];
  kinds: Readonly<Record<ContestKindName, ContestKind>>;
  version: string;
  logLevel?: 'debug' | 'info' | 'warn' | 'error' | 'silent';
}

export interface Server {
  /** Where a browser on this machine finds it. */
  readonly url: string;
  /** Takes no more requests, answers those it has, and closes the ledger. */
  close(): Promise<void>;
}

/** The server cannot start; the message says why and what to do. */
export class ServeError extends Error {
  override readonly name = 'ServeError';
}

/**
 * @throws ServeError the port cannot be had.
 * @throws StoreError the data folder is in use, or its ledger contradicts a manifest.
 * @throws TypeError a manifest contradicts itself.
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { port = DEFAULT_PORT, logLevel = 'info', version } = options;
  const host = options.host ?? (hasIpv6() ? '::' : '0.0.0.0');
  // The pino that fastify brings, set up as fastify does: JSON lines on stdout.
  const { log } = fastify({ logger: { level: logLevel } });
  const store =
    options.databaseUrl === undefined
      ? await openSqliteStore(resolve(options.dataDir))
      : await openPostgresStore({
          url: options.databaseUrl,
          onError: (err) => log.warn({ err }, 'a connection to PostgreSQL broke'),
        });
  try {
    const { manifests, kinds } = options;
    const keymaster = await Keymaster.open({ store, manifests, kinds, clock: Date.now, log, version });
    const appDir = options.appDir === undefined ? undefined : resolve(options.appDir);
    const gateway = await createGateway({ keyserver: keymaster, appDir, logger: log, version });
    await gateway.listen({ port, host }).catch((cause: unknown) => {
      throw listenError(cause, port, host);
    });
    const sweeping = setInterval(() => {
      keymaster.sweep().catch((err: unknown) => log.error({ err }, 'the sweep failed'));
    }, SWEEP_EVERY_MS);
    sweeping.unref();
    return {
      url: urlOf(gateway.server.address(), host),
      async close() {
        clearInterval(sweeping);
        // A browser opens sockets ahead of need; Node counts one that never spoke as busy, for half a minute.
        const impatient = setTimeout(() => gateway.server.closeAllConnections(), DRAIN_MS);
        await gateway.close();
        clearTimeout(impatient);
        await keymaster.close();
        await store.close();
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

function hasIpv6(): boolean {
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ family }) => family === 'IPv6'));
}

function listenError(cause: unknown, port: number, host: string): ServeError {
  const { code } = cause as { code?: string };
  if (code === 'EADDRINUSE') {
    return new ServeError(`port ${port} is in use; choose another with --port`, { cause });
  }
  if (code === 'EACCES') {
    return new ServeError(`port ${port} is not yours to open; choose one above 1023 with --port`, { cause });
  }
  return new ServeError(`cannot listen on ${host} port ${port}: ${String(code ?? cause)}`, { cause });
}

function urlOf(address: string | { port: number } | null, host: string): string {
  const port = typeof address === 'object' ? address?.port : undefined;
  const name = host === '::' || host === '0.0.0.0' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return `http://${name}:${port}/`;
}
