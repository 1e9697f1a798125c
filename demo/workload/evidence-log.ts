import { appendFileSync } from "node:fs";

/** What the application saw itself do; one JSON line each, in UTC milliseconds. */
export type EvidenceEntry =
  /** A ticket began or went on: the permission was asked for at `askedAt` and had arrived at `at`. */
  | { readonly kind: "ticket_started"; readonly at: number; readonly askedAt: number; readonly ticketId: string; readonly resumed: boolean }
  | {
      readonly kind: "model_called";
      readonly at: number;
      readonly ticketId: string;
      readonly prompt: string;
      readonly operation: string;
      readonly tries: number;
    }
  | {
      readonly kind: "model_answered";
      readonly at: number;
      readonly ticketId: string;
      readonly requestId: string;
      readonly outcome: string;
    }
  | { readonly kind: "ticket_stopped"; readonly at: number; readonly ticketId: string }
  | { readonly kind: "ticket_ended"; readonly at: number; readonly ticketId: string; readonly outcome: string }
  | { readonly kind: "stage_began"; readonly at: number; readonly ticketId: string; readonly stage: string; readonly attempt: number }
  | {
      readonly kind: "stage_ended";
      readonly at: number;
      readonly ticketId: string;
      readonly stage: string;
      readonly attempt: number;
      readonly result: "done" | "failed";
    }
  /** A file of the ticket's work was written. */
  | { readonly kind: "edited"; readonly at: number; readonly ticketId: string; readonly path: string; readonly attempt: number }
  | { readonly kind: "released"; readonly at: number; readonly release: string };

/** Appends evidence to a file, in order. */
export interface EvidenceLog {
  write(entry: EvidenceEntry): void;
}

/** Evidence must not be lost when the process dies, so every line is written before the next thing happens. */
export function createEvidenceLog(file: string): EvidenceLog {
  return { write: (entry) => appendFileSync(file, `${JSON.stringify(entry)}\n`) };
}
