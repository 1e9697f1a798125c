/** An alert as GitHub's API writes it. */
export type GitHubAlert = { readonly [member: string]: unknown };

/** The kinds of alerts, by the middle of their address. */
export const alertKinds = ["code-scanning", "secret-scanning", "dependabot", "security-advisories"] as const;

/** See {@link alertKinds}. */
export type AlertKind = (typeof alertKinds)[number];

/** Which event of webhooks speaks of a kind of alerts. */
export const eventNames: Readonly<Record<AlertKind, string>> = {
  "code-scanning": "code_scanning_alert",
  "secret-scanning": "secret_scanning_alert",
  dependabot: "dependabot_alert",
  "security-advisories": "repository_advisory",
};

/** Defaults of a new alert; numbers count by repository and kind. */
export function anAlert(
  kind: AlertKind,
  { number, repository, at }: { readonly number: number; readonly repository: string; readonly at: string },
): GitHubAlert {
  const page = `https://github.example/${repository}/security`;
  const common = { number, state: "open", created_at: at, updated_at: at, fixed_at: null, dismissed_at: null, dismissed_reason: null };
  switch (kind) {
    case "code-scanning":
      return {
        ...common,
        html_url: `${page}/code-scanning/${number}`,
        rule: {
          id: "js/prompt-injection",
          severity: "error",
          security_severity_level: "high",
          name: "js/prompt-injection",
          description: "A customer's text reaches the prompt",
          full_description: "Text of a **customer** is pasted into the prompt.",
          tags: ["security", "external/cwe/cwe-1427"],
        },
        tool: { name: "CodeQL", guid: null, version: "2.20.0" },
        most_recent_instance: {
          ref: "refs/heads/main",
          state: "open",
          commit_sha: "0".repeat(40),
          message: { text: "This prompt depends on a <em>customer's</em> ticket." },
          location: { path: "src/export.js", start_line: 12, end_line: 12, start_column: 3, end_column: 40 },
          classifications: [],
        },
      };
    case "secret-scanning":
      return {
        ...common,
        html_url: `${page}/secret-scanning/${number}`,
        secret_type: "anthropic_api_key",
        secret_type_display_name: "Anthropic API Key",
        secret: `sk-ant-made-up-${"x".repeat(20)}${number}`,
        validity: "active",
        publicly_leaked: false,
        multi_repo: false,
        resolution: null,
        resolved_at: null,
        first_location_detected: { path: "config/keys.json", start_line: 3 },
      };
    case "dependabot":
      return {
        ...common,
        html_url: `${page}/dependabot/${number}`,
        auto_dismissed_at: null,
        dependency: { package: { ecosystem: "npm", name: "lodash" }, manifest_path: "package-lock.json", scope: "runtime" },
        security_advisory: {
          ghsa_id: "GHSA-jf85-cpcp-j695",
          cve_id: "CVE-2019-10744",
          summary: "Prototype pollution in lodash",
          description: "## Impact\n\n`defaultsDeep` can be tricked into adding properties of `Object.prototype`.",
          severity: "critical",
          cvss: { vector_string: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:H", score: 9.1 },
          epss: { percentage: 0.0123, percentile: 0.8 },
          cwes: [{ cwe_id: "CWE-1321", name: "Prototype pollution" }],
        },
        security_vulnerability: { severity: "critical", first_patched_version: { identifier: "4.17.12" } },
      };
    case "security-advisories":
      return {
        ...common,
        html_url: `${page}/advisories/${number}`,
        ghsa_id: `GHSA-xxxx-xxxx-${"23456789cfghjmpqrvwx"[number % 20]}xxx`,
        cve_id: null,
        summary: "The export can be told to write to strangers",
        description: "A ticket may hold an instruction.",
        severity: "high",
        state: "triage",
        published_at: null,
        closed_at: null,
        cvss: null,
        cwes: null,
        vulnerabilities: [{ package: { ecosystem: "npm", name: "desk" }, vulnerable_version_range: "< 2.0.0", patched_versions: null }],
      };
  }
}
