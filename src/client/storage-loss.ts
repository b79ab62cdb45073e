/** Why nothing is kept: what a person can do about it differs. */
export type StorageLoss =
  /** No room left on the disk, or in what the browser gives this page. */
  | 'full'
  /** Deleted under the page, as when a person clears what a site has stored. */
  | 'gone'
  /** A newer version of the page has changed it. */
  | 'newer'
  /** It neither opened nor failed: another tab holds it. */
  | 'blocked'
  /** Not allowed, or broken. */
  | 'refused';

/** Of an error of IndexedDB's or of the file system's. */
export function lossOf(reason: unknown): StorageLoss {
  const { name = '', code } = (reason ?? {}) as { name?: string; code?: unknown };
  if (name === 'QuotaExceededError' || code === 'ENOSPC') return 'full';
  if (name === 'VersionError') return 'newer';
  if (name === 'TimeoutError') return 'blocked';
  // A connection that was closed under it; a store that is not there.
  if (name === 'InvalidStateError' || name === 'AbortError' || name === 'NotFoundError') return 'gone';
  return 'refused';
}
