/** Fields of a line; Errors anywhere inside are made safe. */
export type LogFields = { readonly [name: string]: unknown };

/** Structured log: one JSON object per line. `fields` hold no secret; what is untrusted in them is made safe. */
export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  /** A log whose every line names this run, and this step of it. */
  ofRun(run: string, step?: string): Log;
}
