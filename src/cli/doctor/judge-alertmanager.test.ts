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

it("does not call good what it cannot read", () => {
  expect(judgeAlertmanagerConfig("receivers: 7")[0]?.verdict).toBe("warning");
  expect(judgeAlertmanagerConfig("")[0]?.verdict).not.toBe("ok");
});
