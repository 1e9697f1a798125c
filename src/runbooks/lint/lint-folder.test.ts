import { describe, expect, it } from "@jest/globals";
import { sampleCatalogue as catalogue } from "../../../test/builders/sample-catalogue.ts";
import { type LintInput, lintFolder } from "./lint-folder.ts";
import { formatJson, formatSarif, formatText } from "./lint-format.ts";

const runbook = `---
triggers: [CostHigh]
params:
  budget: { type: string, from: alert.labels.budget }
---
# Cost

## Scenario
Cost is high. See [the other](other.md), [a page](https://example.com/x.md), [here](#scenario).

## Procedure

1. **Look**: x
   - Action: \`look\`
2. **Do**: by hand
`;
const other = "# Other\n\n## Scenario\nx\n\n## Procedure\n\n1. **A**: x\n";

const rules = `groups:
  - name: a
    rules:
      - record: budget:cost:rate5m
        expr: sum by (budget) (rate(cost_total[5m]))
      - alert: CostHigh
        expr: budget:cost:rate5m > 5
        labels: { severity: critical, runbook: cost }
        annotations:
          summary: High.
          runbook_url: https://example.com/runbooks/cost
`;

const alertmanager = `route:
  receiver: people
  routes:
    - receiver: runbookd
      matchers: ['runbook=~".+"', 'runbook!="none"']
      continue: true
    - receiver: people
receivers:
  - name: people
  - name: runbookd
    webhook_configs: [{ url: 'http://localhost:9097/webhooks/alertmanager' }]
`;

const base: LintInput = {
  runbooks: [
    { file: "runbooks/cost.md", source: runbook },
    { file: "runbooks/other.md", source: other },
  ],
  rules: [{ file: "alerts/a.yml", source: rules }],
  alertmanager: { file: "alerts/alertmanager.yml", source: alertmanager },
  catalogue,
  exists: (path) => path === "runbooks/other.md",
};

const withRunbook = (source: string): LintInput => ({
  ...base,
  runbooks: [{ file: "runbooks/cost.md", source }, ...base.runbooks.slice(1)],
});
const withRules = (source: string): LintInput => ({ ...base, rules: [{ file: "alerts/a.yml", source }] });
const withRoutes = (source: string): LintInput => ({ ...base, alertmanager: { file: "alerts/alertmanager.yml", source } });
const found = (input: LintInput) =>
  lintFolder(input).diagnostics.map(({ file, position, rule }) => `${file}:${position.line}:${position.column} ${rule}`);

describe("lintFolder", () => {
  it("finds nothing in a folder that fits together", () => {
    expect(lintFolder(base).diagnostics).toEqual([]);
    expect(lintFolder(base).documents).toEqual([
      { file: "runbooks/cost.md", id: "cost", steps: 2, automated: 1 },
      { file: "runbooks/other.md", id: "other", steps: 1, automated: 0 },
    ]);
  });

  it.each<[string, LintInput, readonly string[]]>([
    [
      "an alert that names no document",
      withRules(rules.replace("runbook: cost", "runbook: cots")),
      ["alerts/a.yml:8:48 alert-unknown-runbook", "runbooks/cost.md:2:12 trigger-of-other-runbook"],
    ],
    ["an alert without the label", withRules(rules.replace(", runbook: cost", "")), ["alerts/a.yml:6:9 alert-without-runbook"]],
    ["an alert without a known severity", withRules(rules.replace("critical", "page")), ["alerts/a.yml:8:29 alert-severity"]],
    [
      "an alert that the document's triggers do not match",
      withRules(rules.replace("alert: CostHigh", "alert: CostLow")),
      ["alerts/a.yml:8:48 alert-not-triggering", "runbooks/cost.md:2:12 trigger-without-alert"],
    ],
    [
      "an alert of `none` that a trigger matches",
      withRules(rules.replace("runbook: cost", "runbook: none")),
      ["runbooks/cost.md:2:12 trigger-of-other-runbook"],
    ],
    [
      "a trigger that asks for another severity",
      withRunbook(runbook.replace("[CostHigh]", "['CostHigh{severity=\"warning\"}']")),
      ["alerts/a.yml:8:48 alert-not-triggering", "runbooks/cost.md:2:12 trigger-without-alert"],
    ],
    [
      "a runbook_url that leads elsewhere",
      withRules(rules.replace("/runbooks/cost", "/runbooks/costs.md#x")),
      ["alerts/a.yml:11:24 runbook-url"],
    ],
    [
      "a runbook_url that is a template",
      withRules(rules.replace("/runbooks/cost", "/{{ $labels.alertname }}")),
      ["alerts/a.yml:11:24 runbook-url"],
    ],
    [
      "a label that no alert has",
      withRunbook(runbook.replace("alert.labels.budget", "alert.labels.team")),
      ["runbooks/cost.md:1:1 unknown-label"],
    ],
    [
      "a label that an expression reads and no alert has",
      withRunbook(runbook.replace("- Action", "- When: `alert.labels.team == 'a'`\n   - Action")),
      ["runbooks/cost.md:14:13 unknown-label"],
    ],
    [
      "an annotation that no alert has",
      withRunbook(runbook.replace("alert.labels.budget", "alert.annotations.team")),
      ["runbooks/cost.md:1:1 unknown-label"],
    ],
    ["a dead link", withRunbook(runbook.replace("(other.md)", "(gone/../gone.md#x)")), ["runbooks/cost.md:9:19 dead-link"]],
    [
      "a link that leaves the folder",
      withRunbook(runbook.replace("(other.md)", "(../../etc/passwd)")),
      ["runbooks/cost.md:9:19 dead-link"],
    ],
    ["an unknown action", withRunbook(runbook.replace("`look`", "`lok`")), ["runbooks/cost.md:14:15 unknown-action"]],
    [
      "two runbooks for one alert",
      {
        ...base,
        runbooks: [
          ...base.runbooks,
          { file: "runbooks/third.md", source: other.replace("# Other", "---\ntriggers: ['{alertname=~\"Cost.*\"}']\n---\n# Third") },
        ],
      },
      ["runbooks/third.md:2:12 ambiguous-trigger", "runbooks/third.md:2:12 trigger-of-other-runbook"],
    ],
    ["rules that are no YAML", withRules("groups: [\n"), ["alerts/a.yml:2:1 rule-file", "runbooks/cost.md:2:12 trigger-without-alert"]],
    [
      "a route that takes alerts away before ours",
      withRoutes(alertmanager.replace("  routes:\n", "  routes:\n    - receiver: people\n      matchers: ['severity=\"critical\"']\n")),
      ["alerts/a.yml:6:9 alert-not-routed"],
    ],
    [
      "a route that comes after one for everything",
      withRoutes(alertmanager.replace("    - receiver: runbookd", "    - receiver: people\n    - receiver: runbookd")),
      [
        "alerts/a.yml:6:9 alert-not-routed",
        "alerts/alertmanager.yml:5:7 route-unreachable",
        "alerts/alertmanager.yml:8:7 route-unreachable",
      ],
    ],
    [
      "no receiver that calls us",
      withRoutes(alertmanager.replace("/webhooks/alertmanager", "/hook")),
      ["alerts/alertmanager.yml:1:1 no-webhook-receiver"],
    ],
    [
      "a route and a matcher that are none",
      withRoutes(
        alertmanager.replace("  routes:\n", "  routes:\n    - 7\n    - receiver: people\n      matchers: [[a], 'severity=\"none\"']\n"),
      ),
      ["alerts/alertmanager.yml:4:7 alertmanager-file", "alerts/alertmanager.yml:6:18 alertmanager-file"],
    ],
    [
      "a matcher that cannot be read",
      withRoutes(alertmanager.replace('runbook!="none"', "runbook!none")),
      ["alerts/alertmanager.yml:5:43 alertmanager-file"],
    ],
  ])("tells of %s", (_, input, expected) => {
    expect(found(input)).toEqual(expected);
  });

  it("warns of a label that only some of a runbook's alerts have", () => {
    const second = `${rules}      - alert: AllHigh\n        expr: sum(rate(cost_total[5m])) > 5\n        labels: { severity: warning, runbook: cost }\n`;
    const input = {
      ...withRunbook(runbook.replace("[CostHigh]", "[CostHigh, AllHigh]")),
      rules: [{ file: "alerts/a.yml", source: second }],
    };
    expect(lintFolder(input).diagnostics).toMatchObject([{ severity: "warning", rule: "label-sometimes-missing" }]);
    const withDefault = {
      ...input,
      runbooks: input.runbooks.map((one) => ({
        ...one,
        source: one.source.replace("alert.labels.budget }", "alert.labels.budget, default: all }"),
      })),
    };
    expect(lintFolder(withDefault).diagnostics).toEqual([]);
  });

  it("checks no link between alerts and runbooks when there are no rules", () => {
    expect(lintFolder({ ...base, rules: [] }).diagnostics).toEqual([]);
  });

  it("does not accuse a route whose matcher reads a label that nobody knows before", () => {
    const routes = alertmanager.replace("  routes:\n", "  routes:\n    - receiver: people\n      matchers: ['budget=\"a\"']\n");
    expect(found(withRoutes(routes))).toEqual([]);
  });

  it("follows nested routes, old matchers and an inherited receiver", () => {
    const routes = `route:\n  receiver: people\n  routes:\n    - match: { severity: critical }\n      receiver: runbookd\n      routes:\n        - match_re: { budget: 'x.*' }\n${alertmanager.slice(alertmanager.indexOf("receivers:"))}`;
    expect(found(withRoutes(routes))).toEqual([]);
  });
});

const crd = (groups: string) =>
  `apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nmetadata: { name: a }\nspec:\n${groups.replaceAll(/^/gm, "  ")}`;

describe("rule files", () => {
  it.each<[string, string]>([
    ["a rule file", rules],
    ["a PrometheusRule object", crd(rules)],
    ["objects one behind the other", `kind: Namespace\nmetadata: { name: x }\n---\n${crd(rules)}\n---\n`],
    ["a list of objects", `kind: List\nitems:\n  - kind: ConfigMap\n  -\n${crd(rules).replaceAll(/^/gm, "    ")}`],
    ["a list of rules", `kind: PrometheusRuleList\nitems:\n  -\n${crd(rules).replaceAll(/^/gm, "    ")}`],
  ])("reads %s", (_, source) => {
    const { diagnostics, alerts } = lintFolder(withRules(source));
    expect(diagnostics).toEqual([]);
    expect(alerts).toBe(1);
  });

  it.each<[string, string, string]>([
    ["a rule that is none", rules.replace(/^( *)- alert: CostHigh/mu, "$1- 7\n$1- alert: CostHigh"), "no rule"],
    [
      "a rule without a name",
      rules.replace(/^( *)- alert: CostHigh/mu, "$1- expr: up\n$1- alert: CostHigh"),
      "neither `alert` nor `record`",
    ],
    ["a group that is none", rules.replace(/^groups:$/mu, "groups:\n  - text"), "no group"],
    ["a group whose rules are no list", rules.replace(/^groups:$/mu, "groups:\n  - { name: x, rules: text }"), "rules are no list"],
    [
      "an object that is none in a list",
      `kind: PrometheusRuleList\nitems:\n  - 7\n  -\n${crd(rules).replaceAll(/^/gm, "    ")}`,
      "no object",
    ],
  ])("names %s and reads the others", (_, source, message) => {
    const { diagnostics, alerts } = lintFolder(withRules(source));
    expect(diagnostics).toMatchObject([{ severity: "error", rule: "rule-file", message: expect.stringContaining(message) }]);
    expect(alerts).toBe(1);
  });

  it("says when no rule was read, and claims nothing then", () => {
    const none = { ...base, rules: [], rulesPlace: "alerts/rules" };
    expect(lintFolder(none).diagnostics).toMatchObject([{ file: "alerts/rules", severity: "warning", rule: "no-rules" }]);
    expect(formatText(lintFolder({ ...base, rules: [] }))).toContain("0 errors, 0 warnings; no alerting rule was read");
    expect(formatText(lintFolder(base))).toMatch(/\n0 errors, 0 warnings\n$/u);
  });

  it("says which file holds no rules, unless it is an object of another kind", () => {
    const files = [
      { file: "a.yml", source: "rules: []\n" },
      { file: "b.yaml", source: "kind: Kustomization\n" },
      { file: "c.yml", source: "" },
    ];
    expect(found({ ...base, rules: [...base.rules, ...files] })).toEqual(["a.yml:1:1 rule-file", "c.yml:1:1 rule-file"]);
  });

  it.each([
    ["up ===== 0 )", "from `=== 0 )` on"],
    ["sum(rate(x[5m])", "it ends too early"],
    ["rate(x[5q])", "from `"],
    ["x{a=b}", "from `b}` on"],
    ["nosuchfunction(x)", "from `"],
    ['""', "has no expression"],
  ])("refuses the expression %s", (expr, message) => {
    const source = rules.replace("budget:cost:rate5m > 5", expr);
    expect(lintFolder(withRules(source)).diagnostics).toContainEqual(
      expect.objectContaining({
        severity: "error",
        rule: "rule-file",
        position: { line: 7, column: 15 },
        message: expect.stringContaining(message),
      }),
    );
  });

  it("accepts what Prometheus 2 accepts, and names the new function", () => {
    const source = rules.replace("budget:cost:rate5m > 5", "holt_winters(x[5m], 0.5, 0.5) > 5");
    expect(lintFolder(withRules(source)).diagnostics).toMatchObject([
      { severity: "warning", rule: "rule-file", accepted: "`double_exponential_smoothing` in Prometheus 3" },
    ]);
  });

  it("takes the severities of other people for what the configuration says", () => {
    const foreign = withRules(rules.replace("critical", "page"));
    expect(lintFolder(foreign).diagnostics).toMatchObject([
      { rule: "alert-severity", accepted: expect.stringContaining("severities: { page: critical }") },
    ]);
    expect(lintFolder({ ...foreign, severities: { page: "critical" } }).diagnostics).toEqual([]);
    expect(found(withRules(rules.replace("critical", "toString")))).toEqual(["alerts/a.yml:8:29 alert-severity"]);
  });
});

describe("routes", () => {
  const hook = (fields: string) => withRoutes(alertmanager.replace(/\[\{ url.*\}\]/u, `[{ ${fields} }]`));
  const url = "url: 'http://localhost:9097/webhooks/alertmanager'";

  it.each(["/", "?team=a", "/?team=a", "#x"])("takes the address with %s behind it for runbookd's, as the server does", (end) => {
    expect(found(hook(url.replace(/'$/u, `${end}'`)))).toEqual([]);
  });

  it.each(["//", "/x", "s"])("does not take the address with %s behind it", (end) => {
    expect(found(hook(url.replace(/'$/u, `${end}'`)))).toEqual(["alerts/alertmanager.yml:1:1 no-webhook-receiver"]);
  });

  it.each<[string, string, string]>([
    ["send_resolved: false", "warning", "does not send the end"],
    ["max_alerts: 1", "warning", "all but 1"],
    ["payload: { text: x }", "error", "a body of its own"],
  ])("reports %s of our webhook", (field, severity, message) => {
    expect(lintFolder(hook(`${url}, ${field}`)).diagnostics).toMatchObject([
      { severity, rule: "webhook", message: expect.stringContaining(message) },
    ]);
    expect(found(hook(`${url}, send_resolved: true, max_alerts: 0`))).toEqual([]);
  });

  it.each(["url_file: /run/url", "url: <secret>", "url: '${WEBHOOK}'", "url: '{{ .Values.url }}'"])(
    "says that it cannot see the address of %s",
    (field) => {
      expect(lintFolder(hook(field)).diagnostics).toMatchObject([
        { severity: "warning", rule: "webhook", message: expect.stringContaining("not in the file") },
      ]);
    },
  );

  const interval = (times: string) => `time_intervals: [{ name: t, time_intervals: [${times}] }]\n`;
  const timed = (line: string, times: string) =>
    withRoutes(`${alertmanager.replace("      continue: true", `      continue: true\n      ${line}`)}${interval(times)}`);
  const allDay = "{ times: [{ start_time: '00:00', end_time: '24:00' }] }";
  const weekend = "{ weekdays: ['saturday'] }";

  it.each([
    ["mute_time_intervals: [t]", allDay, ["always muted"]],
    ["mute_time_intervals: [t]", "{}", ["always muted"]],
    ["mute_time_intervals: [t]", weekend, ["muted in `t`"]],
    ["active_time_intervals: [t]", weekend, ["active only in `t`"]],
    ["active_time_intervals: [t]", allDay, []],
  ])("of %s with %s is told", (line, times, messages) => {
    expect(lintFolder(timed(line, times)).diagnostics).toMatchObject(
      messages.map((message) => ({ severity: "warning", rule: "route-muted", message: expect.stringContaining(message) })),
    );
  });

  it.each(["(?i)prod.*", "^(?i:prod)-.*", "(Kube.*|Node.*)+", ".*x.*y.*z.*w.*", "[[:alpha:]]+", "(?P<n>a)", "a".repeat(300)])(
    "accepts the matcher %s, as amtool does",
    (pattern) => {
      expect(found(withRoutes(alertmanager.replace(`'runbook!="none"'`, `'runbook!="none"', 'namespace!~"${pattern}"'`)))).toEqual([]);
    },
  );

  it("warns about a matcher that only the old rules of Alertmanager read, and reads it by them", () => {
    const source = alertmanager.replace(`'runbook!="none"'`, `'runbook!~"\\d+"'`);
    expect(lintFolder(withRoutes(source)).diagnostics).toMatchObject([
      { severity: "warning", rule: "alertmanager-file", message: expect.stringContaining("by its old rules"), position: { line: 5 } },
    ]);
    const tab = alertmanager.replace(`'runbook!="none"'`, `'runbook!="\\tnone"'`);
    expect(lintFolder(withRoutes(tab)).diagnostics).toMatchObject([
      { severity: "warning", rule: "alertmanager-file", message: expect.stringContaining("by its old rules"), position: { line: 5 } },
    ]);
    expect(lintFolder(withRoutes(alertmanager.replace(`'runbook!="none"'`, `'runbook!~"[a"'`))).diagnostics).toContainEqual(
      expect.objectContaining({ severity: "error", rule: "alertmanager-file" }),
    );
  });
});

describe("output", () => {
  const report = lintFolder(withRunbook(runbook.replace("`look`", "`lok`").replace("(other.md)", "(gone.md)")));

  it("as text has one line per fault with place, rule and what would be accepted, then shares and counts", () => {
    expect(formatText(report).split("\n")).toEqual([
      "runbooks/cost.md:9:19: error dead-link: The link leads to `gone.md`, which is not there. (accepted: a path relative to this document)",
      "runbooks/cost.md:14:15: error unknown-action: There is no action `lok`. (accepted: `look`, or another of `pause`, `open`, `look`, `ask-prometheus`, `limit`, `fire` or `send-report`)",
      "runbooks/other.md: 0 of 1 steps automated (0 %)",
      "2 errors, 0 warnings",
      "",
    ]);
  });

  it("as JSON holds diagnostics and documents", () => {
    expect(JSON.parse(formatJson(report))).toEqual({ diagnostics: report.diagnostics, documents: report.documents, alerts: 1 });
  });

  it("as SARIF 2.1.0 names every rule and place", () => {
    expect(JSON.parse(formatSarif(report, "1.2.3"))).toMatchObject({
      version: "2.1.0",
      runs: [
        {
          tool: { driver: { name: "runbookd", version: "1.2.3", rules: [{ id: "dead-link" }, { id: "unknown-action" }] } },
          columnKind: "unicodeCodePoints",
          results: [
            {
              ruleId: "dead-link",
              ruleIndex: 0,
              level: "error",
              locations: [
                { physicalLocation: { artifactLocation: { uri: "runbooks/cost.md" }, region: { startLine: 9, startColumn: 19 } } },
              ],
            },
            { ruleId: "unknown-action", ruleIndex: 1 },
          ],
        },
      ],
    });
  });
});
