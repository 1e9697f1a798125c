import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "../../core/clock.ts";
import { limitConnections } from "./connection-limits.ts";

/** A listening server. */
export interface HttpServer {
  /** Where it listens; the port is the real one when 0 was asked for. */
  readonly address: { readonly host: string; readonly port: number };
  /** Accepts nothing new, lets requests in flight end for `graceMs`, then cuts what is left. May be called twice. */
  close(graceMs?: number): Promise<void>;
}

/** Where to listen. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
  /** See {@link ConnectionLimits}; none by default. */
  readonly trustedProxies?: readonly string[];
}

/** Half of all connections: a client without a token leaves the other half to others. */
const connectionsPerAddress = 500;

/** Listens with the limits that keep slow and idle clients from holding the process. Rejects when the address is taken. */
export async function createHttpServer(
  handler: RequestListener,
  { host, port, trustedProxies = [] }: ListenAddress,
  clock: Clock,
): Promise<HttpServer> {
  const server = createServer(
    { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 65_000, connectionsCheckingInterval: 2000, maxHeaderSize: 16_384 },
    handler,
  );
  server.maxConnections = 1000;
  server.maxRequestsPerSocket = 10_000;
  limitConnections(server, { perAddress: connectionsPerAddress, trustedProxies });
  server.listen(port, host);
  await once(server, "listening");
  const bound = server.address();
  let closed: Promise<void> | undefined;
  return {
    address: { host, port: isAddressInfo(bound) ? bound.port : port },
    close(graceMs = 5000) {
      closed ??= closeServer(server, graceMs, clock);
      return closed;
    },
  };
}

/** How often connections that have become idle are closed while the last requests end. */
const idleCheckMs = 50;

async function closeServer(server: ReturnType<typeof createServer>, graceMs: number, clock: Clock): Promise<void> {
  const drained = new AbortController();
  const ended = new Promise<void>((resolve) => {
    server.close(() => {
      drained.abort();
      resolve();
    });
  });
  for (let waited = 0; waited < graceMs && !drained.signal.aborted; waited += idleCheckMs) {
    server.closeIdleConnections();
    await clock.sleep(Math.min(idleCheckMs, graceMs - waited), drained.signal).catch(() => undefined);
  }
  server.closeAllConnections();
  await ended;
}

function isAddressInfo(address: string | AddressInfo | null): address is AddressInfo {
  return typeof address === "object" && address !== null;
}
