import type { Json } from "../../packages/sdk/src/wire/json.ts";
import type { Instant } from "./clock.ts";

/** What a finding is about. */
export const findingKinds = ["cost", "cache", "security", "quality", "failure"] as const;

/** See {@link findingKinds}. */
export type FindingKind = (typeof findingKinds)[number];

/** Something that was found out about the workload and that somebody may want to act on, with what it rests on. */
export interface Finding {
  /** The same for the same matter, whenever it is found again. */
  readonly id: string;
  readonly kind: FindingKind;
  readonly severity: "low" | "medium" | "high";
  /** One sentence. */
  readonly title: string;
  /** When it was found last. */
  readonly at: Instant;
  readonly evidence: Json;
}

/** Who finds things out. Rejects when it cannot be asked. */
export interface FindingSource {
  findings(): Promise<readonly Finding[]>;
}

/** What people say of a finding: `acted` somebody mends it, `accepted` it is known and stays, `false_positive` it is none. */
export const findingStatuses = ["open", "acted", "accepted", "false_positive"] as const;

/** See {@link findingStatuses}. */
export type FindingStatus = (typeof findingStatuses)[number];

/** What a person has said of a finding. */
export interface FindingNote {
  readonly status: FindingStatus;
  readonly reason: string;
  readonly by: string;
  readonly at: Instant;
  /** How grave it was then. */
  readonly severity: Finding["severity"];
}

/** Notes by the finding's id; they outlive the finding, which may come back. Members reject with StoreUnavailable when they cannot be asked. */
export interface FindingNotes {
  list(): Promise<ReadonlyMap<string, FindingNote>>;
  /** The newest note on a finding is the one that counts. */
  put(id: string, note: FindingNote): Promise<void>;
}

/** Severities, the gravest first. */
export const severities = ["high", "medium", "low"] as const satisfies readonly Finding["severity"][];

/** A finding is what was said of it last, until it is graver than it was then: who accepts a loss of six dollars has not accepted one of six hundred. */
export function findingStatus({ severity }: Pick<Finding, "severity">, note: FindingNote | undefined): FindingStatus {
  if (note === undefined || severities.indexOf(severity) < severities.indexOf(note.severity)) return "open";
  return note.status;
}
