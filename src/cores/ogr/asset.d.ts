/** A file of ours as a data: URL, in the browser as in Node (Vite's `?url&inline`). */
declare module '*?url&inline' {
  const url: string;
  export default url;
}
