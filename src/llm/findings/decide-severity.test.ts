import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { type SeverityClass, type SeverityFacts, severityClasses } from "../../../packages/sdk/src/wire/security-findings.ts";
import { agencyValues, dataKinds, exposures, type Feature } from "../../core/feature.ts";
import { decideSeverity, type JudgedFinding } from "./decide-severity.ts";
import { agenticImpactLevel, aivssDecision, cisaCoordinator } from "./severity-tables.ts";

type Members = Pick<Feature, "exposure" | "data" | "agency">;

const aFeature = (members: Members = {}): Feature => ({
  name: "export",
  flags: [],
  budgets: [],
  keys: [],
  paths: [],
  versionUrls: [],
  ...members,
});
const harmless = aFeature({ exposure: "internal", data: "none" });
const ordinary = aFeature({ exposure: "internal", data: "personal" });
const exposed = aFeature({ exposure: "public", data: "regulated" });

const noWeakness = { cwe: [], owasp: [] };
const aVulnerability = (facts: SeverityFacts): JudgedFinding => ({
  kind: "vulnerability",
  weakness: { ...noWeakness, cve: "CVE-2026-1234" },
  facts: { knownExploited: false, epss: 0.01, ...facts },
});
const aPrompt = (facts: SeverityFacts): JudgedFinding => ({ kind: "prompt", weakness: noWeakness, facts: { observed: false, ...facts } });
const aSecret = (secret: Partial<NonNullable<JudgedFinding["secret"]>>, facts: SeverityFacts = {}): JudgedFinding => ({
  kind: "secret",
  weakness: noWeakness,
  facts,
  secret: { type: "API key", validity: "inactive", public: false, ...secret },
});

const vectors = {
  no: { partial: "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N", total: "CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H" },
  yes: { partial: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N", total: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" },
} as const;
const worst = vectors.yes.total;
const mild = vectors.no.partial;

const copilot: Feature["agency"] = { power: "constrained", environment: "isolated", predictability: "verifiable", systemic: "contained" };
const specialist = { ...copilot, power: "capable", environment: "connected" } as const;
const primeMover = { ...copilot, power: "high-leverage", environment: "pervasive" } as const;

/** Each table as it is published, one row a line: the values of the decision points and the outcome. */
const publishedRows = {
  cisa: `
    none   no  partial low track | none   no  partial medium track  | none   no  partial high track
    none   no  total   low track | none   no  total   medium track  | none   no  total   high track*
    none   yes partial low track | none   yes partial medium track  | none   yes partial high attend
    none   yes total   low track | none   yes total   medium track  | none   yes total   high attend
    poc    no  partial low track | poc    no  partial medium track  | poc    no  partial high track*
    poc    no  total   low track | poc    no  total   medium track* | poc    no  total   high attend
    poc    yes partial low track | poc    yes partial medium track  | poc    yes partial high attend
    poc    yes total   low track | poc    yes total   medium track* | poc    yes total   high attend
    active no  partial low track | active no  partial medium track  | active no  partial high attend
    active no  total   low track | active no  total   medium attend | active no  total   high act
    active yes partial low attend | active yes partial medium attend | active yes partial high act
    active yes total   low attend | active yes total   medium act    | active yes total   high act`,
  agentic: `
    constrained   isolated  verifiable copilot    | constrained   isolated  uncertain copilot    | constrained   isolated  opaque specialist
    constrained   connected verifiable copilot    | constrained   connected uncertain specialist | constrained   connected opaque specialist
    constrained   pervasive verifiable specialist | constrained   pervasive uncertain specialist | constrained   pervasive opaque prime-mover
    capable       isolated  verifiable copilot    | capable       isolated  uncertain specialist | capable       isolated  opaque specialist
    capable       connected verifiable specialist | capable       connected uncertain specialist | capable       connected opaque specialist
    capable       pervasive verifiable specialist | capable       pervasive uncertain specialist | capable       pervasive opaque prime-mover
    high-leverage isolated  verifiable specialist | high-leverage isolated  uncertain specialist | high-leverage isolated  opaque prime-mover
    high-leverage connected verifiable specialist | high-leverage connected uncertain specialist | high-leverage connected opaque prime-mover
    high-leverage pervasive verifiable prime-mover | high-leverage pervasive uncertain prime-mover | high-leverage pervasive opaque prime-mover`,
  aivss: `
    none   copilot     contained defer        | none   copilot     significant scheduled    | none   copilot     critical out-of-cycle
    none   specialist  contained scheduled    | none   specialist  significant scheduled    | none   specialist  critical out-of-cycle
    none   prime-mover contained scheduled    | none   prime-mover significant out-of-cycle | none   prime-mover critical immediate
    poc    copilot     contained scheduled    | poc    copilot     significant scheduled    | poc    copilot     critical out-of-cycle
    poc    specialist  contained scheduled    | poc    specialist  significant out-of-cycle | poc    specialist  critical out-of-cycle
    poc    prime-mover contained out-of-cycle | poc    prime-mover significant out-of-cycle | poc    prime-mover critical immediate
    active copilot     contained out-of-cycle | active copilot     significant out-of-cycle | active copilot     critical immediate
    active specialist  contained out-of-cycle | active specialist  significant immediate    | active specialist  critical immediate
    active prime-mover contained immediate    | active prime-mover significant immediate    | active prime-mover critical immediate`,
};

const rowsOf = (text: string) => text.split(/[|\n]/u).flatMap((row) => (row.trim() === "" ? [] : [row.trim().split(/\s+/u)]));

/** Every path through nested records, with what is at its end. */
const pathsOf = (table: object): readonly (readonly string[])[] =>
  Object.entries(table).flatMap(([key, below]) =>
    (typeof below === "object" ? pathsOf(below) : [[String(below)]]).map((path) => [
      key.replace(" ", "-"),
      ...path.map((one) => one.replace(" ", "-")),
    ]),
  );

const sorted = (rows: readonly (readonly string[])[]) => rows.map((row) => row.join(" ")).toSorted();

describe("the tables", () => {
  it.each([
    ["CISA Coordinator 2.0.3", cisaCoordinator, publishedRows.cisa, 36],
    ["Agentic Impact Level 1.0.0", agenticImpactLevel, publishedRows.agentic, 27],
    ["AIVSS Decision Table 1.0.0", aivssDecision, publishedRows.aivss, 27],
  ])("%s has each row as published", (_name, table, text, count) => {
    expect(rowsOf(text)).toHaveLength(count);
    expect(sorted(pathsOf(table))).toEqual(sorted(rowsOf(text)));
  });

  it.each(rowsOf(publishedRows.cisa))("of CISA decides exploitation %s, automatable %s, impact %s, mission %s: %s", (...row) => {
    const [exploitation, automatable, impact, mission, decision] = row;
    const cvss = vectors[automatable === "yes" ? "yes" : "no"][impact === "total" ? "total" : "partial"];
    const feature = { low: harmless, medium: ordinary, high: exposed }[String(mission)];
    const facts = { knownExploited: exploitation === "active", epss: exploitation === "poc" ? 0.5 : 0.01, cvss };
    const expected = { track: "low", "track*": "medium", attend: "high", act: "critical" }[String(decision)];
    const { class: judged, unknown, contain } = decideSeverity(aVulnerability(facts), feature);
    expect({ judged, unknown }).toEqual({ judged: expected, unknown: [] });
    expect(contain).toBe(expected === "critical" || (expected === "high" && exploitation === "active"));
  });

  it.each(rowsOf(publishedRows.aivss))("of AIVSS decides exploitation %s, agentic impact %s, systemic impact %s: %s", (...row) => {
    const [exploitation, agentic, systemic, decision] = row;
    const agency = { copilot, specialist, "prime-mover": primeMover }[String(agentic)];
    const feature = aFeature({ agency: { ...agency, systemic: agencyValues.systemic.find((value) => value === systemic) ?? "contained" } });
    const facts = { observed: exploitation === "active", reproduced: exploitation === "poc" };
    const expected = { defer: "low", scheduled: "medium", "out-of-cycle": "high", immediate: "critical" }[String(decision)];
    const { class: judged, unknown, contain } = decideSeverity(aPrompt(facts), feature);
    expect({ judged, unknown }).toEqual({ judged: expected, unknown: [] });
    expect(contain).toBe(expected === "critical" || (expected === "high" && exploitation === "active"));
  });
});

/** A case: the finding, its feature, the class, whether it is contained, what is unknown, and a part of its last reason but containment. */
type Case = readonly [string, JudgedFinding, Feature | undefined, SeverityClass, boolean, readonly string[], string];

const cases: readonly Case[] = [
  // Rule 1: a CVE.
  ["a CVE without exploitation", aVulnerability({ cvss: mild }), harmless, "low", false, [], "says track for CVE-2026-1234"],
  ["an exploited CVE", aVulnerability({ knownExploited: true, cvss: worst }), exposed, "critical", true, [], "says act"],
  [
    "an exploited CVE in a harmless feature",
    aVulnerability({ knownExploited: true, cvss: worst }),
    harmless,
    "high",
    true,
    [],
    "says attend",
  ],
  ["an exploited CVE of little impact", aVulnerability({ knownExploited: true, cvss: mild }), harmless, "low", false, [], "says track"],
  ["a CVE that EPSS finds likely", aVulnerability({ epss: 0.1, cvss: worst }), ordinary, "medium", false, [], "says track*"],
  ["a CVE just below", aVulnerability({ epss: 0.0999, cvss: worst }), ordinary, "low", false, [], "exploitation none"],
  ["a CVE with a replayed attack", aVulnerability({ reproduced: true, cvss: worst }), exposed, "high", false, [], "exploitation poc"],
  ["a CVE seen in our telemetry", aVulnerability({ observed: true, cvss: worst }), exposed, "critical", true, [], "exploitation active"],
  [
    "a CVE that needs a user",
    aVulnerability({ cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N" }),
    exposed,
    "low",
    false,
    [],
    "automatable no",
  ],
  [
    "a CVE with a vector of version 2",
    aVulnerability({ cvss: "AV:N/AC:L/Au:N/C:P/I:P/A:P" }),
    exposed,
    "high",
    false,
    [],
    "automatable yes",
  ],
  [
    "a CVE with a vector of version 4",
    aVulnerability({ knownExploited: true, cvss: "CVSS:4.0/AV:L/AC:L/AT:N/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N" }),
    exposed,
    "critical",
    true,
    [],
    "technical impact total",
  ],
  ["a CVE of code", { ...aVulnerability({ cvss: worst }), kind: "code" }, exposed, "high", false, [], "says attend"],
  // Rule 4: what is unknown.
  ["a malformed vector", aVulnerability({ cvss: "CVSS:3.1/AV:N/AC:L" }), harmless, "medium", false, ["cvss"], "from low to medium"],
  ["no vector", aVulnerability({}), harmless, "medium", false, ["cvss"], "cvss is unknown"],
  [
    "a garbled vector of what is exploited",
    aVulnerability({ knownExploited: true, cvss: "9.8" }),
    exposed,
    "critical",
    true,
    ["cvss"],
    "from high to critical",
  ],
  [
    "a garbled vector of what is exploited in a harmless feature",
    aVulnerability({ knownExploited: true, cvss: "9.8" }),
    harmless,
    "high",
    true,
    ["cvss"],
    "unknown without cvss, so the class is high and not medium",
  ],
  [
    "an exploited CVE of which nothing else is known",
    { ...aVulnerability({}), facts: { knownExploited: true, cvss: "garbage" } },
    undefined,
    "high",
    true,
    ["cvss", "epss", "feature"],
    "unknown without cvss and feature, so the class is high and not medium",
  ],
  [
    "an exploited CVE of little impact in a feature of unknown exposure",
    aVulnerability({ observed: true, cvss: mild }),
    aFeature({ data: "none" }),
    "high",
    true,
    ["exposure"],
    "so the class is high and not medium",
  ],
  [
    "an exploited CVE of little impact with an unknown probability",
    { ...aVulnerability({}), facts: { knownExploited: true, cvss: mild } },
    harmless,
    "medium",
    false,
    ["epss"],
    "from low to medium",
  ],
  [
    "a CVE of unknown impact that is only likely to be exploited",
    aVulnerability({ epss: 0.9 }),
    undefined,
    "medium",
    false,
    ["cvss", "feature"],
    "from low to medium",
  ],
  [
    "a CVE on no list",
    { ...aVulnerability({}), facts: { cvss: mild } },
    harmless,
    "medium",
    false,
    ["knownExploited", "epss"],
    "knownExploited and epss are unknown",
  ],
  ["an EPSS that is no number", aVulnerability({ cvss: mild, epss: Number.NaN }), harmless, "medium", false, ["epss"], "epss is unknown"],
  ["a CVE in no known feature", aVulnerability({ cvss: worst }), undefined, "medium", false, ["feature"], "feature is unknown"],
  [
    "a feature of unknown exposure",
    aVulnerability({ cvss: worst }),
    aFeature({ data: "personal" }),
    "medium",
    false,
    ["exposure"],
    "exposure is unknown",
  ],
  [
    "a feature of unknown data",
    aVulnerability({ cvss: worst }),
    aFeature({ exposure: "public" }),
    "medium",
    false,
    ["data"],
    "data is unknown",
  ],
  [
    "many unknown facts at once",
    { ...aVulnerability({}), facts: {} },
    undefined,
    "medium",
    false,
    ["cvss", "knownExploited", "epss", "feature"],
    "cvss, knownExploited, epss and feature are unknown",
  ],
  [
    "unknown facts of the gravest class",
    { ...aVulnerability({}), facts: { observed: true, cvss: worst } },
    exposed,
    "critical",
    true,
    ["knownExploited", "epss"],
    "the class stays critical",
  ],
  // Rule 2: prompts, tools and code without a CVE.
  ["a prompt of a copilot", aPrompt({}), aFeature({ agency: copilot }), "low", false, [], "says defer"],
  ["a prompt of a specialist", aPrompt({}), aFeature({ agency: specialist }), "medium", false, [], "agentic impact specialist"],
  [
    "a replayed attack on a prime mover",
    aPrompt({ reproduced: true }),
    aFeature({ agency: primeMover }),
    "high",
    false,
    [],
    "says out-of-cycle",
  ],
  [
    "a replayed attack of which it is unknown whether it was used",
    { ...aPrompt({}), facts: { reproduced: true } },
    aFeature({ agency: { ...primeMover, systemic: "significant" } }),
    "critical",
    true,
    ["observed"],
    "from high to critical",
  ],
  ["an observed attack on a copilot", aPrompt({ observed: true }), aFeature({ agency: copilot }), "high", true, [], "says out-of-cycle"],
  [
    "an observed attack on a specialist",
    aPrompt({ observed: true }),
    aFeature({ agency: { ...specialist, systemic: "significant" } }),
    "critical",
    true,
    [],
    "says immediate",
  ],
  [
    "critical reach",
    aPrompt({}),
    aFeature({ agency: { ...copilot, systemic: "critical" } }),
    "high",
    false,
    [],
    "systemic impact critical",
  ],
  ["a prompt in no known feature", aPrompt({}), undefined, "medium", false, ["feature"], "from low to medium"],
  [
    "a prompt of unknown agency",
    aPrompt({}),
    aFeature(),
    "medium",
    false,
    ["power", "environment", "predictability", "systemic"],
    "power, environment, predictability and systemic are unknown",
  ],
  [
    "an attack that nobody looked for",
    { ...aPrompt({}), facts: {} },
    aFeature({ agency: copilot }),
    "medium",
    false,
    ["observed", "reproduced"],
    "observed and reproduced are unknown",
  ],
  [
    "an observed attack with a malformed vector",
    aPrompt({ observed: true, cvss: "CVSS:3.1/AV:Q" }),
    aFeature({ agency: specialist }),
    "critical",
    true,
    ["cvss"],
    "cvss is unknown",
  ],
  [
    "code without a CVE, with a vector",
    { ...aPrompt({ cvss: worst }), kind: "code" },
    aFeature({ agency: copilot }),
    "high",
    false,
    [],
    "The source rates it critical",
  ],
  // Rule 3: secrets.
  ["an active secret", aSecret({ validity: "active" }), harmless, "critical", true, [], "The secret is active"],
  ["a secret of unknown validity", aSecret({ validity: "unknown" }), undefined, "critical", true, ["validity"], "validity is unknown"],
  ["an inactive secret", aSecret({}), exposed, "medium", false, [], "The secret is inactive"],
  ["an inactive secret that is public", aSecret({ public: true }), exposed, "high", false, [], "more than one repository"],
  [
    "an inactive secret that was used",
    aSecret({ public: true }, { observed: true }),
    undefined,
    "high",
    true,
    [],
    "more than one repository",
  ],
  [
    "a secret of which nothing is known",
    { kind: "secret", weakness: noWeakness, facts: {} },
    undefined,
    "critical",
    true,
    ["validity", "public"],
    "the class stays critical",
  ],
  // The source's own word.
  [
    "a source that says critical",
    aVulnerability({ cvss: mild, sourceSeverity: "critical" }),
    harmless,
    "high",
    false,
    [],
    "so the class is high and not low",
  ],
  [
    "a source that says less",
    aVulnerability({ knownExploited: true, cvss: worst, sourceSeverity: "low" }),
    exposed,
    "critical",
    true,
    [],
    "says act",
  ],
  [
    "a source that says critical of an exploited CVE",
    aVulnerability({ knownExploited: true, cvss: mild, sourceSeverity: "critical" }),
    harmless,
    "high",
    true,
    [],
    "The source rates it critical",
  ],
  [
    "an unknown fact before the source's word",
    aVulnerability({ sourceSeverity: "high" }),
    harmless,
    "medium",
    false,
    ["cvss"],
    "from low to medium",
  ],
];

describe("assessing severity", () => {
  it.each(cases)("judges %s", (_name, finding, feature, expected, contain, unknown, reason) => {
    const verdict = decideSeverity(finding, feature);
    expect(verdict).toEqual({ class: expected, contain, unknown, reasons: expect.anything() });
    const reasons = contain ? verdict.reasons.slice(0, -1) : verdict.reasons;
    expect(reasons.at(-1)).toContain(reason);
    expect(verdict.reasons.at(-1)?.startsWith("What is affected is switched off")).toBe(contain);
  });

  it("has a case for each rule", () => {
    expect(cases.length).toBeGreaterThanOrEqual(40);
  });
});

/** Metrics of each version with their values, the gravest last. */
const metricsOf = {
  "CVSS:3.1/": { AV: "PLAN", AC: "HL", PR: "HLN", UI: "RN", S: "UC", C: "NLH", I: "NLH", A: "NLH" },
  "CVSS:4.0/": { AV: "PLAN", AC: "HL", AT: "PN", PR: "HLN", UI: "APN", VC: "NLH", VI: "NLH", VA: "NLH", SC: "NLH", SI: "NLH", SA: "NLH" },
  "": { AV: "LAN", AC: "HML", Au: "MSN", C: "NPC", I: "NPC", A: "NPC" },
} as const;

type Ranks = Readonly<Record<string, number>>;

const vectorOf = (prefix: keyof typeof metricsOf, ranks: Ranks) =>
  prefix +
  Object.entries(metricsOf[prefix])
    .map(([metric, values]) => `${metric}:${values[ranks[metric] ?? 0]}`)
    .join("/");

/** A vector, and the same with one metric graver. */
const worsenedVectors = fc.constantFrom<keyof typeof metricsOf>("CVSS:3.1/", "CVSS:4.0/", "").chain((prefix) => {
  const metrics: Readonly<Record<string, string>> = metricsOf[prefix];
  const ranks = fc.record(Object.fromEntries(Object.entries(metrics).map(([metric, values]) => [metric, fc.nat(values.length - 1)])));
  return fc.tuple(ranks, fc.constantFrom(...Object.keys(metrics))).map(([before, metric]): readonly [string, string] => {
    const after = { ...before, [metric]: Math.min((before[metric] ?? 0) + 1, (metrics[metric]?.length ?? 1) - 1) };
    return [vectorOf(prefix, before), vectorOf(prefix, after)];
  });
});

/** Everything that a verdict depends on; an absent member is an unknown fact. */
interface Situation {
  readonly kind: JudgedFinding["kind"];
  readonly hasCve: boolean;
  readonly facts: SeverityFacts;
  readonly secret: { readonly validity?: "active" | "inactive"; readonly public?: boolean };
  readonly feature: Omit<Members, "agency"> | undefined;
  readonly agency: NonNullable<Members["agency"]>;
}

const judge = ({ kind, hasCve, facts, secret, feature, agency }: Situation) => {
  const finding: JudgedFinding = {
    kind,
    weakness: hasCve ? { ...noWeakness, cve: "CVE-2026-1234" } : noWeakness,
    facts,
    ...(kind === "secret" && { secret: { type: "API key", validity: "unknown", ...secret } }),
  };
  return decideSeverity(finding, feature && aFeature({ ...feature, agency }));
};

/** One member given, taken away or replaced. */
const withMember = <Members extends object>(members: Members, [name, value]: readonly [string, unknown]): Members => {
  const next = { ...members };
  Reflect.deleteProperty(next, name);
  if (value !== undefined) Reflect.set(next, name, value);
  return next;
};

type Place = "facts" | "secret" | "feature" | "agency";

const withFact = (situation: Situation, place: Place, fact: readonly [string, unknown]): Situation => {
  if (place === "facts") return { ...situation, facts: withMember(situation.facts, fact) };
  if (place === "secret") return { ...situation, secret: withMember(situation.secret, fact) };
  if (place === "agency") return { ...situation, agency: withMember(situation.agency, fact) };
  return { ...situation, feature: situation.feature && withMember(situation.feature, fact) };
};

/** The facts with a closed set of values, the gravest last. */
const ladders: readonly (readonly [Place, string, readonly unknown[]])[] = [
  ["facts", "knownExploited", [false, true]],
  ["facts", "observed", [false, true]],
  ["facts", "reproduced", [false, true]],
  ["facts", "epss", [0, 0.05, 0.1, 0.7, 1]],
  ["facts", "sourceSeverity", severityClasses.toReversed()],
  ["secret", "validity", ["inactive", "active"]],
  ["secret", "public", [false, true]],
  ["feature", "exposure", exposures.toReversed()],
  ["feature", "data", dataKinds.toReversed()],
  ["agency", "power", agencyValues.power.toReversed()],
  ["agency", "environment", agencyValues.environment.toReversed()],
  ["agency", "predictability", agencyValues.predictability.toReversed()],
  ["agency", "systemic", agencyValues.systemic.toReversed()],
];

const optionalMembers = { requiredKeys: [] };
const situations: fc.Arbitrary<Situation> = fc.record({
  kind: fc.constantFrom("vulnerability", "code", "secret", "prompt", "advisory"),
  hasCve: fc.boolean(),
  facts: fc.record(
    {
      cvss: fc.oneof(
        fc.constant("garbage"),
        worsenedVectors.map(([vector]) => vector),
      ),
      knownExploited: fc.boolean(),
      epss: fc.constantFrom(0, 0.05, 0.1, 1),
      observed: fc.boolean(),
      reproduced: fc.boolean(),
      sourceSeverity: fc.constantFrom(...severityClasses),
    },
    optionalMembers,
  ),
  secret: fc.record({ validity: fc.constantFrom("active", "inactive"), public: fc.boolean() }, optionalMembers),
  feature: fc.option(fc.record({ exposure: fc.constantFrom(...exposures), data: fc.constantFrom(...dataKinds) }, optionalMembers), {
    nil: undefined,
  }),
  agency: fc.record(
    {
      power: fc.constantFrom(...agencyValues.power),
      environment: fc.constantFrom(...agencyValues.environment),
      predictability: fc.constantFrom(...agencyValues.predictability),
      systemic: fc.constantFrom(...agencyValues.systemic),
    },
    optionalMembers,
  ),
});

const urgency = ({ class: judged }: { readonly class: SeverityClass }) => -severityClasses.indexOf(judged);

/** The lowest value of each member of a feature. */
const mostHarmless = { feature: { exposure: "internal", data: "none" }, agency: copilot } as const;

describe("a worse fact", () => {
  it.each(ladders)("of %s: a graver %s never makes a finding less urgent", (place, name, values) => {
    fc.assert(
      fc.property(situations, fc.nat(values.length - 2), (situation, rank) => {
        const before = judge(withFact(situation, place, [name, values[rank]]));
        const after = judge(withFact(situation, place, [name, values[rank + 1]]));
        expect(urgency(after)).toBeGreaterThanOrEqual(urgency(before));
        expect(after.contain || !before.contain).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("of the vector: a graver metric never makes a finding less urgent", () => {
    fc.assert(
      fc.property(situations, worsenedVectors, (situation, [mildVector, graver]) => {
        const [before, after] = [mildVector, graver].map((value) => judge(withFact(situation, "facts", ["cvss", value])));
        if (before === undefined || after === undefined) throw new Error("two verdicts");
        expect(urgency(after)).toBeGreaterThanOrEqual(urgency(before));
      }),
      { numRuns: 500 },
    );
  });
});

describe("an attack on what has no CVE", () => {
  it.each(["reproduced", "observed"])("is at least as urgent when it is %s as when it is unknown", (fact) => {
    fc.assert(
      fc.property(
        situations,
        ({ facts: { observed: _observed, reproduced: _reproduced, knownExploited: _listed, ...facts }, ...others }) => {
          const unknown: Situation = { ...others, kind: "prompt", hasCve: false, facts };
          const [before, after] = [judge(unknown), judge(withFact(unknown, "facts", [fact, true]))];
          expect(urgency(after)).toBeGreaterThanOrEqual(urgency(before));
          expect(after.contain || !before.contain).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("an unknown fact", () => {
  it.each(ladders)("of %s: without %s a finding is at least as urgent as with its lowest value", (place, name, [lowest]) => {
    fc.assert(
      fc.property(situations, (situation) => {
        const unknown = judge(withFact(situation, place, [name, undefined]));
        const known = judge(withFact(situation, place, [name, lowest]));
        expect(urgency(unknown)).toBeGreaterThanOrEqual(urgency(known));
        expect(unknown.contain || !known.contain).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("of the vector: without one, or with one that cannot be read, a finding is at least as urgent as with the mildest", () => {
    fc.assert(
      fc.property(situations, fc.constantFrom(undefined, "garbage", "CVSS:3.1/AV:N"), (situation, value) => {
        const unknown = judge(withFact(situation, "facts", ["cvss", value]));
        const known = judge(withFact(situation, "facts", ["cvss", vectorOf("CVSS:3.1/", {})]));
        expect(urgency(unknown)).toBeGreaterThanOrEqual(urgency(known));
      }),
    );
  });

  it("of the feature: a finding in no known feature is at least as urgent as in the most harmless one", () => {
    fc.assert(
      fc.property(situations, (situation) => {
        expect(urgency(judge({ ...situation, feature: undefined }))).toBeGreaterThanOrEqual(
          urgency(judge({ ...situation, ...mostHarmless })),
        );
      }),
    );
  });
});

describe("a vulnerability that is exploited", () => {
  it.each(["cvss", "feature", "exposure", "data"])("is at least high and contained when %s is unknown", (name) => {
    fc.assert(
      fc.property(situations, fc.constantFrom("knownExploited", "observed"), (situation, fact) => {
        const exploited = withFact({ ...situation, kind: "vulnerability", hasCve: true }, "facts", [fact, true]);
        const unknown =
          name === "feature"
            ? { ...exploited, feature: undefined }
            : withFact(exploited, name === "cvss" ? "facts" : "feature", [name, undefined]);
        const verdict = judge(unknown);
        expect(["critical", "high"]).toContain(verdict.class);
        expect(verdict.contain).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe("any finding", () => {
  it("gets a class with its reasons", () => {
    fc.assert(
      fc.property(situations, fc.string({ maxLength: 600 }), fc.double(), (situation, cvss, epss) => {
        const verdict = judge({ ...situation, facts: { ...situation.facts, cvss, epss } });
        expect(severityClasses).toContain(verdict.class);
        expect(verdict.reasons.length).toBeGreaterThan(0);
        expect(verdict.reasons.every((reason) => /^[A-Z].*\.$/su.test(reason) && reason.length < 500)).toBe(true);
        expect(verdict.contain).toBe(verdict.class === "critical" || (verdict.contain && verdict.class === "high"));
      }),
    );
  });
});
