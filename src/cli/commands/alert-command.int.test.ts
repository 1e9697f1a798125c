import { afterEach, expect, it } from "@jest/globals";
import { aRunbook, aStep } from "../../../test/builders/a-runbook.ts";
import { aCommandContext } from "../../../test/builders/command-context.ts";
import { startAlertmanager } from "../../../test/servers/alertmanager.ts";
import { startHttp } from "../../../test/servers/http-harness.ts";
import { createDecisionRoutes } from "../../alerts/routes.ts";
import { createMemoryDecisionLog } from "../../rehearsal/memory-decision-log.ts";
import { runCli } from "../run-cli.ts";

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one[Symbol.asyncDispose]();
});

/** runbookd and a real Alertmanager that sends it whatever carries the label `runbook`. */
async function open() {
  const decisions = createMemoryDecisionLog({ now: () => 0 });
  const runbook = aRunbook([aStep("look", { action: null })], { id: "burn", source: "# Runbook: Burn\n", mode: "auto" });
  const http = await startHttp({
    runbooks: [{ runbook, alertName: "Burn" }],
    routes: createDecisionRoutes(decisions),
    decisions,
  });
  opened.push(http);
  const alertmanager = await startAlertmanager({
    config: JSON.stringify({
      route: { receiver: "people", group_wait: "0s", group_interval: "1s", routes: [{ receiver: "us", matchers: ['runbook=~".+"'] }] },
      receivers: [
        { name: "people" },
        {
          name: "us",
          webhook_configs: [
            { url: `${http.url}/webhooks/alertmanager`, http_config: { authorization: { credentials: "correct-horse-battery" } } },
          ],
        },
      ],
    }),
  });
  opened.push(alertmanager);
  const test = async (alertname: string, ...options: string[]) => {
    const env = { ALERTMANAGER_URL: alertmanager.url, RUNBOOKD_URL: http.url, RUNBOOKD_TOKEN: "viewer-token" };
    const context = { ...aCommandContext({ env }), fetch };
    const code = await runCli(["alert", "test", alertname, ...options], context, "1");
    return { code, ...context.printed };
  };
  return { http, test };
}

it("shows the run that the alert came to, which only observes", async () => {
  const { http, test } = await open();
  const { code, out } = await test("Burn", "--label", "runbook=burn", "--wait", "20s");
  const [run] = http.store.runs();
  expect(code).toBe(0);
  expect(out).toContain("Alertmanager routes it to: us.");
  expect(out).toContain(`decision enqueued, run ${run?.summary.id} of burn`);
  expect(run?.summary).toMatchObject({ mode: "observe", alertName: "Burn" });
}, 40_000);

it("shows why an alert came to none", async () => {
  const { test } = await open();
  const { code, out } = await test("Unheard", "--label", "runbook=burn", "--wait", "20s", "--json");
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    labels: { alertname: "Unheard", runbook: "burn", runbookd_test: "true" },
    receivers: ["us"],
    decision: { decision: "unmatched", source: "webhook", reason: expect.stringContaining("No runbook") },
  });
}, 40_000);

it("shows where Alertmanager sends an alert that does not reach us", async () => {
  const { test } = await open();
  const { code, out } = await test("Burn", "--wait", "2s");
  expect(code).toBe(1);
  expect(out).toContain("did not reach runbookd in time. Alertmanager routes it to: people.");
}, 40_000);

it("says which Alertmanager does not answer", async () => {
  const context = { ...aCommandContext({ env: { ALERTMANAGER_URL: "http://127.0.0.1:1" } }), fetch };
  expect(await runCli(["alert", "test", "Burn"], context, "1")).toBe(1);
  expect(context.printed.err).toContain("http://127.0.0.1:1: ");
});
