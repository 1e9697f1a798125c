/** One host of several. */
export interface RedisNode {
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
}

/** How to log in; the same for every node. */
export interface RedisLogin {
  readonly username?: string;
  readonly password?: string;
}

/** Where Redis is. `embedded`: a redis-server of our own. */
export type RedisPlace =
  | { readonly kind: "embedded" }
  | { readonly kind: "url"; readonly url: string }
  | { readonly kind: "socket"; readonly path: string }
  /** `master`: the name under which the sentinels watch it. */
  | {
      readonly kind: "sentinel";
      readonly sentinels: readonly RedisNode[];
      readonly master: string;
      readonly db: number;
      readonly tls: boolean;
      readonly login: RedisLogin;
    }
  | { readonly kind: "cluster"; readonly nodes: readonly RedisNode[]; readonly tls: boolean; readonly login: RedisLogin };

/** What `parseRedisUrl` accepts. */
export const redisUrlGrammar =
  "redis://[user:password@]host:port[/db], rediss://…, unix:///path/to/socket, redis+sentinel://[user:password@]host:port,host:port/master[/db], redis+cluster://[user:password@]host:port,host:port; with rediss+ for TLS";

const grouped = /^(rediss?)\+(sentinel|cluster):\/\/(?:([^@/]*)@)?([^/@]+)(?:\/(.*))?$/;
const hostPattern = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:]{2,39}\])$/;
const defaultPorts = { sentinel: 26_379, cluster: 6379 } as const;

/** Reads REDIS_URL; undefined when it is none. A URL cannot hold several hosts, so these two forms are read here. */
export function parseRedisUrl(text: string): RedisPlace | undefined {
  if (text.startsWith("unix:///")) return { kind: "socket", path: text.slice("unix://".length) };
  const match = grouped.exec(text);
  if (match === null) return isPlainUrl(text) ? { kind: "url", url: text } : undefined;
  const [, scheme, kind, credentials, hosts = "", path] = match;
  const login = readLogin(credentials);
  if (kind !== "sentinel" && kind !== "cluster") return undefined;
  const nodes = hosts.split(",").map((host) => readNode(host, defaultPorts[kind]));
  const validNodes = nodes.flatMap((node) => node ?? []);
  if (login === undefined || validNodes.length !== nodes.length) return undefined;
  const tls = scheme === "rediss";
  // A cluster has one database, 0.
  if (kind === "cluster") return path === undefined || path === "" ? { kind, nodes: validNodes, tls, login } : undefined;
  const [master = "", db = "0", ...more] = (path ?? "").split("/");
  if (!/^[A-Za-z0-9._-]{1,100}$/.test(master) || !/^\d{1,4}$/.test(db) || more.length > 0) return undefined;
  return { kind, sentinels: validNodes, master, db: Number(db), tls, login };
}

/** The password of any form, as it stands there and decoded; for redaction. */
export function passwordOfRedisUrl(text: string): readonly string[] {
  const userInfo = /^[a-z+]+:\/\/([^@/]*)@/.exec(text)?.[1];
  const colon = userInfo?.indexOf(":") ?? -1;
  if (userInfo === undefined || colon < 0) return [];
  const written = userInfo.slice(colon + 1);
  return written === "" ? [] : [...new Set([written, decoded(written) ?? written])];
}

function isPlainUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return (protocol === "redis:" || protocol === "rediss:") && hostname !== "";
}

function readLogin(credentials: string | undefined): RedisLogin | undefined {
  if (credentials === undefined) return {};
  const colon = credentials.indexOf(":");
  const username = decoded(colon < 0 ? credentials : credentials.slice(0, colon));
  const password = colon < 0 ? "" : decoded(credentials.slice(colon + 1));
  if (username === undefined || password === undefined) return undefined;
  return { ...(username !== "" && { username }), ...(password !== "" && { password }) };
}

function readNode(text: string, defaultPort: number): RedisNode | undefined {
  const [, host = "", port = String(defaultPort)] = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,5}))?$/.exec(text) ?? [];
  const number = Number(port);
  if (!hostPattern.test(host) || number < 1 || number > 65_535) return undefined;
  return { host: host.replace(/^\[|\]$/g, ""), port: number };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
