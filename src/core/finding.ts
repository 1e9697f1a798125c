import { type Finding, type FindingNote, type FindingStatus, severities } from "../../packages/sdk/src/wire/findings.ts";

/** Who finds things out. Rejects when it cannot be asked. */
export interface FindingSource {
  findings(): Promise<readonly Finding[]>;
}

/** Notes by the finding's id; they outlive the finding, which may come back. Members reject with StoreUnavailable when they cannot be asked. */
export interface FindingNotes {
  list(): Promise<ReadonlyMap<string, FindingNote>>;
  /** The newest note on a finding is the one that counts. */
  put(id: string, note: FindingNote): Promise<void>;
}

/** A finding is what was said of it last, until it is graver than it was then: who accepts a loss of six dollars has not accepted one of six hundred. */
export function findingStatus({ severity }: Pick<Finding, "severity">, note: FindingNote | undefined): FindingStatus {
  if (note === undefined || severities.indexOf(severity) < severities.indexOf(note.severity)) return "open";
  return note.status;
}
