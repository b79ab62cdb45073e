/** Fetches and compiles a kernel. `url` is a file of the PWA, or a data: URL in Node; both `fetch` can read. */
export async function loadWasm(url: string): Promise<WebAssembly.Module> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status}`);
  return WebAssembly.compile(await response.arrayBuffer());
}
