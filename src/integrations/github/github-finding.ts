import { createHash } from "node:crypto";
import type { z } from "zod";
import { maskSecrets } from "../../../packages/sdk/src/wire/mask-secrets.ts";
import {
  type ReportedSecurityFinding,
  reportedSecurityFindingSchema,
  type SeverityClass,
  type SeverityFacts,
} from "../../../packages/sdk/src/wire/security-findings.ts";
import type { GitHubAlertKind } from "../../core/github-alert-kinds.ts";
import { shortLine } from "../../core/one-line.ts";
import { proseToText } from "../../reports/prose.ts";
import { codeScanningAlertShape, dependabotAlertShape, repositoryAdvisoryShape, secretScanningAlertShape } from "./github-alert-shapes.ts";

/** What is known of an alert beside its own members. */
export interface AlertContext {
  /** `owner/name`, in any case. */
  readonly repository: string;
  /** Everybody can read the repository; absent: not known. */
  readonly isPublic?: boolean;
  /** State that an event's action means, for alerts that do not write their own. */
  readonly state?: State;
}

type State = ReportedSecurityFinding["state"];
type Text = string | null | undefined;
type Draft = Omit<ReportedSecurityFinding, "source" | "ref" | "updatedAt">;
/** A draft with the times that may say when the alert changed last. */
interface Mapped {
  readonly id: string | number;
  readonly draft: Draft;
  readonly updatedAt: number | null | undefined;
  readonly times: readonly (number | null | undefined)[];
}

/** The source of an alert of this kind. */
export function gitHubSourceName(kind: GitHubAlertKind): string {
  return `github-${kind}`;
}

/**
 * The finding that an alert describes, whether it came with an event or from a list. Undefined when it cannot be read: it is another kind of alert, or nothing
 * says when it changed. What the alert does not say is absent. Markup becomes plain text, and no secret is kept.
 */
export function gitHubFinding(kind: GitHubAlertKind, alert: unknown, context: AlertContext): ReportedSecurityFinding | undefined {
  const mapped = mappers[kind](alert, context);
  if (mapped === undefined) return undefined;
  const times = mapped.times.filter((time) => typeof time === "number");
  const updatedAt = mapped.updatedAt ?? (times.length === 0 ? undefined : Math.max(...times));
  if (updatedAt === undefined) return undefined;
  // GitHub does not tell apart the cases of names.
  const ref = `${context.repository.toLowerCase()}#${mapped.id}`;
  const parsed = reportedSecurityFindingSchema.safeParse({ source: gitHubSourceName(kind), ref, updatedAt, ...mapped.draft });
  return parsed.success ? parsed.data : undefined;
}

const mappers: Readonly<Record<GitHubAlertKind, (alert: unknown, context: AlertContext) => Mapped | undefined>> = {
  "code-scanning": mapCodeScanning,
  "secret-scanning": mapSecretScanning,
  dependabot: mapDependabot,
  advisories: mapAdvisory,
};

function mapCodeScanning(alert: unknown, context: AlertContext): Mapped | undefined {
  const parsed = codeScanningAlertShape.safeParse(alert);
  if (!parsed.success) return undefined;
  const { data } = parsed;
  const { rule, most_recent_instance: instance } = data;
  const tags = (rule.tags ?? []).filter((tag) => typeof tag === "string");
  const cve = /CVE-\d{4}-\d{4,19}/.exec((rule.id ?? "").slice(0, 500))?.[0];
  const severity = severityOf(rule.security_severity_level);
  return {
    id: data.number,
    updatedAt: data.updated_at,
    times: [data.created_at, data.fixed_at, data.dismissed_at],
    draft: {
      kind: "code",
      state: stateOf(data.state, context, { open: "open", fixed: "fixed", dismissed: "dismissed" }),
      ...wording([rule.description, rule.name, rule.id], [rule.full_description, instance?.message?.text]),
      weakness: { cwe: cwesOf(tags), owasp: owaspOf(tags), ...(cve !== undefined && { cve }) },
      facts: { ...(severity !== undefined && { sourceSeverity: severity }) },
      location: locationOf(context, instance?.location),
      ...urlOf(data.html_url),
    },
  };
}

function mapSecretScanning(alert: unknown, context: AlertContext): Mapped | undefined {
  const parsed = secretScanningAlertShape.safeParse(alert);
  if (!parsed.success) return undefined;
  const { data } = parsed;
  const type = shortLine(data.secret_type_display_name ?? "", 120) || shortLine(data.secret_type, 120);
  const resolved = resolutions[data.resolution ?? ""] ?? "resolved";
  const isPublic = anyOf([context.isPublic, data.publicly_leaked, data.multi_repo]);
  return {
    id: data.number,
    updatedAt: data.updated_at,
    times: [data.created_at, data.resolved_at],
    draft: {
      kind: "secret",
      state: stateOf(data.state, { ...context, ...(context.state === "resolved" && { state: resolved }) }, { open: "open", resolved }),
      // What follows "secret:" looks like one.
      ...wording([`Exposed secret (${type})`], []),
      weakness: { cwe: ["CWE-798"], owasp: [] },
      facts: {},
      secret: { type, validity: validityOf(data.validity), ...(isPublic !== undefined && { public: isPublic }), ...digestOf(data.secret) },
      location: locationOf(context, data.first_location_detected),
      ...urlOf(data.html_url),
    },
  };
}

function mapDependabot(alert: unknown, context: AlertContext): Mapped | undefined {
  const parsed = dependabotAlertShape.safeParse(alert);
  if (!parsed.success) return undefined;
  const { data } = parsed;
  const { security_advisory: advisory, dependency } = data;
  const patched = data.security_vulnerability?.first_patched_version?.identifier;
  return {
    id: data.number,
    updatedAt: data.updated_at,
    times: [data.created_at, data.fixed_at, data.dismissed_at, data.auto_dismissed_at],
    draft: {
      kind: "vulnerability",
      state: stateOf(data.state, context, { open: "open", fixed: "fixed", dismissed: "dismissed", auto_dismissed: "dismissed" }),
      ...wording(
        [advisory.summary, advisory.ghsa_id],
        [advisory.description, isWritten(patched) ? `Fixed in version ${patched}.` : undefined],
      ),
      weakness: weaknessOf({ cve: advisory.cve_id, ghsa: advisory.ghsa_id, cwes: advisory.cwes }),
      facts: factsOf(advisory),
      location: { ...locationOf(context, { path: dependency.manifest_path }), ...packageOf(dependency.package) },
      ...urlOf(data.html_url),
    },
  };
}

/** A published advisory counts as fixed when it names a patched version of everything that it is about; nothing else of it ever changes. */
function mapAdvisory(alert: unknown, context: AlertContext): Mapped | undefined {
  const parsed = repositoryAdvisoryShape.safeParse(alert);
  if (!parsed.success) return undefined;
  const { data } = parsed;
  const affected = data.vulnerabilities ?? [];
  const patched = affected.map(({ patched_versions: versions }) => versions).filter((versions) => isWritten(versions));
  const isPatched = affected.length > 0 && patched.length === affected.length;
  const published = isPatched ? "fixed" : "open";
  return {
    id: shortLine(data.ghsa_id, 60),
    updatedAt: data.updated_at,
    times: [data.created_at, data.published_at, data.closed_at, data.withdrawn_at],
    draft: {
      kind: "advisory",
      state: stateOf(data.state, context, { triage: "open", draft: "open", published, closed: "resolved", withdrawn: "resolved" }),
      ...wording([data.summary, data.ghsa_id], [data.description]),
      weakness: weaknessOf({ cve: data.cve_id, ghsa: data.ghsa_id, cwes: data.cwes }),
      facts: factsOf(data),
      location: { ...locationOf(context, undefined), ...packageOf(affected[0]?.package) },
      ...urlOf(data.html_url),
      ...(data.state === "published" && isPatched && { fixedBy: shortLine(patched.join(", "), 500) }),
    },
  };
}

const resolutions: Readonly<Record<string, State>> = {
  revoked: "fixed",
  false_positive: "dismissed",
  wont_fix: "dismissed",
  used_in_tests: "dismissed",
};

/** What cannot be read as closed is open. */
function stateOf(written: Text, { state }: AlertContext, states: Readonly<Record<string, State>>): State {
  return isWritten(written) && Object.hasOwn(states, written)
    ? (states[written] ?? "open")
    : isWritten(written)
      ? "open"
      : (state ?? "open");
}

const severityWords: Readonly<Record<string, SeverityClass>> = {
  critical: "critical",
  high: "high",
  medium: "medium",
  moderate: "medium",
  low: "low",
};

function severityOf(word: Text): SeverityClass | undefined {
  return isWritten(word) && Object.hasOwn(severityWords, word) ? severityWords[word] : undefined;
}

type Weight = Pick<z.output<typeof repositoryAdvisoryShape>, "severity" | "cvss" | "cvss_severities" | "epss">;

/** The newest edition of a vector; a number without a vector says less and is not kept. */
function factsOf({ severity, cvss, cvss_severities: editions, epss }: Weight): SeverityFacts {
  const vector = [editions?.cvss_v4, editions?.cvss_v3, cvss].map((edition) => edition?.vector_string).find((text) => isWritten(text));
  const probability = epss?.percentage;
  const word = severityOf(severity);
  return {
    ...(isWritten(vector) && { cvss: shortLine(vector, 500) }),
    ...(typeof probability === "number" && probability >= 0 && probability <= 1 && { epss: probability }),
    ...(word !== undefined && { sourceSeverity: word }),
  };
}

const maxListed = 50;

/** `CWE-79`, and `external/cwe/cwe-079` of CodeQL. */
function cwesOf(texts: readonly string[]): string[] {
  const numbers = texts.flatMap((text) => /(?:^|\/)cwe-0*(\d{1,6})$/i.exec(text)?.[1] ?? []);
  return [...new Set(numbers.map((digits) => `CWE-${digits}`))].slice(0, maxListed);
}

function owaspOf(tags: readonly string[]): string[] {
  const ids = tags.flatMap((tag) => {
    const [, list = "", number = "", edition = ""] = /(?:^|\/)(llm|asi|ast)(\d{2})[:-](\d{4})$/i.exec(tag) ?? [];
    return list === "" ? [] : [`${list.toUpperCase()}${number}:${edition}`];
  });
  return [...new Set(ids)].slice(0, 20);
}

function idsOf(cwes: readonly unknown[] | null | undefined): readonly string[] {
  return (cwes ?? []).flatMap((cwe) =>
    typeof cwe === "object" && cwe !== null && "cwe_id" in cwe && typeof cwe.cwe_id === "string" ? [cwe.cwe_id] : [],
  );
}

function weaknessOf({
  cve,
  ghsa,
  cwes,
}: {
  readonly cve: Text;
  readonly ghsa: Text;
  readonly cwes: readonly unknown[] | null | undefined;
}) {
  return {
    cwe: cwesOf(idsOf(cwes)),
    owasp: [],
    ...(isWritten(cve) && /^CVE-\d{4}-\d{4,19}$/.test(cve) && { cve }),
    ...(isWritten(ghsa) && /^GHSA(-[23456789cfghjmpqrvwx]{4}){3}$/.test(ghsa) && { ghsa }),
  };
}

function validityOf(word: Text): "active" | "inactive" | "unknown" {
  return word === "active" || word === "inactive" ? word : "unknown";
}

/** A shorter text could be found by trying. */
const minDigestedCharacters = 20;

function digestOf(secret: Text): { readonly sha256?: string; readonly last4?: string } {
  if (!isWritten(secret) || secret.length < minDigestedCharacters) return {};
  return { sha256: createHash("sha256").update(secret).digest("hex"), last4: secret.slice(-4) };
}

/** True when one is; unknown unless all are known otherwise. */
function anyOf(facts: readonly (boolean | null | undefined)[]): boolean | undefined {
  if (facts.includes(true)) return true;
  return facts.every((fact) => fact === false) ? false : undefined;
}

function locationOf(
  { repository }: AlertContext,
  place: { readonly path?: Text; readonly start_line?: number | null | undefined } | null | undefined,
): ReportedSecurityFinding["location"] {
  const path = shortLine(place?.path ?? "", 1000);
  return {
    repository: shortLine(repository, 200),
    ...(path !== "" && { path }),
    ...(typeof place?.start_line === "number" && { line: place.start_line }),
  };
}

function packageOf(named: { readonly ecosystem?: Text; readonly name?: Text } | null | undefined): { readonly package?: string } {
  const name = shortLine([named?.ecosystem, named?.name].filter((part) => isWritten(part)).join("/"), 200);
  return name === "" ? {} : { package: name };
}

function urlOf(url: Text): { readonly url?: string } {
  return isWritten(url) && /^https?:\/\/[^\s"'<>\\]{1,900}$/.test(url) ? { url } : {};
}

const maxDescription = 4000;
/** What the Markdown parser is given: its time grows with the square of some texts. */
const maxRead = 8000;

/** The first title that says something, and everything else below it. */
function wording(titles: readonly Text[], paragraphs: readonly Text[]): Pick<Draft, "title" | "description"> {
  const [title = "A finding without a title"] = titles.map((text) => shortLine(plainOf(text), 300)).filter((text) => text !== "");
  const description = paragraphs
    .map((text) => plainOf(text))
    .filter((text) => text !== "")
    .join("\n\n");
  const shown = description.length <= maxDescription ? description : `${description.slice(0, maxDescription - 1)}…`;
  return { title, ...(shown !== "" && { description: shown }) };
}

/** Text without Markdown, tags and what looks like a secret. */
function plainOf(markdown: Text): string {
  if (!isWritten(markdown)) return "";
  const text = proseToText(markdown.slice(0, maxRead)).replaceAll(/<[/!?]?[A-Za-z][^<>]{0,1000}>|<!--|-->/g, "");
  return maskSecrets(text).trim();
}

function isWritten(text: Text): text is string {
  return typeof text === "string" && text !== "";
}
