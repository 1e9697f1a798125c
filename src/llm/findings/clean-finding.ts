import type { ReportedSecurityFinding } from "../../../packages/sdk/src/wire/security-findings.ts";
import { withoutCredentials } from "../../core/canonical-repository.ts";
import { sha256 } from "../../core/json.ts";
import { oneLine, shortLine } from "../../core/one-line.ts";
import { plainText, withoutSecrets } from "./plain-text.ts";

/**
 * A reported finding whose texts are plain and hold nothing that looks like a secret. A ref that does becomes its hash, so that it still names the finding;
 * an address or an id of a key that does is left out. The same finding again when it is clean.
 */
export function cleanFinding(finding: ReportedSecurityFinding): ReportedSecurityFinding {
  const { description, secret, url, fixedBy, facts, location, ...kept } = finding;
  const { cvss, ...otherFacts } = facts;
  const text = description === undefined ? "" : plainText(description, 4000);
  const page = url === undefined ? undefined : cleanAddress(url);
  return {
    ...kept,
    ref: cleanRef(finding.ref),
    title: shortLine(plainText(finding.title, 1000), 300) || "A finding without a title",
    ...(text !== "" && { description: text }),
    facts: { ...otherFacts, ...(cvss !== undefined && { cvss: cleanLine(cvss, 500) }) },
    ...(secret !== undefined && { secret: cleanSecret(secret) }),
    location: cleanLocation(location),
    ...(page !== undefined && { url: page }),
    ...(fixedBy !== undefined && { fixedBy: plainText(fixedBy, 500) }),
  };
}

/** Text on one line without what looks like a secret, at most `max` characters. */
export function cleanLine(text: string, max: number): string {
  return shortLine(withoutSecrets(oneLine(withoutSecrets(text.slice(0, 4 * max)))), max);
}

function cleanRef(ref: string): string {
  return cleanLine(ref, 500) === ref ? ref : `sha256:${sha256(ref)}`;
}

function cleanSecret({
  type,
  key,
  ...others
}: NonNullable<ReportedSecurityFinding["secret"]>): NonNullable<ReportedSecurityFinding["secret"]> {
  return { ...others, type: cleanLine(type, 120) || "unknown", ...(key !== undefined && cleanLine(key, 200) === key && { key }) };
}

function cleanLocation({
  repository,
  path,
  package: name,
  line,
}: ReportedSecurityFinding["location"]): ReportedSecurityFinding["location"] {
  return {
    ...(repository !== undefined && { repository: cleanLine(withoutCredentials(repository), 200) }),
    ...(path !== undefined && { path: cleanLine(path, 1000) }),
    ...(line !== undefined && { line }),
    ...(name !== undefined && { package: cleanLine(name, 200) }),
  };
}

function cleanAddress(address: string): string | undefined {
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address)) return undefined;
  const { username, password } = new URL(address);
  const isClean = [address, decoded(address)].every((text) => cleanLine(text, 1000) === text);
  return username === "" && password === "" && isClean ? address : undefined;
}

/** An address as a person reads it: an encoded character before a secret hides where the secret begins. */
function decoded(address: string): string {
  try {
    return decodeURIComponent(address);
  } catch {
    return address;
  }
}
