import { maskSecrets } from "../../../packages/sdk/src/wire/mask-secrets.ts";
import type { ReportedSecurityFinding } from "../../../packages/sdk/src/wire/security-findings.ts";
import { sha256 } from "../../core/json.ts";
import { shortLine } from "../../core/one-line.ts";
import type { LocatedSecret } from "./secret-scanner.ts";

/** Where our own detection looks; the sources of its findings. */
export const detectionSources = ["runbookd-outputs", "runbookd-changes"] as const;

/** `medium`: it has the shape of a secret. `high`: a honeytoken, which is in no text by chance. */
export const detectionConfidences = ["medium", "high"] as const;

/** A text in which to look for secrets. */
export interface InspectedText {
  readonly source: (typeof detectionSources)[number];
  /** Absent: it is found from the location. */
  readonly feature?: string;
  /** What the text is, as part of a sentence, e.g. `an answer`. */
  readonly what: string;
  readonly text: string;
  /** What stood there before: secrets that are in it are no detections. */
  readonly before?: string;
  /** `line` is that of the text's first one; a finding has the line of its secret. */
  readonly location?: ReportedSecurityFinding["location"];
}

/** A secret that was found, with nothing of its text but the last four characters. */
export interface SecretDetection {
  readonly confidence: (typeof detectionConfidences)[number];
  readonly finding: ReportedSecurityFinding;
}

/** Secrets of one text that become findings. */
export const maxDetections = 50;

/** Shorter secrets can be guessed from their hash, and four of their characters say much. */
const minHashedLength = 20;

/** The findings of a text, one a secret: the same secret in the same feature is the same finding. */
export function detectionsOf(
  inspected: InspectedText,
  detected: { readonly secrets: readonly LocatedSecret[]; readonly honeytokensOf: readonly string[] },
  now: number,
): readonly SecretDetection[] {
  const { feature, source, what, text } = inspected;
  const location = maskedLocation(inspected.location);
  const placed = feature === undefined ? { location } : { feature, location };
  const place = feature ?? location.repository ?? "";
  const common = { source, kind: "secret", state: "open", weakness: { cwe: [], owasp: [] }, updatedAt: now, ...placed } as const;
  const traps = detected.honeytokensOf.map(
    (prompt): SecretDetection => ({
      confidence: "high",
      finding: {
        ...common,
        ref: `honeytoken ${place} ${sha256(prompt).slice(0, 32)}`,
        title: `The honeytoken of prompt ${shortLine(maskSecrets(prompt), 120)} was found in ${what}.`,
        facts: { observed: true },
        secret: { type: "honeytoken", validity: "active" },
      },
    }),
  );
  const lineOf = lineCounter(text);
  const shaped = addedSecrets(detected.secrets, inspected).map(({ type, start, end }): SecretDetection => {
    const secret = describeSecret(type, text.slice(start, end));
    return {
      confidence: "medium",
      finding: {
        ...common,
        location: location.line === undefined ? location : { ...location, line: location.line + lineOf(start) },
        ref: `secret ${place} ${secret.type} ${secret.sha256?.slice(0, 32) ?? "short"}`,
        title: `A text of the shape ${secret.type} was found in ${what}.`,
        facts: {},
        secret,
      },
    };
  });
  const byRef = new Map([...traps, ...shaped].map((detection) => [detection.finding.ref, detection]));
  return [...byRef.values()].slice(0, maxDetections);
}

/** Secrets that are compared with what stood there before; further ones count as new. */
const maxCompared = 200;

function addedSecrets(
  secrets: readonly LocatedSecret[],
  { text, before }: Pick<InspectedText, "text" | "before">,
): readonly LocatedSecret[] {
  if (before === undefined || before === "") return secrets;
  return secrets.filter(({ start, end }, index) => index >= maxCompared || !before.includes(text.slice(start, end)));
}

/** Counts the ends of lines before an index; in one pass over the text while the indexes grow. */
function lineCounter(text: string): (index: number) => number {
  let [counted, lines] = [0, 0];
  return (index) => {
    if (index < counted) [counted, lines] = [0, 0];
    for (let at = text.indexOf("\n", counted); at !== -1 && at < index; at = text.indexOf("\n", counted)) {
      lines += 1;
      counted = at + 1;
    }
    return lines;
  };
}

/** An address with a password is no key: its hash can be guessed, however long it is. */
function describeSecret(type: string, text: string): NonNullable<ReportedSecurityFinding["secret"]> {
  const described = { type: shortLine(maskSecrets(type), 120) || "secret", validity: "unknown" } as const;
  if (text.length < minHashedLength || text.includes("://")) return described;
  return { ...described, sha256: sha256(text), last4: text.trim().slice(-4) };
}

/** A file's path may hold a secret as well. */
function maskedLocation({ repository, path, ...others }: ReportedSecurityFinding["location"] = {}): ReportedSecurityFinding["location"] {
  return {
    ...others,
    ...(repository !== undefined && { repository: shortLine(maskSecrets(repository), 200) }),
    ...(path !== undefined && { path: shortLine(maskSecrets(path), 1000) }),
  };
}
