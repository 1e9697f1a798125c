/** A repository's address in a form in which equal ones are equal. */
interface RepositoryName {
  /** `short`: an owner and a name, on any host. */
  readonly transport: "http" | "ssh" | "git" | "file" | "short";
  /** In small letters, without a trailing dot; empty for folders and short forms. */
  readonly host: string;
  /** The transport's usual one when the address has none. */
  readonly port: string;
  /** Without a slash at either end and without `.git`; of a folder with its first slash. */
  readonly path: string;
}

const schemes: Readonly<Record<string, Pick<RepositoryName, "transport" | "port">>> = {
  http: { transport: "http", port: "" },
  https: { transport: "http", port: "" },
  ssh: { transport: "ssh", port: "22" },
  git: { transport: "git", port: "9418" },
};

/** Hosts that have a second name: for SSH over the port of HTTPS, with `www.`, and in short forms such as `github:acme/shop`. */
const hostNames: Readonly<Record<string, string>> = {
  "www.github.com": "github.com",
  "ssh.github.com": "github.com",
  github: "github.com",
  "altssh.gitlab.com": "gitlab.com",
  gitlab: "gitlab.com",
  "altssh.bitbucket.org": "bitbucket.org",
  bitbucket: "bitbucket.org",
};

/** Hosts that do not tell apart upper and lower case in owners and repositories. */
const caseless: readonly string[] = ["github.com", "gitlab.com", "bitbucket.org", "codeberg.org"];

/**
 * Whether two addresses name one repository. The transport (https, ssh, `git@host:path`), credentials, `.git`, a slash at the end, the case of the host and
 * a usual port make no difference. `owner/name` is that repository on any host, in any case. An address that cannot be read equals only itself.
 */
export function isSameRepository(a: string, b: string): boolean {
  return a === b || readingsOf(a).some((one) => readingsOf(b).some((other) => isSame(one, other)));
}

/** An address as people may read it: without user, password, query and fragment. */
export function withoutCredentials(address: string): string {
  return address.replace(/^([a-z][a-z\d+.-]*:\/\/)[^/]*@/i, "$1").replace(/[?#].*$/s, "");
}

function isSame(a: RepositoryName, b: RepositoryName): boolean {
  const isPathSame = a.path.toLowerCase() === b.path.toLowerCase();
  if (a.transport === "short" || b.transport === "short") return isPathSame && a.transport !== "file" && b.transport !== "file";
  if (a.host !== b.host || (a.transport === "file") !== (b.transport === "file")) return false;
  // A server may offer each transport at a port of its own; two ports of one transport are two servers.
  if (a.transport === b.transport && a.port !== b.port) return false;
  return caseless.includes(a.host) ? isPathSame : a.path === b.path;
}

/** What an address may mean: a text without a scheme is ambiguous. */
function readingsOf(address: string): readonly RepositoryName[] {
  const text = address.trim().replace(/^git\+(?=[a-z]+:\/\/)/i, "");
  const [, scheme = "", remainder = ""] = /^([a-z][a-z\d+.-]*):\/\/(.*)$/is.exec(text) ?? [];
  if (scheme !== "") return urlReading(scheme.toLowerCase(), remainder);
  if (text.startsWith("/")) return fileReading(text);
  // git takes a colon before the first slash for the end of a host.
  const [, user = "", bracketed = "", plain = "", path = ""] =
    /^(?:([^/@:]+)@)?(?:\[([^/\]]+)\]|([^/:@[\]]+)):(?!\/\/)(.+)$/s.exec(text) ?? [];
  if (path !== "") {
    const [, host = bracketed, port = "22"] = /^([^:]+):(\d+)$/.exec(bracketed) ?? [];
    return named({ transport: "ssh", host: plain === "" ? host : plain, port, path });
  }
  if (user !== "" || text.includes(":")) return [];
  const short = named({ transport: "short", host: "", port: "", path: text });
  const [, host = "", behind = ""] = /^([^/@]+\.[^/@]+)\/(.+)$/s.exec(text) ?? [];
  return host === "" ? short : [...short, ...named({ transport: "http", host, port: "", path: behind })];
}

function urlReading(scheme: string, remainder: string): readonly RepositoryName[] {
  if (scheme === "file") return fileReading(decoded(remainder.replace(/^localhost(?=\/)/i, "")));
  const definition = schemes[scheme];
  if (definition === undefined) return [];
  const [, host = "", port = "", path = ""] = /^(?:[^/]*@)?(\[[^/\]]+\]|[^/:@[\]]+)(?::(\d*))?\/([^?#]+)$/s.exec(remainder) ?? [];
  const usual = { http: "80", https: "443" }[scheme];
  const explicit = port === usual ? "" : port;
  return named({ ...definition, host, ...(explicit !== "" && { port: explicit }), path: decoded(path) });
}

function fileReading(path: string): readonly RepositoryName[] {
  return named({ transport: "file", host: "", port: "", path }).map((one) => ({ ...one, path: `/${one.path}` }));
}

/** No reading where the path leads elsewhere than it says, or the host is none. */
function named(name: RepositoryName): readonly RepositoryName[] {
  const segments = name.path
    .replace(/^\/?~\//, "")
    .split("/")
    .filter((segment) => segment !== "");
  const path = segments.join("/").replace(/\.git$/i, "");
  if (path === "" || segments.some((segment) => segment === "." || segment === "..") || /[\p{Cc}\\]/u.test(path)) return [];
  if (name.host === "") return name.transport === "file" || name.transport === "short" ? [{ ...name, path }] : [];
  const host = hostOf(name.host);
  return host === undefined ? [] : [{ ...name, host: hostNames[host] ?? host, path }];
}

/** As a URL writes it: small letters, Punycode. */
function hostOf(host: string): string | undefined {
  const text = host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
  return URL.canParse(`http://${text}/`) ? new URL(`http://${text}/`).hostname.replace(/\.$/, "") : undefined;
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
