import type { Closers } from "../platform/closers.ts";
import type { Config } from "../platform/config/config.ts";
import type { HttpServer } from "../platform/http/create-http-server.ts";
import { createMetricsServer, type MetricsRegistry } from "../platform/http/create-metrics-server.ts";
import type { Runtime } from "./runtime.ts";

/** Where /metrics is served when no port is set: a server and a worker on one machine must not want the same one. */
export const defaultMetricsPorts = { server: 9098, worker: 9099 } as const;

/** What the listener needs of a process. */
export interface MetricsRuntime extends Pick<Runtime, "clock" | "log"> {
  readonly closers: Pick<Closers, "add">;
  readonly config: Pick<Config, "metricsHost">;
  readonly metrics: MetricsRegistry;
}

/** Serves /metrics on its own listener, at the address that is configured for it. */
export async function startMetrics(runtime: MetricsRuntime, port: number): Promise<HttpServer> {
  const server = await createMetricsServer(runtime.metrics, { host: runtime.config.metricsHost, port }, runtime.clock);
  runtime.closers.add("metrics listener", async () => server.close());
  runtime.log.info({ host: server.address.host, port: server.address.port }, "Metrics are served.");
  return server;
}
