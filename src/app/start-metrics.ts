import type { HttpServer } from "../platform/http/create-http-server.ts";
import { createMetricsServer } from "../platform/http/create-metrics-server.ts";
import type { Runtime } from "./runtime.ts";

/** Where /metrics is served when no port is set: a server and a worker on one machine must not want the same one. */
export const defaultMetricsPorts = { server: 9098, worker: 9099 } as const;

/** Serves /metrics on its own listener. */
export async function startMetrics(runtime: Runtime, port: number): Promise<HttpServer> {
  const server = await createMetricsServer(runtime.metrics, { host: runtime.config.host, port }, runtime.clock);
  runtime.closers.add("metrics listener", async () => server.close());
  runtime.log.info({ host: server.address.host, port: server.address.port }, "Metrics are served.");
  return server;
}
