/**
 * What a keyserver tells of its work: counted in the metrics, written in the block log, said on the console where the
 * verbosity lets it. None of it is waited for.
 */
import type { ContestManifest } from '../../domain/contest.ts';
import type { Metrics } from '../http/metrics.ts';
import type { Observer } from '../ledger/desk.ts';
import type { Log } from '../log.ts';
import type { BlockLog } from './block-log.ts';
import type { Topic } from './verbosity.ts';

export interface ObservingPorts {
  log: Log;
  clock: () => number;
  metrics: Metrics;
  blockLog?: BlockLog | undefined;
  /** Whether the console is to say it. */
  says: (topic: Topic) => boolean;
}

export function observing({ log, clock, metrics, blockLog, says }: ObservingPorts): Observer {
  const block = ({ name }: ContestManifest, first: number, count: number) => ({ contest: name, first, count });
  return {
    reported(client, contest, report, result, address, found) {
      const { outcome, credited, hits, code, detail } = result;
      metrics.reported(outcome);
      if (credited > 0) metrics.credited(contest.name, credited);
      const what = { client: client.id, ...block(contest, report.first, report.evidence.length) };
      if (outcome === 'accepted') {
        blockLog?.log({ at: clock(), ...(address === undefined ? {} : { address }), client, contest, report });
        if (says('reports')) log.info({ ...what, credited }, 'a report was accepted');
      }
      if (outcome === 'duplicate' && says('duplicates')) log.info(what, 'a report came twice');
      if (outcome === 'refused' && says('refusals')) log.info({ ...what, code, detail }, 'a report was refused');
      if (found > 0 && outcome === 'accepted' && says('hits')) log.warn({ ...what, hits }, 'an answer was found');
    },
    leased(client, leases) {
      for (const { contest, first, count } of leases) {
        metrics.leased(contest, count);
        if (says('leases')) log.info({ client: client.id, contest, first, count }, 'a block was handed out');
      }
    },
    exchanged(client) {
      if (says('exchanges')) log.info({ client: client.id, version: client.version }, 'an exchange');
    },
    committed: (size, seconds) => metrics.committed(size, seconds),
    spotChecked: (result, seconds) => metrics.spotChecked(result, seconds),
    doneAgain: (how, agreed) => metrics.doneAgain(how, agreed),
    wentOffline(count, clients) {
      if (says('clients')) log.info({ count, clients }, 'clients went offline');
    },
    caught: (how) => metrics.caught(how),
  };
}
