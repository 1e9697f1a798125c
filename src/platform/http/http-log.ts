import type { Json } from "../../../packages/sdk/src/wire/json.ts";

/** Structured log lines. `fields` hold no secret and no untrusted text beyond 200 characters. */
export interface HttpLog {
  info(fields: { readonly [name: string]: Json }, message: string): void;
  warn(fields: { readonly [name: string]: Json }, message: string): void;
  error(fields: { readonly [name: string]: Json }, message: string): void;
}
