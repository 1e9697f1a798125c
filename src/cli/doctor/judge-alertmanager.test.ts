import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "@jest/globals";
import { packageFolder } from "../process-context.ts";
import { judgeAlertmanagerConfig } from "./judge-alertmanager.ts";

const reference = readFileSync(join(packageFolder(), "alerts/alertmanager.yml"), "utf8");

it("finds the route of the reference configuration", () => {
  expect(judgeAlertmanagerConfig(reference).map((one) => [one.verdict, one.detail])).toEqual([["ok", "receiver runbookd"]]);
});

it.each([
  ["no receiver calls us", "/webhooks/alertmanager", "/elsewhere", "fault"],
  ["no route leads to us", "- receiver: runbookd", "- receiver: people", "fault"],
  ["the address is hidden", "http://localhost:9097/webhooks/alertmanager", "<secret>", "warning"],
  ["resolves are not sent", "send_resolved: true\n        max_alerts", "send_resolved: false\n        max_alerts", "warning"],
  ["alerts are left out", "max_alerts: 0", "max_alerts: 10", "warning"],
  ["the body is another one", "max_alerts: 0", "payload: { a: b }", "fault"],
])("tells when %s", (_name, from, to, verdict) => {
  expect(reference).toContain(from);
  expect(judgeAlertmanagerConfig(reference.replaceAll(from, to)).map((one) => one.verdict)).toContain(verdict);
});

it("knows our address with a query and a slash behind it", () => {
  for (const end of ["/", "?team=a", "/?team=a"])
    expect(judgeAlertmanagerConfig(reference.replaceAll("/webhooks/alertmanager", `/webhooks/alertmanager${end}`))[0]?.verdict).toBe("ok");
});

it.each([
  ["muted at a time", "mute_time_intervals: [nights]", "muted in `nights`"],
  ["active at a time only", "active_time_intervals: [nights]", "active only in `nights`"],
  ["always muted", "mute_time_intervals: [always]", "always muted"],
])("tells of a route to us that is %s, as lint does, also when its address is hidden", (_name, field, words) => {
  const times = `time_intervals:\n  - name: nights\n    time_intervals: [{ times: [{ start_time: "00:00", end_time: "06:00" }] }]\n  - name: always\n    time_intervals: [{}]\n`;
  const muted = `${times}${reference.replaceAll("- receiver: runbookd", `- receiver: runbookd\n      ${field}`)}`;
  for (const text of [muted, muted.replaceAll("http://localhost:9097/webhooks/alertmanager", "<secret>")])
    expect(judgeAlertmanagerConfig(text)).toContainEqual(
      expect.objectContaining({ verdict: "warning", name: "Alertmanager times", detail: expect.stringContaining(words) }),
    );
});

it("sees our receiver and its route beside receivers, webhooks and routes that are written in another way", () => {
  const odd = reference
    .replace(
      /^receivers:$/m,
      "receivers:\n  - 7\n  - name: [x]\n  - name: odd\n    webhook_configs: text\n  - name: odder\n    webhook_configs: [7, { url: 7 }]",
    )
    .replace(/^ {2}routes:$/m, "  routes:\n    - 7\n    - receiver: [x]\n    - receiver: odd\n      routes: text");
  expect(odd).toContain("odder");
  expect(odd).toContain("routes: text");
  expect(judgeAlertmanagerConfig(odd).map((one) => [one.verdict, one.detail])).toEqual([["ok", "receiver runbookd"]]);
});

it("does not call good what it cannot read", () => {
  expect(judgeAlertmanagerConfig("receivers: 7")[0]?.verdict).toBe("warning");
  expect(judgeAlertmanagerConfig("")[0]?.verdict).not.toBe("ok");
});
