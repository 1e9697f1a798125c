import { expect, it } from "@jest/globals";
import { serveLoopback } from "../demo/simulators/serve-loopback.ts";
import { startAlertmanager } from "./servers/alertmanager.ts";
import { startPrometheus } from "./servers/prometheus.ts";
import { until } from "./servers/until.ts";

it("carries an alert from a rule of a real Prometheus through a real Alertmanager to a webhook", async () => {
  const received: { authorization: string | undefined; body: string }[] = [];
  await using server = await serveLoopback((request, response) => {
    let body = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      received.push({ authorization: request.headers.authorization, body });
      response.writeHead(202).end();
    });
  });

  await using alertmanager = await startAlertmanager({
    config: JSON.stringify({
      route: { receiver: "hook", group_wait: "0s", group_interval: "1s" },
      receivers: [
        {
          name: "hook",
          webhook_configs: [{ url: `${server.url}/`, http_config: { authorization: { credentials_file: "token" } } }],
        },
      ],
    }),
    files: { token: "abc" },
  });
  await using prometheus = await startPrometheus({
    config: JSON.stringify({
      global: { evaluation_interval: "200ms" },
      rule_files: ["rules/*.yml"],
      alerting: { alertmanagers: [{ static_configs: [{ targets: [`127.0.0.1:${alertmanager.port}`] }] }] },
    }),
    files: { "rules/a.yml": JSON.stringify({ groups: [{ name: "g", rules: [{ alert: "Always", expr: "vector(1)" }] }] }) },
  });
  await until("the webhook was called", () => received.length > 0, 10_000);
  expect(await (await fetch(`${prometheus.url}/api/v1/alerts`)).json()).toMatchObject({ data: { alerts: [{ state: "firing" }] } });
  expect(received[0]?.authorization).toBe("Bearer abc");
  expect(JSON.parse(received[0]?.body ?? "null")).toMatchObject({ status: "firing", alerts: [{ labels: { alertname: "Always" } }] });
}, 30_000);
