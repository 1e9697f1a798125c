import type { ReportedSecurityFinding } from "../../../packages/sdk/src/wire/security-findings.ts";
import { isSameRepository } from "../../core/canonical-repository.ts";
import type { Feature } from "../../core/feature.ts";
import { unknownFeature } from "./security-finding.ts";

/** A feature, or `unknown`, and the sentence that says why. */
export interface FeaturePlacement {
  readonly feature: string;
  readonly reason: string;
}

/**
 * The feature that a finding is in. A feature that the report names counts when runbookd.yml has it; else its location decides: the feature of the repository
 * whose path is the longest beginning of the finding's path. A path means whole folders, and `.` the whole repository; a feature without paths has none.
 */
export function featureOf(
  { feature: named, location }: Pick<ReportedSecurityFinding, "feature" | "location">,
  features: readonly Feature[],
): FeaturePlacement {
  if (named !== undefined && features.some(({ name }) => name === named))
    return { feature: named, reason: "The report names the feature." };
  if (named !== undefined && named !== unknownFeature)
    return unknown(`The report names the feature ${named}, which runbookd.yml does not have.`);
  const { repository, path } = location;
  if (repository === undefined) return unknown("The report names neither a feature nor a repository.");
  const candidates = features.filter((feature) => feature.repository !== undefined && isSameRepository(feature.repository, repository));
  if (candidates.length === 0) return unknown(`No feature of runbookd.yml is in the repository ${repository}.`);
  const segments = segmentsOf(path ?? ".");
  if (segments === undefined) return unknown("The path of the finding leads out of its repository.");
  const matches = candidates
    .map(({ name, paths }) => ({ name, length: Math.max(-1, ...paths.map((prefix) => matchedLength(segments, prefix))) }))
    .filter(({ length }) => length >= 0);
  const maxLength = Math.max(-1, ...matches.map(({ length }) => length));
  const [first, ...others] = matches.filter(({ length }) => length === maxLength);
  if (first === undefined) return unknown(`No path of a feature in ${repository} is the beginning of the finding's path.`);
  if (others.length > 0)
    return unknown(`The features ${[first, ...others].map(({ name }) => name).join(", ")} have the same path, so that none is certain.`);
  return { feature: first.name, reason: `The feature ${first.name} has the longest beginning of the finding's path.` };
}

function unknown(reason: string): FeaturePlacement {
  return { feature: unknownFeature, reason };
}

/** Segments of `prefix` when it is a beginning of the path, else -1. */
function matchedLength(segments: readonly string[], prefix: string): number {
  const wanted = segmentsOf(prefix);
  if (wanted === undefined || prefix.trim() === "") return -1;
  return wanted.every((segment, index) => segments[index] === segment) ? wanted.length : -1;
}

/** undefined: the path leads out of its folder. */
function segmentsOf(path: string): readonly string[] | undefined {
  const segments = path
    .replaceAll("\\", "/")
    .split("/")
    .filter((segment) => segment !== "" && segment !== ".");
  return segments.includes("..") ? undefined : segments;
}
