/**
 * What a server does when it is told: SIGTERM and Ctrl-C drain it and end the process, a second one ends it at once; SIGHUP
 * reloads. A SIGHUP because the terminal it was started from is gone drains, too: nobody would be left to end it. (Node
 * then ends with SIGABRT, since it cannot put that terminal back in order; all is closed by then.)
 */
import { closeSync, openSync } from 'node:fs';

export interface Signalled {
  /** Ends well: takes no more, answers what is under way. The process ends when it is done. */
  onDrain: () => Promise<void>;
  /** Reads the configuration again. It never runs twice at a time; one that comes meanwhile is made up for. */
  onReload: () => Promise<void>;
  /** Either failed. After a failed drain the process ends with 1; after a failed reload it goes on as it was. */
  onError: (error: unknown) => void;
}

export function watchSignals({ onDrain, onReload, onError }: Signalled): void {
  const hadTerminal = hasTerminal();
  let draining = false;
  const drain = (): void => {
    // The second Ctrl-C does not wait.
    if (draining) process.exit(130);
    draining = true;
    onDrain().then(
      () => process.exit(0),
      (error: unknown) => {
        onError(error);
        process.exit(1);
      },
    );
  };
  let reloading: Promise<void> | undefined;
  let again = false;
  const reload = (): void => {
    if (draining) return;
    if (hadTerminal && !hasTerminal()) return drain();
    again = reloading !== undefined;
    if (again) return;
    reloading = onReload()
      .catch(onError)
      .then(() => {
        reloading = undefined;
        if (again) reload();
      });
  };
  process.on('SIGINT', drain);
  process.on('SIGTERM', drain);
  process.on('SIGHUP', reload);
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return true;
  } catch {
    return false;
  }
}
