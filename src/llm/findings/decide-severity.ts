import {
  type ReportedSecurityFinding,
  type SeverityClass,
  type SeverityVerdict,
  severityClasses,
} from "../../../packages/sdk/src/wire/security-findings.ts";
import { agencyValues, dataKinds, exposures, type Feature } from "../../core/feature.ts";
import { shortLine } from "../../core/one-line.ts";
import { type CvssReading, readCvss } from "./read-cvss.ts";
import {
  type ActDecision,
  agenticImpactLevel,
  aivssDecision,
  type CisaDecision,
  cisaCoordinator,
  type Exploitation,
  missionImpact,
} from "./severity-tables.ts";

/** What a finding is judged by, beside the feature that it is in. */
export type JudgedFinding = Pick<ReportedSecurityFinding, "kind" | "weakness" | "facts" | "secret">;

/** A class before the two rules that hold for every finding. */
interface TableVerdict {
  readonly class: SeverityClass;
  readonly reasons: readonly string[];
  readonly unknown: readonly string[];
  /** The class that the finding's source gives it, in its own word or by its vector. */
  readonly sourceClass: SeverityClass | undefined;
}

interface ExploitationFacts {
  readonly state: Exploitation;
  readonly reason: string;
}

/** Probability from which EPSS counts as a public proof of concept. */
const epssThreshold = 0.1;

const classOfCisaDecision: Readonly<Record<CisaDecision, SeverityClass>> = {
  act: "critical",
  attend: "high",
  "track*": "medium",
  track: "low",
};
const classOfActDecision: Readonly<Record<ActDecision, SeverityClass>> = {
  immediate: "critical",
  "out-of-cycle": "high",
  scheduled: "medium",
  defer: "low",
};

/**
 * Decides how urgent a finding is, in order: the table of its sort, one class up when a fact is unknown, `high` at least when what is exploited has an unknown
 * impact, and never more than one class below the source's own word. `feature` undefined: the finding belongs to no known feature. Pure, total, and monotone: a worse fact never makes a finding less urgent.
 */
export function decideSeverity(finding: JudgedFinding, feature: Feature | undefined): SeverityVerdict {
  const exploitation = exploitationOf(finding);
  const table = judgeByTable(finding, feature, exploitation);
  const raised = raiseForExploitation(raiseForUnknown(table), { exploitation, unknown: table.unknown });
  const kept = keepSourceClass(raised, table.sourceClass);
  const contain = kept.class === "critical" || (kept.class === "high" && exploitation.state === "active");
  const containment = contain
    ? [`What is affected is switched off, because the class is ${kept.class}${kept.class === "high" ? " and exploitation is active" : ""}.`]
    : [];
  return { class: kept.class, reasons: [...kept.reasons, ...containment], unknown: [...table.unknown], contain };
}

function judgeByTable(finding: JudgedFinding, feature: Feature | undefined, exploitation: ExploitationFacts): TableVerdict {
  if (finding.kind === "secret" || finding.secret !== undefined) return judgeSecret(finding);
  return finding.weakness.cve === undefined
    ? judgeAgentic(finding, feature, exploitation)
    : judgeVulnerability(finding, feature, exploitation);
}

/** Rule 1, of everything with a CVE: CISA's coordinator table. */
function judgeVulnerability(
  { weakness, facts }: JudgedFinding,
  feature: Feature | undefined,
  exploitation: ExploitationFacts,
): TableVerdict {
  const vector = facts.cvss === undefined ? undefined : readCvss(facts.cvss);
  const cvss = vector?.kind === "known" ? vector : undefined;
  const [exposure, data] = [memberOf(exposures, feature?.exposure), memberOf(dataKinds, feature?.data)];
  const automatable = cvss?.automatable === true ? "yes" : "no";
  const technical = cvss?.totalImpact === true ? "total" : "partial";
  const mission = missionImpact[exposure ?? lowest(exposures)][data ?? lowest(dataKinds)];
  const decision = cisaCoordinator[exploitation.state][automatable][technical][mission];
  return {
    class: classOfCisaDecision[decision],
    reasons: [
      exploitation.reason,
      `CISA's coordinator table says ${decision} for ${shortLine(String(weakness.cve), 40)}: exploitation ${exploitation.state}, automatable ${automatable}, technical impact ${technical}, mission impact ${mission}.`,
      ...unreadable(vector),
    ],
    unknown: [
      ...(cvss === undefined ? ["cvss"] : []),
      ...(facts.knownExploited === undefined ? ["knownExploited"] : []),
      ...(epssOf(facts.epss) === undefined ? ["epss"] : []),
      ...unknownOf(feature, { exposure, data }),
    ],
    sourceClass: facts.sourceSeverity,
  };
}

/** Rule 2, of prompts, tools and code without a CVE: OWASP AIVSS. */
function judgeAgentic({ facts }: JudgedFinding, feature: Feature | undefined, exploitation: ExploitationFacts): TableVerdict {
  const vector = facts.cvss === undefined ? undefined : readCvss(facts.cvss);
  const agency = feature?.agency;
  const power = memberOf(agencyValues.power, agency?.power);
  const environment = memberOf(agencyValues.environment, agency?.environment);
  const predictability = memberOf(agencyValues.predictability, agency?.predictability);
  const systemic = memberOf(agencyValues.systemic, agency?.systemic);
  const byEnvironment = agenticImpactLevel[power ?? lowest(agencyValues.power)][environment ?? lowest(agencyValues.environment)];
  const agentic = byEnvironment[predictability ?? lowest(agencyValues.predictability)];
  const impact = systemic ?? lowest(agencyValues.systemic);
  const decision = aivssDecision[exploitation.state][agentic][impact];
  return {
    class: classOfActDecision[decision],
    reasons: [
      exploitation.reason,
      `The table of OWASP AIVSS says ${decision}: exploitation ${exploitation.state}, agentic impact ${agentic}, systemic impact ${impact}.`,
      ...unreadable(vector),
    ],
    unknown: [
      ...(vector?.kind === "unknown" ? ["cvss"] : []),
      ...unknownExploitation(facts),
      ...unknownOf(feature, { power, environment, predictability, systemic }),
    ],
    // Without a CVE no table reads the vector, so its rating speaks for the source.
    sourceClass: graverOf(facts.sourceSeverity, vector?.kind === "known" ? vector.rating : undefined),
  };
}

/** An attack that was tried in vain has not happened; one that works may have, so that a replay that succeeds never makes a finding less urgent. */
function unknownExploitation({ observed, reproduced }: JudgedFinding["facts"]): readonly string[] {
  if (observed !== undefined || reproduced === false) return [];
  return reproduced === undefined ? ["observed", "reproduced"] : ["observed"];
}

/** Rule 3, of exposed secrets. */
function judgeSecret({ secret, facts }: JudgedFinding): TableVerdict {
  const validity = secret?.validity === "active" || secret?.validity === "inactive" ? secret.validity : undefined;
  const isPublic = secret?.public;
  const base: SeverityClass = validity === "inactive" ? "medium" : "critical";
  const stated = {
    active: "The secret is active, so its exposure is critical.",
    inactive: "The secret is inactive, so its exposure is medium.",
    unknown: "It is unknown whether the secret is active, so it counts as active, and its exposure is critical.",
  }[validity ?? "unknown"];
  const reach = "It was seen outside or in more than one repository, so the class goes one up.";
  return {
    class: isPublic === true ? oneUp(base) : base,
    reasons: [stated, ...(isPublic === true ? [reach] : [])],
    unknown: [...(validity === undefined ? ["validity"] : []), ...(isPublic === undefined ? ["public"] : [])],
    sourceClass: facts.sourceSeverity,
  };
}

/** Rule 4: what is unknown has counted with its lowest value, so the class goes one up. */
function raiseForUnknown({ class: judged, reasons, unknown }: TableVerdict): Pick<TableVerdict, "class" | "reasons"> {
  if (unknown.length === 0) return { class: judged, reasons };
  const names = unknown.length === 1 ? `${unknown.join()} is` : `${unknown.slice(0, -1).join(", ")} and ${unknown.at(-1)} are`;
  const raised = oneUp(judged);
  const change = raised === judged ? `the class stays ${judged}, the highest` : `the class goes one up, from ${judged} to ${raised}`;
  return { class: raised, reasons: [...reasons, `What is unknown counts with its lowest value: ${names} unknown, so ${change}.`] };
}

/** The facts that say how much an exploited vulnerability can do. */
const impactFacts: readonly string[] = ["cvss", "feature", "exposure", "data"];

/** Rule 5: the table takes an unknown impact for the least, and one class up from there is not contained. */
function raiseForExploitation(
  { class: judged, reasons }: Pick<TableVerdict, "class" | "reasons">,
  { exploitation, unknown }: { readonly exploitation: ExploitationFacts; readonly unknown: readonly string[] },
): Pick<TableVerdict, "class" | "reasons"> {
  const absent = impactFacts.filter((fact) => unknown.includes(fact));
  const isRaised = exploitation.state === "active" && absent.length > 0 && rankOf(judged) > rankOf("high");
  if (!isRaised) return { class: judged, reasons };
  const reason = `Exploitation is active, and its impact is unknown without ${absent.join(" and ")}, so the class is high and not ${judged}.`;
  return { class: "high", reasons: [...reasons, reason] };
}

function keepSourceClass(
  { class: judged, reasons }: Pick<TableVerdict, "class" | "reasons">,
  sourceClass: SeverityClass | undefined,
): Pick<TableVerdict, "class" | "reasons"> {
  const said = memberOf(severityClasses, sourceClass);
  const floor = said && oneDown(said);
  if (floor === undefined || rankOf(judged) <= rankOf(floor)) return { class: judged, reasons };
  return {
    class: floor,
    reasons: [
      ...reasons,
      `The source rates it ${said}, which is lowered by one class at most, so the class is ${floor} and not ${judged}.`,
    ],
  };
}

/** The gravest state that a fact shows. */
function exploitationOf({ facts }: JudgedFinding): ExploitationFacts {
  const epss = epssOf(facts.epss);
  if (facts.knownExploited === true)
    return { state: "active", reason: "Exploitation is active: CISA lists it among the known exploited vulnerabilities." };
  if (facts.observed === true) return { state: "active", reason: "Exploitation is active: it was observed here." };
  if (facts.reproduced === true) return { state: "poc", reason: "Exploitation is possible: a replay of the attack succeeded." };
  if (epss !== undefined && epss >= epssThreshold)
    return {
      state: "poc",
      reason: `Exploitation is likely: EPSS gives it ${epss}, and ${epssThreshold} counts as a public proof of concept.`,
    };
  return { state: "none", reason: "No fact shows exploitation." };
}

function epssOf(epss: number | undefined): number | undefined {
  return Number.isFinite(epss) ? epss : undefined;
}

function unreadable(vector: CvssReading | undefined): readonly string[] {
  return vector?.kind === "unknown" ? [`The CVSS vector is not used: ${vector.reason}.`] : [];
}

/** `feature` when there is none, else the names of its facts that are absent. */
function unknownOf(feature: Feature | undefined, facts: Readonly<Record<string, string | undefined>>): readonly string[] {
  if (feature === undefined) return ["feature"];
  return Object.entries(facts).flatMap(([name, value]) => (value === undefined ? [name] : []));
}

/** The value if it is one of the set: what an older or newer version stored may not be. */
function memberOf<Value extends string>(values: readonly Value[], value: Value | undefined): Value | undefined {
  return values.find((one) => one === value);
}

/** The last value of a set that is ordered from the gravest. */
function lowest<const Values extends readonly [string, ...string[]]>(values: Values): Values[number] {
  return values.at(-1) ?? values[0];
}

function rankOf(severity: SeverityClass): number {
  return severityClasses.indexOf(severity);
}

function oneUp(severity: SeverityClass): SeverityClass {
  return severityClasses[Math.max(rankOf(severity) - 1, 0)] ?? severity;
}

function oneDown(severity: SeverityClass): SeverityClass {
  return severityClasses[Math.min(rankOf(severity) + 1, severityClasses.length - 1)] ?? severity;
}

function graverOf(...given: readonly (SeverityClass | undefined)[]): SeverityClass | undefined {
  return severityClasses.find((severity) => given.includes(severity));
}
