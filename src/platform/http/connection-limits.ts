import type { Server } from "node:http";
import { BlockList, isIPv6, type Socket } from "node:net";

/** Connections whose caller has shown a valid token, or that belong to a trusted proxy. */
const kept = new WeakSet<object>();

/** Notes that the caller on this connection is known: it may stay open, and no longer counts against its address. */
export function keepConnection(socket: Socket): void {
  kept.add(socket);
}

/** Whether a connection may stay open behind an answer. */
export function isKept(socket: Socket): boolean {
  return kept.has(socket);
}

/** How many connections one address may hold before it has shown a token. */
export interface ConnectionLimits {
  readonly perAddress: number;
  /** Addresses or networks (`10.0.0.0/8`) of proxies, behind which many callers share one address. */
  readonly trustedProxies: readonly string[];
}

/** Ends connections beyond the limit of their address as soon as they open, so that no address can use up all that there are. */
export function limitConnections(server: Server, { perAddress, trustedProxies }: ConnectionLimits): void {
  const trusted = networksOf(trustedProxies);
  const open = new Map<string, Set<Socket>>();
  server.on("connection", (socket: Socket) => {
    const address = socket.remoteAddress ?? "";
    if (trusted.check(address, isIPv6(address) ? "ipv6" : "ipv4")) return keepConnection(socket);
    const sockets = open.get(address) ?? new Set<Socket>();
    // Those that were kept since do not count.
    for (const one of sockets) if (isKept(one)) sockets.delete(one);
    if (sockets.size >= perAddress) return void socket.destroy();
    open.set(address, sockets.add(socket));
    socket.once("close", () => {
      sockets.delete(socket);
      if (sockets.size === 0 && open.get(address) === sockets) open.delete(address);
    });
  });
}

function networksOf(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = "", bits] = entry.split("/");
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}
