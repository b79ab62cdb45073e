/**
 * Fetches kernels and tables. `url` is a file of the PWA, or a data: URL in Node; `fetch` can read both.
 */
export async function loadBytes(url: string): Promise<ArrayBuffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`);
  return response.arrayBuffer();
}

export async function loadWasm(url: string): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await loadBytes(url));
}

/** Whether a core failed to load because this browser lacks what it requires, and not because its file did not come. */
export function isUnsupported(error: unknown): boolean {
  return error instanceof WebAssembly.CompileError;
}
