/** A web address as a target: scheme and host, and the path behind them. */
const urlPattern = /^(https?):\/+([^/?#]*)([^?#]*)/iu;

/** Decoding ends at the latest here: a text that is encoded more often is compared as it then is. */
const maxDecodings = 8;

/**
 * The one form of a target in which locks, freezes, protected targets and counts compare it: percent-encoding is undone however often it was applied,
 * repeated and trailing slashes and dot segments are resolved, Unicode is composed; of a URL the scheme, the host and its default port are as the
 * WHATWG standard writes them, and query and fragment are left out. Equal for everything that a server may take for the same; never throws.
 */
export function canonicalTarget(target: string): string {
  const url = urlPattern.exec(target.trim());
  if (url === null) return segmentsOf(target.trim()).join("/");
  const [, scheme = "", host = "", path = ""] = url;
  const origin = originOf(`${scheme.toLowerCase()}://${host}`);
  return [origin, ...segmentsOf(path).map(encodeSegment)].join("/");
}

/** The part of a target before its first slash, e.g. `budget`, and `http` of a web address; undefined when the target is no `kind/name` of plain words. */
export function kindOfTarget(target: string): string | undefined {
  if (urlPattern.test(target)) return "http";
  return /^([a-z][a-z-]{0,29})\/[^/]/.exec(target)?.[1];
}

/** Why a server might take the path of this URL for another one than a reader does; undefined when it cannot. Judges the text as it is, before a URL parser resolves it. */
export function urlPathFault(url: string): string | undefined {
  // The WHATWG parser also takes one slash, or none.
  if (!/^https?:\/\/[^/?#]/iu.test(url)) return "it does not begin with http:// or https:// and a host";
  const path = urlPattern.exec(url)?.[3] ?? "";
  if (/\/\//u.test(path)) return "its path has an empty segment (//)";
  const decoded = decodeFully(path);
  if (/%(?![0-9a-f]{2})/iu.test(path) || !isDecodable(path)) return "its path has a percent sign that encodes no character";
  if (/\p{Cc}/u.test(decoded)) return "its path encodes a control character";
  if (decoded.split(/[/\\]/u).some((segment) => isDots(segment))) return "its path has a dot segment (. or ..)";
  return undefined;
}

/** Some servers cut what follows a semicolon off before they look for dot segments. */
function isDots(segment: string): boolean {
  return /^\.{1,2}(?:;.*)?$/u.test(segment.trim());
}

function segmentsOf(path: string): readonly string[] {
  const segments: string[] = [];
  for (const segment of decodeFully(path).normalize("NFC").split(/[/\\]/u)) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(segment);
  }
  return segments;
}

function decodeFully(text: string): string {
  let decoded = text;
  for (let count = 0; count < maxDecodings; count += 1) {
    const next = decodeOnce(decoded);
    if (next === decoded) break;
    decoded = next;
  }
  return decoded;
}

/** What is no UTF-8 stays as it is. */
function decodeOnce(text: string): string {
  return text.replaceAll(/(?:%[0-9a-f]{2})+/giu, (encoded) => {
    try {
      return decodeURIComponent(encoded);
    } catch {
      return encoded.toUpperCase();
    }
  });
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** RFC 3986: what a segment may hold as it is stays readable. */
function encodeSegment(segment: string): string {
  return encodeURIComponent(segment.replaceAll(/\p{Surrogate}/gu, "\u{fffd}")).replaceAll(/%(?:24|26|2B|2C|3A|3B|3D|40)/gu, (encoded) =>
    decodeURIComponent(encoded),
  );
}

function originOf(text: string): string {
  const { protocol, host } = URL.canParse(text) ? new URL(text) : { protocol: "", host: "" };
  if (host === "") return text.toLowerCase();
  return `${protocol}//${host.replace(/\.(?=$|:)/u, "")}`;
}
