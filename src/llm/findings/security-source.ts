import type { ReportedSecurityFinding, SecurityFinding } from "../../../packages/sdk/src/wire/security-findings.ts";
import type { Instant } from "../../core/clock.ts";

/** What became of a finding that a source reported. `refused`: it was not kept, for a reason that people may read. */
export type ReportedFindingResult =
  | { readonly kind: "created" | "updated" | "unchanged" | "older"; readonly finding: Pick<SecurityFinding, "id"> }
  | { readonly kind: "refused"; readonly reason: string };

/** Takes one finding in. Resolves when it is durable; an older report changes nothing. Rejects with StoreUnavailable. */
export type ReportFinding = (finding: ReportedSecurityFinding) => Promise<ReportedFindingResult>;

/** Which findings are listed. */
export interface FindingListing {
  /** Everything that changed at or after this instant is listed, whatever its state is. */
  readonly since: Instant;
  /** Everything that is open is listed too. */
  readonly whole: boolean;
  readonly signal: AbortSignal;
}

/** A system that lists its security findings. */
export interface SecuritySource {
  /** The `source` of every finding that it lists. */
  readonly name: string;
  /**
   * Lists findings in no order. What was listed before the end stays valid when the listing breaks off. Only a listing that comes to its end has seen
   * everything: what the source refuses, hides or writes in a form that cannot be read rejects with {@link SourceUnreadable}, after everything else has been
   * listed. Rejects with the signal's reason when aborted.
   */
  list(listing: FindingListing): AsyncIterable<ReportedSecurityFinding>;
}

/** A source did not show everything. It must not be taken for one without findings. The message is for people and holds no secret. */
export class SourceUnreadable extends Error {
  constructor(message: string) {
    super(message);
    this.name = "SourceUnreadable";
  }
}
