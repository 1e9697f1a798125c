/** SARIF as CodeQL, Gitleaks and Trivy write it, with a suppressed, an absent and a passed result. */
export function sarifDocument(): unknown {
  const at = (uri: string, startLine: number) => [
    { physicalLocation: { artifactLocation: { uri, uriBaseId: "%SRCROOT%" }, region: { startLine, snippet: { text: "code" } } } },
  ];
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "CodeQL",
            semanticVersion: "2.20.0",
            rules: [
              {
                id: "js/sql-injection",
                name: "js/sql-injection",
                shortDescription: { text: "Database query built from user-controlled sources" },
                defaultConfiguration: { level: "error" },
                helpUri: "https://codeql.github.com/js-sql-injection",
                properties: { "security-severity": "8.8", tags: ["security", "external/cwe/cwe-089"] },
              },
              { id: "js/clear-text-logging", defaultConfiguration: { level: "warning" }, properties: { tags: ["external/cwe/cwe-312"] } },
            ],
          },
        },
        versionControlProvenance: [{ repositoryUri: "https://github.com/acme/desk", revisionId: "abc" }],
        invocations: [{ executionSuccessful: true, endTimeUtc: "2026-11-29T12:00:00.000Z" }],
        results: [
          {
            ruleId: "js/sql-injection",
            ruleIndex: 0,
            message: { text: "This query depends on a [user-provided value](1)." },
            locations: at("src/export/run.ts", 42),
            partialFingerprints: { primaryLocationLineHash: "39fa2ee980eb94b0:1" },
          },
          {
            ruleId: "js/clear-text-logging",
            message: { text: "Sensitive data is logged." },
            locations: at("src/log.ts", 5),
            suppressions: [{ kind: "inSource", status: "accepted" }],
          },
          { ruleId: "js/clear-text-logging", message: { text: "Gone." }, locations: at("src/old.ts", 5), baselineState: "absent" },
          { ruleId: "js/clear-text-logging", kind: "pass", message: { text: "Checked." } },
        ],
      },
      {
        tool: { driver: { name: "gitleaks", rules: [{ id: "aws-access-token", shortDescription: { text: "AWS" } }] } },
        results: [
          {
            ruleId: "aws-access-token",
            message: { text: "aws-access-token has detected secret for file config/dev.env." },
            locations: at("config/dev.env", 1),
            partialFingerprints: { commitSha: "1f2e", email: "dev@example.com", author: "Dev", commitMessage: "init" },
          },
        ],
      },
      {
        tool: {
          driver: {
            name: "Trivy",
            rules: [{ id: "CVE-2021-44228", properties: { "security-severity": "10.0", tags: ["vulnerability", "CRITICAL"] } }],
          },
        },
        results: [
          { ruleId: "CVE-2021-44228", ruleIndex: 0, level: "error", message: { text: "Package: log4j-core" }, locations: at("pom.xml", 1) },
        ],
      },
    ],
  };
}

/** What OSV-Scanner finds: one vulnerability under two ids, one that was withdrawn, and one of which hardly anything is known. */
export function osvDocument(): unknown {
  return {
    results: [
      {
        source: { path: "/src/go.mod", type: "lockfile" },
        packages: [
          {
            package: { name: "github.com/gogo/protobuf", version: "1.3.1", ecosystem: "Go" },
            vulnerabilities: [
              {
                id: "GHSA-c3h9-896r-86jm",
                aliases: ["CVE-2021-3121"],
                summary: "Improper Input Validation in GoGo Protobuf",
                details: "An issue was discovered in **GoGo Protobuf** before 1.3.2.",
                severity: [{ type: "CVSS_V3", score: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:L/A:H" }],
                database_specific: { severity: "HIGH", cwe_ids: ["CWE-129"] },
              },
              { id: "GO-2021-0053", aliases: ["CVE-2021-3121", "GHSA-c3h9-896r-86jm"], summary: "Panic due to improper input validation" },
            ],
            groups: [{ ids: ["GHSA-c3h9-896r-86jm", "GO-2021-0053"], aliases: ["CVE-2021-3121"], max_severity: "8.6" }],
          },
          {
            package: { name: "left-pad", version: "1.0.0", ecosystem: "npm" },
            vulnerabilities: [{ id: "MAL-2024-1", withdrawn: "2024-01-01T00:00:00Z" }],
          },
          { package: { name: "odd", version: "", ecosystem: "npm" }, vulnerabilities: [{ id: "OSV-2024-7" }], groups: null },
          { package: { name: "quiet", version: "1.0.0", ecosystem: "npm" } },
        ],
      },
    ],
  };
}

/** Statements of a vendor: not affected, fixed, exploitable, and two of which the state is not told. */
export function cyclonedxDocument(): unknown {
  const rating = {
    source: { name: "NVD" },
    score: 7.5,
    severity: "high",
    method: "CVSSv31",
    vector: "AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:N",
  };
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: {
      timestamp: "2026-03-03T00:00:00Z",
      component: { name: "desk", version: "1.1", type: "application", "bom-ref": "product-desk" },
    },
    components: [{ "bom-ref": "lib", name: "lib", version: "2.0", type: "library" }],
    vulnerabilities: [
      {
        id: "CVE-2020-25649",
        source: { name: "NVD", url: "https://nvd.nist.gov/vuln/detail/CVE-2020-25649" },
        ratings: [{ ...rating, score: 0, severity: "none", source: { name: "Acme" } }, rating],
        cwes: [611],
        description: "An XML External Entity injection.",
        analysis: {
          state: "not_affected",
          justification: "code_not_reachable",
          detail: "The code is not reachable.",
          lastUpdated: "2026-01-02T00:00:00Z",
        },
        affects: [
          { ref: "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#pkg:maven/com.fasterxml.jackson.core/jackson-databind@2.10.0?type=jar" },
        ],
      },
      { id: "CVE-2021-44228", ratings: [], analysis: { state: "resolved", detail: "Fixed." }, affects: [{ ref: "product-desk" }] },
      { id: "CVE-2021-45046", analysis: { state: "exploitable" }, affects: [{ ref: "lib" }, { ref: "product-desk" }] },
      { id: "CVE-2021-45105" },
    ],
  };
}

/** Two findings in runbookd's own form. */
export function genericDocument(): unknown {
  return {
    findings: [
      {
        source: "pentest",
        ref: "PT-1",
        title: "Prompt injection in export",
        kind: "prompt",
        weakness: { owasp: ["LLM01:2025"] },
        facts: { sourceSeverity: "high", observed: true },
        location: { path: "src/export" },
      },
      {
        source: "pentest",
        ref: "PT-2",
        title: "Open redirect",
        description: "See the report.",
        url: "https://example.com/pt-2",
        state: "fixed",
        updatedAt: "2026-11-01T00:00:00Z",
        fixedBy: "#17",
      },
    ],
  };
}
