import { type SecurityFinding, type SeverityClass, severityClasses } from "../../../packages/sdk/src/wire/security-findings.ts";
import type { Instant } from "../../core/clock.ts";
import type { Feature } from "../../core/feature.ts";
import type { SourceStatus } from "../findings/security-finding-store.ts";

/** What a containment is decided from. */
export interface ContainmentFacts {
  /** Name of the feature, as the alert or a person gave it. */
  readonly name: string;
  /** Its description; undefined: runbookd.yml has none of this name. */
  readonly feature: Feature | undefined;
  /** Findings of the feature in every state; undefined: they cannot be read, or not all of them. */
  readonly findings: readonly SecurityFinding[] | undefined;
  /** Undefined: whether the sources can be read is not known. */
  readonly sources: readonly SourceStatus[] | undefined;
  /** When the alert that began the run began to fire; undefined: a person began the run. */
  readonly alertSince: Instant | undefined;
  /** A finding of this class or a graver one is contained, beside every finding whose verdict says so. */
  readonly atLeast: SeverityClass;
}

/** Why a feature is left on. */
export type SpareReason = "below_threshold" | "closed" | "no_finding";

/** Why a feature is switched off. Only `verdict` is shown; the others are what cannot be seen. */
export type ContainReason = "verdict" | "not_assessed" | "findings_unreadable" | "source_blind" | "alert_unexplained";

/**
 * `spare`: nothing is switched off. `contain`: exactly what the feature's description names is switched off. `ask`: containment is
 * needed and no description says of what, so a person names the feature.
 */
export type Containment =
  | { readonly kind: "spare"; readonly reason: SpareReason; readonly sentence: string }
  | { readonly kind: "contain"; readonly reason: ContainReason; readonly sentence: string; readonly feature: Feature }
  | { readonly kind: "ask"; readonly reason: ContainReason; readonly sentence: string };

/** How long before its alert a finding may have been closed and still explain the alert: a scrape, an evaluation and a delivery. */
const alertLagMs = 10 * 60_000;

/** Decides whether a feature is switched off, and what of it. What cannot be seen is contained; what is not described is never guessed. */
export function decideContainment(facts: ContainmentFacts): Containment {
  const judged = judge(facts);
  if (judged.kind === "spare") return judged;
  const { feature } = facts;
  return feature === undefined ? { ...judged, kind: "ask" } : { ...judged, kind: "contain", feature };
}

type Judged =
  | Extract<Containment, { readonly kind: "spare" }>
  | { readonly kind: "needed"; readonly reason: ContainReason; readonly sentence: string };

function judge({ name, findings, sources, alertSince, atLeast }: ContainmentFacts): Judged {
  if (findings === undefined)
    return needed("findings_unreadable", `The findings of ${name} cannot be read, so none of them is known to be harmless.`);
  const open = findings.filter(({ state }) => state === "open");
  const unjudged = open.filter(({ verdict }) => verdict === null);
  const grave = open.flatMap((finding) => (finding.verdict !== null && isGrave(finding.verdict, atLeast) ? [finding] : []));
  const [worst] = grave.toSorted((a, b) => rankOf(a) - rankOf(b));
  if (worst?.verdict) {
    const others = grave.length === 1 ? "" : ` and ${grave.length - 1} more`;
    return needed("verdict", `${worst.verdict.class}: "${worst.title}" from ${worst.source}${others}. ${worst.verdict.reasons.join(" ")}`);
  }
  if (unjudged.length > 0)
    return needed("not_assessed", `${unjudged.length} open ${plural(unjudged.length)} of ${name} could not be assessed.`);
  if (open.length > 0)
    return spare("below_threshold", `${open.length} open ${plural(open.length)} of ${name}, none of which calls for switching it off.`);
  return judgeWithoutFinding({ name, findings, sources, alertSince });
}

/** No finding is open: is that true, or is a source blind, or does an alert know more than the store? */
function judgeWithoutFinding({
  name,
  findings = [],
  sources,
  alertSince,
}: Pick<ContainmentFacts, "name" | "findings" | "sources" | "alertSince">): Judged {
  const closed = findings.filter(({ updatedAt }) => alertSince === undefined || updatedAt >= alertSince - alertLagMs);
  if (alertSince === undefined) return spare("no_finding", `No finding of ${name} is open.`);
  if (closed.length > 0) return spare("closed", `Every finding of ${name} was closed at its source.`);
  const blind = sources?.filter(({ up }) => !up).map(({ source }) => source);
  if (blind === undefined || blind.length > 0) {
    const which = blind === undefined ? "The sources of findings cannot be read" : `${blind.join(", ")} cannot be read`;
    return needed("source_blind", `${which}, so that no open finding of ${name} does not mean that there is none.`);
  }
  return needed("alert_unexplained", `An alert names ${name}, and no finding explains it.`);
}

/** Whether a verdict calls for containment. */
function isGrave(verdict: NonNullable<SecurityFinding["verdict"]>, atLeast: SeverityClass): boolean {
  return verdict.contain || severityClasses.indexOf(verdict.class) <= severityClasses.indexOf(atLeast);
}

function rankOf({ verdict }: SecurityFinding): number {
  return verdict === null ? -1 : severityClasses.indexOf(verdict.class);
}

function needed(reason: ContainReason, sentence: string): Judged {
  return { kind: "needed", reason, sentence };
}

function spare(reason: SpareReason, sentence: string): Judged {
  return { kind: "spare", reason, sentence };
}

function plural(count: number): string {
  return count === 1 ? "finding" : "findings";
}
