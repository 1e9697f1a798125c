// The package is one CommonJS file whose names Node cannot see; its types say otherwise.
import calculator, { type CvssVector } from "ae-cvss-calculator";
import type { SeverityClass } from "../../../packages/sdk/src/wire/security-findings.ts";

/** What a vector says, or the end of a sentence on why it says nothing. */
export type CvssReading =
  | {
      readonly kind: "known";
      /** Attacks can be automated: from the network, without special conditions, privileges or a user, or the vector says so. */
      readonly automatable: boolean;
      /** An attacker controls or reads everything. */
      readonly totalImpact: boolean;
      /** By its base score; absent when that is 0. */
      readonly rating: SeverityClass | undefined;
    }
  | { readonly kind: "unknown"; readonly reason: string };

/** Longer than any vector with every metric of its version. */
const maxLength = 500;

/** The metrics that decide, as each version names them. `none` is an attacker's easiest case, `total` the gravest impact. */
const versions = [
  {
    form: /^CVSS:4\.0\//u,
    create: (text: string) => new calculator.Cvss4P0(text),
    easiest: { AV: "N", AC: "L", AT: "N", PR: "N", UI: "N" },
    privileges: "PR",
    impact: ["VC", "VI"],
    total: "H",
    some: "L",
  },
  {
    form: /^CVSS:3\.1\//u,
    create: (text: string) => new calculator.Cvss3P1(text),
    easiest: { AV: "N", AC: "L", PR: "N", UI: "N" },
    privileges: "PR",
    impact: ["C", "I"],
    total: "H",
    some: "L",
  },
  {
    form: /^CVSS:3\.0\//u,
    create: (text: string) => new calculator.Cvss3P0(text),
    easiest: { AV: "N", AC: "L", PR: "N", UI: "N" },
    privileges: "PR",
    impact: ["C", "I"],
    total: "H",
    some: "L",
  },
  {
    // Version 2 has no prefix; a vector in brackets is its older form.
    form: /^\(?AV:/u,
    create: (text: string) => new calculator.Cvss2(text),
    easiest: { AV: "N", AC: "L", Au: "N" },
    privileges: "Au",
    impact: ["C", "I"],
    total: "C",
    some: "P",
  },
] as const;

/** Reads a vector of CVSS 2, 3.0, 3.1 or 4.0. Whatever is malformed is unknown: the calculator scores it 0. https://www.first.org/cvss/specification-document */
export function readCvss(text: string): CvssReading {
  const vector = text.trim();
  if (vector.length > maxLength) return unknown(`it is longer than ${maxLength} characters`);
  const version = versions.find(({ form }) => form.test(vector));
  if (version === undefined) return unknown("it is no vector of CVSS 2, 3.0, 3.1 or 4.0");
  const metrics = vector
    .replace(/^\((.*)\)$/u, "$1")
    .split("/")
    .map((part) => part.split(":", 1)[0]);
  if (new Set(metrics).size !== metrics.length) return unknown("it gives a metric twice");
  try {
    const parsed = version.create(vector);
    if (!parsed.isBaseFullyDefined()) return unknown("a base metric is missing");
    const valueOf = (metric: string) => parsed.getComponentByStringOpt(metric)?.shortName;
    return {
      kind: "known",
      automatable: isAutomatable(valueOf, version.easiest),
      totalImpact: isTotal(valueOf, version),
      rating: ratingOf(parsed),
    };
  } catch {
    return unknown("it is malformed");
  }
}

function unknown(reason: string): CvssReading {
  return { kind: "unknown", reason };
}

type Values = (metric: string) => string | undefined;

/** The supplemental metric of version 4 says it; without it the base metrics do. */
function isAutomatable(valueOf: Values, easiest: Readonly<Record<string, string>>): boolean {
  const said = valueOf("AU");
  if (said === "Y" || said === "N") return said === "Y";
  return Object.entries(easiest).every(([metric, value]) => valueOf(metric) === value);
}

/** CERT/CC's mapping of CVSS 4 to technical impact 1.0.0: everything read and changed, or one of them and the other in part without any privilege. */
function isTotal(valueOf: Values, { impact, total, some, privileges }: (typeof versions)[number]): boolean {
  const values = impact.map((metric) => valueOf(metric));
  const totals = values.filter((value) => value === total).length;
  return totals === 2 || (totals === 1 && values.includes(some) && valueOf(privileges) === "N");
}

/** https://www.first.org/cvss/v4.0/specification-document#Qualitative-Severity-Rating-Scale */
function ratingOf(vector: Pick<CvssVector<Score>, "calculateScores">): SeverityClass | undefined {
  const { base } = vector.calculateScores();
  if (base === undefined || !(base > 0)) return undefined;
  if (base >= 9) return "critical";
  if (base >= 7) return "high";
  return base >= 4 ? "medium" : "low";
}

type Score =
  | ReturnType<InstanceType<typeof calculator.Cvss2>["calculateScores"]>
  | ReturnType<InstanceType<typeof calculator.Cvss4P0>["calculateScores"]>;
