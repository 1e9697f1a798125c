import { isIPv4 } from "node:net";

/** How the cookie of a session is called, and whether a browser sends it over https alone. */
export interface SessionCookie {
  readonly name: string;
  readonly isSecure: boolean;
}

/** How a caller reaches this server: the Host that it named, and the configured address, which counts when there is one. */
export interface ReachedAt {
  readonly host: string | undefined;
  readonly publicUrl?: string | undefined;
}

/**
 * The cookie for a caller. Over https it is bound to the host by its name; over plain http there is one on loopback alone, where the port is part of
 * the name, because browsers send a cookie to every port of a host. Undefined: over plain http on a network a session could be read on the way.
 */
export function sessionCookieFor({ host, publicUrl }: ReachedAt): SessionCookie | undefined {
  const base = publicUrl ?? `http://${host ?? ""}`;
  if (!URL.canParse(base)) return undefined;
  const { protocol, hostname, port } = new URL(base);
  if (protocol === "https:") return { name: "__Host-rb", isSecure: true };
  return isLoopback(hostname) ? { name: `rb-${port === "" ? "80" : port}`, isSecure: false } : undefined;
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || (isIPv4(hostname) && hostname.startsWith("127."));
}

const secretPattern = /^[\w-]{43}$/u;

/** The secret in a Cookie header. Undefined also when the cookie is there twice: another site of the host may have set one of the two. */
export function readSessionCookie(header: string | undefined, { name }: SessionCookie): string | undefined {
  const values = (header ?? "")
    .split(";")
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  const [value] = values;
  return values.length === 1 && value !== undefined && secretPattern.test(value) ? value : undefined;
}

/** Set-Cookie that keeps a secret for `maxAgeMs`; 0 removes the cookie. */
export function writeSessionCookie({ name, isSecure }: SessionCookie, secret: string, maxAgeMs: number): string {
  const maxAge = Math.floor(maxAgeMs / 1000);
  return `${name}=${secret}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Strict${isSecure ? "; Secure" : ""}`;
}
