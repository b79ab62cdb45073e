/** The little of a logger that the server's parts use: pino fits, and so does a test's. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
