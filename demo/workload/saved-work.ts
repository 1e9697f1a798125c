import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Message } from "./model-client.ts";

/** What a ticket has reached; written after every turn, so that a ticket that stops goes on where it stood. */
export interface SavedWork {
  readonly ticketId: string;
  /** Assignments that are done. */
  readonly done: number;
  /** Answers to the present assignment that were refused. */
  readonly refusals: number;
  /** These answers and the complaints about them. */
  readonly conversation: readonly Message[];
}

/** Saved work on disk, one file per ticket. */
export interface WorkStore {
  load(ticketId: string): SavedWork;
  save(work: SavedWork): void;
}

/** Files are replaced whole: a reader never sees half of one. */
export function createWorkStore(folder: string): WorkStore {
  mkdirSync(folder, { recursive: true });
  const fileOf = (ticketId: string) => join(folder, `${encodeURIComponent(ticketId)}.json`);
  return {
    load(ticketId) {
      try {
        const saved: SavedWork = JSON.parse(readFileSync(fileOf(ticketId), "utf8"));
        return saved;
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === "ENOENT") {
          return { ticketId, done: 0, refusals: 0, conversation: [] };
        }
        throw error;
      }
    },
    save(work) {
      const file = fileOf(work.ticketId);
      writeFileSync(`${file}.new`, JSON.stringify(work));
      renameSync(`${file}.new`, file);
    },
  };
}
