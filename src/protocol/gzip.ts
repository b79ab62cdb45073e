/**
 * Request bodies in gzip. A server says in its replies that it takes them (`accept-encoding` in a response, RFC 9110,
 * 12.5.3); to one that does not say so they go plain, since it might refuse them.
 */

/** Smaller bodies fit in two packets as they are. */
const LEAST_CHARACTERS = 2048;

export async function gzipped(text: string): Promise<ArrayBuffer> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'));
  return new Response(stream).arrayBuffer();
}

/** Whether it is worth it, and can be done on this platform. */
export function worthGzip(text: string): boolean {
  return text.length > LEAST_CHARACTERS && 'CompressionStream' in globalThis;
}

/** Whether an Accept-Encoding header names gzip, and not with a weight of nothing. */
export function namesGzip(header: string | null): boolean {
  return (header ?? '').split(',').some((item) => {
    const [coding, weight] = item.split(';');
    return coding?.trim().toLowerCase() === 'gzip' && !/^\s*q=0(\.0*)?\s*$/i.test(weight ?? '');
  });
}
