/** A compiled AssemblyScript module, as an address to fetch it from (see the `asc` plugin in vite.config.ts). */
declare module '*?asc' {
  const url: string;
  export default url;
}
declare module '*?asc&enable=simd' {
  const url: string;
  export default url;
}

/** A file as it is, as an address to fetch it from. */
declare module '*?bytes' {
  const url: string;
  export default url;
}
