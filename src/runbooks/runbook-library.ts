import type { RunbookDocument } from "../../packages/sdk/src/wire/runbooks.ts";

/** The running set. */
export interface RunbookLibrary {
  list(): readonly RunbookDocument[];
  get(id: string): RunbookDocument | undefined;
}
