import type { Instant } from "./clock.ts";
import type { Json } from "./json.ts";

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
