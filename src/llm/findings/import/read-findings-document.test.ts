import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { reportedSecurityFindingSchema } from "../../../../packages/sdk/src/wire/security-findings.ts";
import { cyclonedxDocument, genericDocument, osvDocument, sarifDocument } from "../../../../test/builders/finding-documents.ts";
import type { DocumentReading, FindingReading, ImportContext } from "./finding-reading.ts";
import { readFindingsDocument } from "./read-findings-document.ts";

const importedAt = Date.UTC(2026, 10, 30);
const context: ImportContext = { importedAt };

function read(document: unknown, more: Partial<ImportContext> = {}) {
  const reading = readFindingsDocument(document, undefined, { ...context, ...more });
  if (reading.kind === "refused") throw new Error(reading.reason);
  return { readings: [...reading.readings], warnings: reading.warnings };
}

const findingsOf = (readings: readonly FindingReading[]) => readings.flatMap((one) => (one.kind === "finding" ? [one.finding] : []));

/** One run of a tool with these results. */
const aRun = (results: unknown, more: object = {}) => ({
  version: "2.1.0",
  runs: [{ tool: { driver: { name: "Semgrep OSS", rules: [] } }, results, ...more }],
});

describe("SARIF", () => {
  it("reads the rule's score, weakness and text, and where the result is", () => {
    const { readings } = read(sarifDocument());
    expect(findingsOf(readings)).toMatchObject([
      {
        source: "codeql",
        kind: "code",
        state: "open",
        title: "Database query built from user-controlled sources",
        description: "This query depends on a user-provided value.",
        weakness: { cwe: ["CWE-89"] },
        facts: { sourceSeverity: "high" },
        location: { repository: "https://github.com/acme/desk", path: "src/export/run.ts", line: 42 },
        updatedAt: Date.UTC(2026, 10, 29, 12),
      },
      { state: "dismissed", facts: { sourceSeverity: "medium" } },
      { state: "fixed" },
      {
        source: "gitleaks",
        kind: "secret",
        secret: { type: "aws-access-token", validity: "unknown" },
        facts: {},
        location: { path: "config/dev.env" },
      },
      { source: "trivy", kind: "vulnerability", weakness: { cve: "CVE-2021-44228" }, facts: { sourceSeverity: "critical" } },
    ]);
  });

  it.each([
    ["no runs", { version: "2.1.0" }, "has no list `runs`"],
    ["runs that are null", { version: "2.1.0", runs: null }, "has no list `runs`"],
    ["an empty list of runs", { version: "2.1.0", runs: [] }, "`runs` is empty"],
    ["another version", { version: "1.0.0", runs: [] }, "not SARIF 2.1.0"],
  ])("refuses %s", (_name, document, reason) => {
    expect(readFindingsDocument(document, "sarif", context)).toEqual({ kind: "refused", reason: expect.stringContaining(reason) });
  });

  it("refuses more results than it reads, and counts before it reads", () => {
    const results = Array.from({ length: 1_000_000 }, () => null);
    expect(readFindingsDocument(aRun(results), "sarif", context)).toMatchObject({
      kind: "refused",
      reason: expect.stringContaining("1000000 results"),
    });
  });

  it("names a run that is null, one that has not scanned, and a result that is none; a scan without findings is no item", () => {
    const runs = [null, { results: null }, { tool: {} }, { tool: {}, results: [] }, { tool: { driver: { name: "x" } }, results: [7] }];
    const { readings, warnings } = read({ version: "2.1.0", runs });
    expect(readings.map(({ at, kind }) => [at, kind])).toEqual([
      ["runs[0]", "unreadable"],
      ["runs[1]", "unreadable"],
      ["runs[2]", "unreadable"],
      ["runs[4].results[0]", "unreadable"],
    ]);
    expect(warnings).toEqual(["runs[0]", "runs[1]", "runs[2]"].map((place) => expect.stringContaining(place)));
  });

  it("takes a level or a score that is absent or senseless for unknown, never for harmless", () => {
    const severityOf = (result: object) =>
      findingsOf(read(aRun([{ ruleId: "r", message: { text: "m" }, ...result }])).readings)[0]?.facts.sourceSeverity;
    expect(severityOf({})).toBeUndefined();
    for (const score of ["", "abc", "NaN", 11, -1, 0, "0.0", null, {}, []])
      expect(severityOf({ properties: { "security-severity": score } })).toBeUndefined();
    expect(severityOf({ properties: { "security-severity": "9.0" }, level: "note" })).toBe("critical");
    expect(severityOf({ properties: { "security-severity": 6.9 } })).toBe("medium");
    expect(severityOf({ level: "error" })).toBe("high");
    expect(severityOf({ level: "none" })).toBe("low");
  });

  it("takes a result for dismissed only when every suppression of it is accepted", () => {
    const stateOf = (suppressions: unknown) =>
      findingsOf(read(aRun([{ ruleId: "r", message: { text: "m" }, suppressions }])).readings)[0]?.state;
    expect(stateOf([{ kind: "inSource" }])).toBe("dismissed");
    expect(stateOf([{ kind: "external", status: "accepted" }])).toBe("dismissed");
    for (const suppressions of [[], null, "x", [null], [{ status: "underReview" }], [{ status: "rejected" }], [{}, { status: "rejected" }]])
      expect(stateOf(suppressions)).toBe("open");
  });

  it("keeps the name of a result while its line moves, and gives two results of one fingerprint two names", () => {
    const result = (line: number, print = "abc:1") => ({
      ruleId: "sqli",
      message: { text: "m" },
      partialFingerprints: { primaryLocationLineHash: print },
      locations: [{ physicalLocation: { artifactLocation: { uri: "a.ts" }, region: { startLine: line } } }],
    });
    const refs = (...results: readonly object[]) => findingsOf(read(aRun(results)).readings).map(({ ref }) => ref);
    expect(refs(result(1))).toEqual(refs(result(9)));
    const [first, second, third] = refs(result(1), result(2), result(1));
    expect(first).toBe(third);
    expect(second).toBe(`${String(first)}#2`);
    expect(refs(result(1))).not.toEqual(refs(result(1, "abc:2")));
  });

  it("keeps no snippet, nothing that a message repeats of one, and no message of a scanner of secrets", () => {
    const code = 'const pass = "hunter2-hunter2";';
    const results = [
      {
        ruleId: "hardcoded",
        message: { text: `Do not write ${code}` },
        locations: [
          { physicalLocation: { artifactLocation: { uri: "a.ts" }, region: { startLine: 3, snippet: { text: `  ${code}\n` } } } },
        ],
      },
    ];
    expect(findingsOf(read(aRun(results)).readings)).toMatchObject([{ description: "Do not write [code]" }]);
    expect(JSON.stringify(read(aRun(results), { source: "gitleaks" }))).not.toContain("hunter2");
    const scanner = { tool: { driver: { name: "gitleaks" } } };
    expect(JSON.stringify(read(aRun([{ ruleId: "generic", message: { text: "found hunter2-hunter2" } }], scanner)))).not.toContain(
      "hunter2",
    );
  });

  it("fills in the message of a rule, finds a file by its index, and cuts the base of an address", () => {
    const run = {
      tool: { driver: { name: "x", rules: [{ id: "r", messageStrings: { m: { text: "{0} reads {1}" } } }] } },
      artifacts: [{ location: { uri: "file:///build/src/a%20b.ts" } }],
      originalUriBaseIds: { ROOT: { uri: "file:///build/" } },
    };
    const result = {
      ruleIndex: 0,
      message: { id: "m", arguments: ["f", "g"] },
      locations: [{ physicalLocation: { artifactLocation: { index: 0 } } }],
    };
    expect(findingsOf(read(aRun([result], run)).readings)).toMatchObject([{ description: "f reads g", location: { path: "src/a b.ts" } }]);
  });

  it("takes a time that is missing, senseless or still to come for the time of the import", () => {
    for (const endTimeUtc of [undefined, "yesterday", "2027-01-01T00:00:00Z", 5, "2026-13-01T00:00:00Z"])
      expect(findingsOf(read(aRun([{ ruleId: "r", message: { text: "m" } }], { invocations: [{ endTimeUtc }] })).readings)).toMatchObject([
        { updatedAt: importedAt },
      ]);
  });
});

describe("OSV-Scanner", () => {
  it("reads each vulnerability of each package once, whatever its ids", () => {
    const { readings } = read(osvDocument(), { repository: "acme/desk" });
    expect(readings.map(({ kind }) => kind)).toEqual(["finding", "passed_over", "finding", "finding"]);
    expect(findingsOf(readings)).toMatchObject([
      {
        source: "osv-scanner",
        kind: "vulnerability",
        weakness: { ghsa: "GHSA-c3h9-896r-86jm", cve: "CVE-2021-3121", cwe: ["CWE-129"] },
        facts: { sourceSeverity: "high", cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:H" },
        location: { repository: "acme/desk", path: "src/go.mod", package: "github.com/gogo/protobuf 1.3.1" },
        url: "https://osv.dev/GHSA-c3h9-896r-86jm",
      },
      { state: "resolved" },
      { facts: {} },
    ]);
  });

  it("keeps the name of a vulnerability through versions of the package and other orders of its ids", () => {
    const document = osvDocument();
    const changed = JSON.parse(JSON.stringify(document).replaceAll("1.3.1", "1.3.2"));
    changed.results[0].packages[0].vulnerabilities.reverse();
    expect(findingsOf(read(changed).readings)[0]?.ref).toBe(findingsOf(read(document).readings)[0]?.ref);
  });

  it("takes results that are null for none, with a warning", () => {
    expect(read({ results: null })).toMatchObject({ readings: [], warnings: [expect.stringContaining("null")] });
    expect(readFindingsDocument({ results: "x" }, "osv", context)).toMatchObject({ kind: "refused" });
  });
});

describe("CycloneDX", () => {
  it("reads what is affected, what is not, and what is fixed, each for its product", () => {
    const { readings } = read(cyclonedxDocument());
    expect(findingsOf(readings)).toMatchObject([
      {
        source: "cyclonedx-vex",
        state: "dismissed",
        title: "CVE-2020-25649 in com.fasterxml.jackson.core/jackson-databind 2.10.0",
        weakness: { cve: "CVE-2020-25649", cwe: ["CWE-611"] },
        facts: { sourceSeverity: "high", cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N" },
        updatedAt: Date.UTC(2026, 0, 2),
      },
      { state: "fixed", location: { package: "desk 1.1" }, updatedAt: Date.UTC(2026, 2, 3) },
      { state: "open" },
      { state: "open" },
      { state: "open", location: { package: "desk 1.1" } },
    ]);
  });

  it("refuses a list of components that states nothing", () => {
    expect(readFindingsDocument({ bomFormat: "CycloneDX", components: [] }, undefined, context)).toMatchObject({ kind: "refused" });
  });
});

describe("runbookd's own form", () => {
  it("fills in what an item leaves out, and takes times as people write them", () => {
    const items = [
      { ref: "1", title: "One" },
      { ref: "2", title: "Two", updatedAt: "2026-11-01T00:00:00Z", state: "fixed", location: { path: "a" } },
    ];
    expect(findingsOf(read(items, { source: "pentest", repository: "acme/desk", feature: "export" }).readings)).toMatchObject([
      { source: "pentest", kind: "code", state: "open", feature: "export", location: { repository: "acme/desk" }, updatedAt: importedAt },
      { state: "fixed", updatedAt: Date.UTC(2026, 10, 1), location: { repository: "acme/desk", path: "a" } },
    ]);
  });

  it("names what is wrong with an item, and quotes nothing of it", () => {
    const secret = `ghp_${"a1B2".repeat(9)}`;
    const { readings } = read([
      { ref: "1", source: "x", title: secret.repeat(20) },
      { [secret]: 1, ref: "2", source: "x", title: "t" },
      { ref: "3", source: "x", title: "t", state: secret },
    ]);
    expect(readings.map(({ kind }) => kind)).toEqual(["unreadable", "unreadable", "unreadable"]);
    expect(JSON.stringify(readings)).not.toContain("ghp_");
    expect(JSON.stringify(readings)).toMatch(/title: .*state: /);
  });
});

/** Items that a document has, counted apart from the readers. */
const documents: readonly (readonly [string, () => unknown])[] = [
  ["sarif", sarifDocument],
  ["osv", osvDocument],
  ["cyclonedx", cyclonedxDocument],
  ["generic", genericDocument],
];

/** The document with another value in place of that at each of some places, or with a secret behind each text there. */
function mutate(
  document: unknown,
  changes: readonly { readonly place: number; readonly value: unknown; readonly plant: boolean }[],
): unknown {
  const copy: unknown = structuredClone({ document });
  const places: { readonly parent: object; readonly name: string }[] = [];
  const visit = (parent: unknown): void => {
    if (typeof parent !== "object" || parent === null) return;
    for (const name of Object.keys(parent)) {
      places.push({ parent, name });
      visit(Reflect.get(parent, name));
    }
  };
  visit(copy);
  for (const { place, value, plant } of changes) {
    const target = places[place % places.length];
    if (target === undefined) continue;
    const before: unknown = Reflect.get(target.parent, target.name);
    Reflect.set(target.parent, target.name, plant ? (typeof before === "string" ? `${before}${plantedText}` : plantedText) : value);
  }
  return Reflect.get(Object(copy), "document");
}

const planted = `ghp_${"Zq9x".repeat(9)}`;
const plantedText = ` ${planted} `;
const values = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom(null, [], {}, -1, 1e308, "", "a".repeat(5000), "__proto__", plantedText),
);
const changes = fc.array(fc.record({ place: fc.nat(2000), value: values, plant: fc.boolean() }), { maxLength: 6 });

const isWhole = (reading: DocumentReading): boolean => {
  if (reading.kind === "refused") return !reading.reason.includes(planted);
  const all = [...reading.readings];
  const areValid = findingsOf(all).every((finding) => reportedSecurityFindingSchema.safeParse(finding).success);
  return all.length === reading.count && areValid && !JSON.stringify([all, reading.warnings]).includes(planted);
};

it.each(documents)(
  "%s: never throws, keeps no planted secret, and has one reading for every item, whatever is changed",
  (format, document) => {
    const chosen = (["sarif", "osv", "cyclonedx", "generic"] as const).find((one) => one === format);
    fc.assert(
      fc.property(changes, (some) => expect(isWhole(readFindingsDocument(mutate(document(), some), chosen, context))).toBe(true)),
      { numRuns: 400 },
    );
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => expect(isWhole(readFindingsDocument(value, chosen, context))).toBe(true)),
      { numRuns: 200 },
    );
  },
  120_000,
);

it.each(documents)("%s: has as many readings as the document has items", (format, document) => {
  const expected = { sarif: 6, osv: 4, cyclonedx: 5, generic: 2 }[format];
  expect(read(document()).readings).toHaveLength(expected ?? -1);
});
