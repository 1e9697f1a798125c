import { describe, expect, it } from "@jest/globals";
import { readAlertRules } from "./alert-rules.ts";
import { checkRouting } from "./check-routing.ts";

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

const rulesOf = (source: string) => readAlertRules([{ file: "a.yml", source }]).rules;
const routing = (source: string) =>
  checkRouting({ file: "am.yml", source }, rulesOf(rules)).map(
    ({ file, position, rule }) => `${file}:${position.line}:${position.column} ${rule}`,
  );

describe("YAML as the programs of Prometheus read it", () => {
  it.each<[string, string]>([
    [
      "matchers that an alias stands for",
      alertmanager.replace(
        "  routes:\n",
        "  routes:\n    - { receiver: people, matchers: &m ['runbook=none'] }\n    - { receiver: people, matchers: *m }\n",
      ),
    ],
    [
      "`yes` for true",
      alertmanager
        .replace("continue: true", "continue: yes")
        .replace("    - receiver: people\n", "    - receiver: people\n      continue: On\n    - receiver: runbookd\n"),
    ],
    [
      "a route of merge keys",
      alertmanager.replace(
        /    - receiver: runbookd\n.*\n/u,
        "    - &ours\n      receiver: runbookd\n      match: { runbook: none }\n    - <<: *ours\n      match: { runbook: cost }\n",
      ),
    ],
    ["names that are numbers", alertmanager.replaceAll("runbookd\n", "0070\n")],
    [
      "values that are written like numbers",
      alertmanager.replace(
        "    - receiver: runbookd",
        "    - match: { severity: ~ }\n    - match_re: { runbook: 0x1 }\n      receiver: people\n    - receiver: runbookd",
      ),
    ],
    ["a value that is empty", alertmanager.replace(/matchers: .*/u, "match: { team: }")],
  ])("holds %s", (_, source) => {
    expect(routing(source)).toEqual([]);
  });

  it("says that our webhook does not send the end of an alert, in any word for false", () => {
    for (const no of ["no", "Off", "FALSE"])
      expect(routing(alertmanager.replace("alertmanager' }", `alertmanager', send_resolved: ${no} }`))).toEqual(["am.yml:11:92 webhook"]);
  });

  it.each<[string, string]>([
    ["names no value", "route: *nothing\n"],
    ["holds itself", "route: &r\n  receiver: x\n  routes: [*r]\n"],
  ])("refuses an alias that %s", (_, source) => {
    expect(checkRouting({ file: "am.yml", source }, rulesOf(rules))).toContainEqual(
      expect.objectContaining({ rule: "alertmanager-file", message: expect.stringContaining("names no value before it") }),
    );
  });

  it("refuses aliases that stand for too many values, in routes and in rules", () => {
    const levels = Array.from({ length: 40 }, (_, n) => `a${n + 1}: &a${n + 1} { routes: [*a${n}, *a${n}], groups: [*a${n}, *a${n}] }`);
    const bomb = `a0: &a0 { receiver: x, rules: [{ alert: x, expr: up }] }\n${levels.join("\n")}\nroute: *a40\ngroups: [*a40]\n`;
    const file = { file: "x.yml", source: bomb };
    for (const diagnostics of [checkRouting(file, []), readAlertRules([file]).diagnostics])
      expect(diagnostics).toContainEqual(expect.objectContaining({ message: "The aliases stand for too many values." }));
  });

  it("names values that are nested without end once", () => {
    const file = { file: "x.yml", source: `groups: ${"[".repeat(20_000)}` };
    for (const diagnostics of [checkRouting(file, []), readAlertRules([file]).diagnostics])
      expect(diagnostics.filter(({ message }) => message === "The values are nested too deeply.")).toHaveLength(1);
  });

  const labels = "{ severity: critical, runbook: cost }";
  it.each<[string, string]>([
    [
      "labels of an alias",
      rules.replace("      - alert", `        labels: &l ${labels}\n      - alert`).replace(/(alert[^]*)labels: \{.*$/mu, "$1labels: *l"),
    ],
    [
      "labels of a merge key",
      rules
        .replace("      - alert", `        labels: &l ${labels}\n      - alert`)
        .replace(/(alert[^]*)labels: \{.*$/mu, "$1labels: { <<: *l, team: a }"),
    ],
    ["labels of the group", rules.replace("    rules:", `    labels: ${labels}\n    rules:`).replace(/(alert[^]*)labels: \{.*$/mu, "$1")],
  ])("reads %s of a rule", (_, source) => {
    const { diagnostics, rules } = readAlertRules([{ file: "a.yml", source }]);
    expect(diagnostics).toEqual([]);
    expect(rules).toMatchObject([{ name: "CostHigh", labels: { severity: "critical", runbook: "cost" } }]);
  });
});
