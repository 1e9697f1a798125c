import { type Finding, type FindingComment, type FindingStatus, severities } from "../../packages/sdk/src/wire/findings.ts";

/** Who finds things out. Rejects when it cannot be asked. */
export interface FindingSource {
  findings(): Promise<readonly Finding[]>;
}

/** Notes by the finding's id; they outlive the finding, which may come back. Members reject with StoreUnavailable when they cannot be asked. */
export interface FindingCommentStore {
  list(): Promise<ReadonlyMap<string, FindingComment>>;
  /** The newest note on a finding is the one that counts. */
  put(id: string, comment: FindingComment): Promise<void>;
}

/** A finding is what was said of it last, until it is graver than it was then: who accepts a loss of six dollars has not accepted one of six hundred. */
export function findingStatus({ severity }: Pick<Finding, "severity">, comment: FindingComment | undefined): FindingStatus {
  if (comment === undefined || severities.indexOf(severity) < severities.indexOf(comment.severity)) return "open";
  return comment.status;
}
