import { StepFailure } from "../../core/failure.ts";
import type { Feature } from "../../core/feature.ts";
import type { SecurityFindingStore } from "../findings/security-finding-store.ts";
import type { CodeHost, CodeHosts } from "./code-host.ts";

/** What bringing a fix into service acts on. */
export interface ReleasePorts {
  /** As runbookd.yml describes them. */
  readonly features: readonly Feature[];
  readonly securityFindings: Pick<SecurityFindingStore, "list">;
  readonly codeHosts: CodeHosts;
}

/** Where the code of one feature is kept. */
export interface FeatureCode {
  readonly host: CodeHost;
  /** `owner/name`. */
  readonly repository: string;
}

/** Where the code of a feature is kept. Throws StepFailure when runbookd.yml does not say it, or names a system that is not configured. */
export function featureCode({ name, repository, codeHost }: Feature, codeHosts: CodeHosts): FeatureCode {
  if (repository === undefined || codeHost === undefined)
    throw unconfigured(`runbookd.yml does not say where the code of feature ${name} is: it needs repository and code_host.`);
  const host = codeHosts[codeHost];
  if (host === undefined)
    throw unconfigured(
      `Feature ${name} has code_host ${codeHost}, which is not configured: ${codeHost === "git" ? "git_repositories, and git on PATH" : "GITHUB_TOKEN"} is missing.`,
    );
  return { host, repository };
}

function unconfigured(message: string): StepFailure {
  return new StepFailure({ reason: "invalid_parameters", message, applied: "no" });
}
