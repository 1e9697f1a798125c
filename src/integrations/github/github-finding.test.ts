import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { anAlert } from "../../../demo/simulators/github-server/github-alerts.ts";
import { reportedSecurityFindingSchema } from "../../../packages/sdk/src/wire/security-findings.ts";
import { gitHubAlertKinds } from "../../core/github-alert-kinds.ts";
import { gitHubFinding } from "./github-finding.ts";

const at = "2026-11-30T08:00:00Z";
const context = { repository: "Acme/Desk" };
const usual = { number: 7, repository: "acme/desk", at };
const codeScanning = (members: object = {}) => ({ ...anAlert("code-scanning", usual), ...members });
const secretScanning = (members: object = {}) => ({ ...anAlert("secret-scanning", usual), ...members });
const dependabot = (members: object = {}) => ({ ...anAlert("dependabot", usual), ...members });
const advisory = (members: object = {}) => ({ ...anAlert("security-advisories", usual), ...members });

describe("an alert of code scanning", () => {
  it("becomes a finding with its place, weakness and severity, in plain text", () => {
    expect(gitHubFinding("code-scanning", codeScanning(), context)).toEqual({
      source: "github-code-scanning",
      ref: "acme/desk#7",
      kind: "code",
      state: "open",
      title: "A customer's text reaches the prompt",
      description: "Text of a customer is pasted into the prompt.\n\nThis prompt depends on a customer's ticket.",
      weakness: { cwe: ["CWE-1427"], owasp: [] },
      facts: { sourceSeverity: "high" },
      location: { repository: "Acme/Desk", path: "src/export.js", line: 12 },
      url: "https://github.example/acme/desk/security/code-scanning/7",
      updatedAt: Date.parse(at),
    });
  });

  it("has the CVE that its rule is named after, and OWASP's ids with their edition", () => {
    const rule = { id: "CVE-2020-27218_http2-hpack", name: "", description: "", tags: ["external/owasp/llm01-2025", "LLM03:2026", 7] };
    expect(gitHubFinding("code-scanning", codeScanning({ rule }), context)).toMatchObject({
      title: "CVE-2020-27218_http2-hpack",
      weakness: { cve: "CVE-2020-27218", owasp: ["LLM01:2025", "LLM03:2026"] },
    });
  });

  it.each([null, undefined, "", "catastrophic", 7, "toString"])("has no severity where GitHub writes %j", (level) => {
    const rule = { ...Object(codeScanning()["rule"]), security_severity_level: level };
    expect(gitHubFinding("code-scanning", codeScanning({ rule }), context)?.facts).toEqual({});
  });
});

describe("an alert of secret scanning", () => {
  it("keeps a digest and the last letters of a long secret, and nothing of a short one", () => {
    const long = gitHubFinding("secret-scanning", secretScanning({ secret: "correct horse battery staple" }), context);
    expect(long?.secret).toEqual({
      type: "Anthropic API Key",
      validity: "active",
      sha256: "c4bbcb1fbec99d65bf59d85c8cb62ee2db963f0fe106f483d9afa73bd4e39a8a",
      last4: "aple",
    });
    const short = gitHubFinding("secret-scanning", secretScanning({ secret: "Tr0ub4dor&3" }), context);
    expect(short?.secret).toEqual({ type: "Anthropic API Key", validity: "active" });
    expect(JSON.stringify([long, short])).not.toMatch(/horse|Tr0ub/);
  });

  it.each(["Anthropic API Key", "GitHub Personal Access Token", "password", "Private Key"])("names the sort of secret: %s", (sort) => {
    const alert = secretScanning({ secret_type_display_name: sort });
    expect(gitHubFinding("secret-scanning", alert, context)).toMatchObject({ title: `Exposed secret (${sort})`, secret: { type: sort } });
  });

  it.each([
    ["revoked", "fixed"],
    ["false_positive", "dismissed"],
    ["wont_fix", "dismissed"],
    ["used_in_tests", "dismissed"],
    ["pattern_deleted", "resolved"],
    [null, "resolved"],
  ])("resolved as %j is %s", (resolution, state) => {
    expect(gitHubFinding("secret-scanning", secretScanning({ state: "resolved", resolution }), context)?.state).toBe(state);
    const bare = secretScanning({ state: undefined, resolution });
    expect(gitHubFinding("secret-scanning", bare, { ...context, state: "resolved" })?.state).toBe(state);
  });

  it("is public when anything says so, and not public only when everything is known", () => {
    const of = (members: object, isPublic?: boolean) =>
      gitHubFinding("secret-scanning", secretScanning(members), { ...context, ...(isPublic !== undefined && { isPublic }) })?.secret
        ?.public;
    expect(of({ publicly_leaked: true })).toBe(true);
    expect(of({ multi_repo: true }, false)).toBe(true);
    expect(of({}, true)).toBe(true);
    expect(of({}, false)).toBe(false);
    expect(of({})).toBeUndefined();
    expect(of({ multi_repo: null }, false)).toBeUndefined();
  });

  it.each([["active"], ["inactive"]])("has the validity %s", (validity) => {
    expect(gitHubFinding("secret-scanning", secretScanning({ validity }), context)?.secret?.validity).toBe(validity);
  });

  it.each([[null], [undefined], ["maybe"], [7]])("has an unknown validity where GitHub writes %j", (validity) => {
    expect(gitHubFinding("secret-scanning", secretScanning({ validity }), context)?.secret?.validity).toBe("unknown");
  });
});

describe("an alert of Dependabot", () => {
  it("becomes a finding with what is known of its weight", () => {
    expect(gitHubFinding("dependabot", dependabot(), context)).toMatchObject({
      kind: "vulnerability",
      title: "Prototype pollution in lodash",
      description: "Impact\ndefaultsDeep can be tricked into adding properties of Object.prototype.\n\nFixed in version 4.17.12.",
      weakness: { cve: "CVE-2019-10744", ghsa: "GHSA-jf85-cpcp-j695", cwe: ["CWE-1321"] },
      facts: { cvss: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:H/A:H", epss: 0.0123, sourceSeverity: "critical" },
      location: { repository: "Acme/Desk", path: "package-lock.json", package: "npm/lodash" },
    });
  });

  it("prefers the newest edition of CVSS, and hands a malformed vector on as it is", () => {
    const of = (severities: object) => {
      const security_advisory = { ...Object(dependabot()["security_advisory"]), ...severities };
      return gitHubFinding("dependabot", dependabot({ security_advisory }), context)?.facts;
    };
    const editions = { cvss_v3: { vector_string: "CVSS:3.1/x", score: 1 }, cvss_v4: { vector_string: "CVSS:4.0/y", score: 9 } };
    expect(of({ cvss_severities: editions })).toMatchObject({ cvss: "CVSS:4.0/y" });
    expect(of({ cvss_severities: { ...editions, cvss_v4: { vector_string: null, score: 0 } } })).toMatchObject({ cvss: "CVSS:3.1/x" });
    expect(of({ cvss: { vector_string: "nonsense", score: 0 } })).toMatchObject({ cvss: "nonsense" });
    expect(of({ cvss: null, epss: { percentage: 7 }, severity: "moderate" })).toEqual({ sourceSeverity: "medium" });
  });

  it.each([
    ["open", "open"],
    ["fixed", "fixed"],
    ["dismissed", "dismissed"],
    ["auto_dismissed", "dismissed"],
    ["unheard_of", "open"],
    ["toString", "open"],
  ])("in the state %s is %s", (state, expected) => {
    expect(gitHubFinding("dependabot", dependabot({ state }), context)?.state).toBe(expected);
  });
});

describe("an advisory of a repository", () => {
  it("is fixed when it is published with a patched version of everything, and open before", () => {
    const [one, two] = [
      { package: { name: "desk" }, patched_versions: "2.0.0" },
      { package: { name: "desk-cli" }, patched_versions: null },
    ];
    const of = (members: object) => gitHubFinding("advisories", advisory(members), context);
    expect(of({ state: "published", vulnerabilities: [one] })).toMatchObject({ state: "fixed", fixedBy: "2.0.0", kind: "advisory" });
    expect(of({ state: "published", vulnerabilities: [one, two] })?.state).toBe("open");
    expect(of({ state: "published", vulnerabilities: [] })?.state).toBe("open");
    expect(of({ state: "draft", vulnerabilities: [one] })?.state).toBe("open");
    expect(of({ state: "withdrawn" })?.state).toBe("resolved");
  });
});

describe("every alert", () => {
  it("has the newest of its times where it does not say when it changed, and is not read without any", () => {
    const times = { updated_at: null, created_at: at, fixed_at: "2026-11-30T09:00:00Z", dismissed_at: "yesterday" };
    expect(gitHubFinding("code-scanning", codeScanning(times), context)?.updatedAt).toBe(Date.parse("2026-11-30T09:00:00Z"));
    const none = { updated_at: null, created_at: undefined, fixed_at: 7 };
    expect(gitHubFinding("code-scanning", codeScanning(none), context)).toBeUndefined();
  });

  it("is not taken for one of another kind", () => {
    const alerts = [codeScanning(), secretScanning(), dependabot(), advisory()];
    for (const [nth, kind] of gitHubAlertKinds.entries())
      for (const [other, alert] of alerts.entries()) expect(gitHubFinding(kind, alert, context) === undefined).toBe(nth !== other);
  });

  it("loses markup, marks that turn text and what looks like a secret", () => {
    const security_advisory = {
      ...Object(dependabot()["security_advisory"]),
      summary: "Look <img src=x onerror=alert(1)> here\u202e **now**",
      description: "<script>alert(1)</script>\n\nUse [this](javascript:alert(1)) with ghp_0123456789abcdefghij0123456789abcdef",
    };
    const finding = gitHubFinding("dependabot", dependabot({ security_advisory, html_url: "javascript:alert(1)" }), context);
    expect(finding?.title).toBe("Look here now");
    expect(finding?.description).toContain("Use this with [secret]");
    expect(JSON.stringify(finding)).not.toMatch(/<|javascript:|ghp_|\u202e/);
  });

  it("is read within bounds however long it is", () => {
    const endless = "[<b>a</b>](".repeat(20_000);
    const security_advisory = { ...Object(dependabot()["security_advisory"]), summary: endless, description: endless };
    const finding = gitHubFinding("dependabot", dependabot({ security_advisory }), context);
    expect(reportedSecurityFindingSchema.safeParse(finding).success).toBe(true);
  });

  it("is a valid finding or none, whatever its members are", () => {
    const odd = fc.oneof(fc.constantFrom(null, undefined, "", "x".repeat(5000), -1, Infinity, [], [[]], {}, { text: {} }), fc.jsonValue());
    const changes = fc.dictionary(
      fc.constantFrom(...new Set([codeScanning(), secretScanning(), dependabot(), advisory()].flatMap(Object.keys))),
      odd,
    );
    fc.assert(
      fc.property(changes, (members) => {
        for (const [kind, alert] of [
          ["code-scanning", codeScanning(members)],
          ["secret-scanning", secretScanning(members)],
          ["dependabot", dependabot(members)],
          ["advisories", advisory(members)],
        ] as const) {
          const finding = gitHubFinding(kind, alert, context);
          expect(finding === undefined || reportedSecurityFindingSchema.safeParse(finding).success).toBe(true);
        }
      }),
    );
  });
});
