/** A compiled AssemblyScript module, as an address to fetch it from (see the `asc` plugin in vite.config.ts). */
declare module '*?asc' {
  const url: string;
  export default url;
}
