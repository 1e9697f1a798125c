import type { Clock } from "../../core/clock.ts";
import { createHttpServer, type HttpServer, type ListenAddress } from "./create-http-server.ts";

/** A registry of prom-client's shape. */
export interface MetricsRegistry {
  readonly contentType: string;
  metrics(): Promise<string>;
}

/** The only path of the metrics listener. */
export const metricsPath = "/metrics";

/** GET /metrics on its own listener, so that it can stay off the outer network. */
export async function createMetricsServer(registry: MetricsRegistry, address: ListenAddress, clock: Clock): Promise<HttpServer> {
  return createHttpServer(
    (request, response) => {
      const respond = (status: number, type: string, text: string) => {
        response.writeHead(status, { "Content-Type": type, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store" });
        response.end(text);
      };
      if (request.method !== "GET" || request.url?.split("?")[0] !== metricsPath) {
        respond(404, "text/plain; charset=utf-8", `GET ${metricsPath} is all that is here.\n`);
        return;
      }
      registry.metrics().then(
        (text) => respond(200, registry.contentType, text),
        () => respond(500, "text/plain; charset=utf-8", "The metrics cannot be collected.\n"),
      );
    },
    address,
    clock,
  );
}
