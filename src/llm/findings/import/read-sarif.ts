import { canonicalJson } from "../../../../packages/sdk/src/wire/json.ts";
import { sha256 } from "../../../core/json.ts";
import { cleanLine } from "../clean-finding.ts";
import { plainText } from "../plain-text.ts";
import {
  classOfScore,
  classOfWord,
  type DocumentReading,
  type FindingDraft,
  type FindingReading,
  type ImportContext,
  listOf,
  maxDocumentItems,
  member,
  readDraft,
  refOf,
  sourceNameOf,
  textOf,
  timeOf,
  weaknessOf,
} from "./finding-reading.ts";

/** One run of a tool, with what its results need of it: read once, since a short document may have thousands of results. */
interface SarifRun {
  readonly run: unknown;
  readonly place: string;
  readonly tool: string;
  readonly source: string | undefined;
  readonly rules: ReadonlyMap<string, unknown>;
  /** Plain titles of the rules that results have named. */
  readonly titles: Map<unknown, string | undefined>;
  readonly repository: string | undefined;
  /** Beginnings of addresses that are no part of a path. */
  readonly bases: readonly string[];
  readonly endedAt: number;
}

/** By name, the contents of the results that have it, each with its place among them. */
type TakenNames = Map<string, Map<string, number>>;

/** Tags, references and words of one result or rule that are read. */
const maxListed = 100;
/** Characters of a rule's message, and of each of its arguments, that are read. */
const [maxTemplate, maxArgument] = [4000, 200];

/** Tools whose every result is a secret. */
const secretScanners = /gitleaks|trufflehog|detect-secrets|secretlint|secret-scanner|talisman/i;

/**
 * Reads SARIF 2.1.0 (OASIS). A suppressed result is dismissed, one that is `absent` from the newest scan is fixed, and every other failure is open. Snippets and
 * texts of regions are never kept. A result keeps its name through scans by its fingerprints, else by its rule, its file and its message.
 */
export function readSarif(document: unknown, context: ImportContext): DocumentReading {
  const version = member(document, "version");
  if (version !== undefined && !(typeof version === "string" && version.startsWith("2.1")))
    return { kind: "refused", reason: "The document's version is not SARIF 2.1.0, which is the only one that is read." };
  const runs = member(document, "runs");
  if (!Array.isArray(runs)) return { kind: "refused", reason: "The document has no list `runs`, so that it says nothing of any scan." };
  if (runs.length === 0) return { kind: "refused", reason: "The document's list `runs` is empty, so that it says nothing of any scan." };
  const count =
    runs.reduce((sum: number, run: unknown) => sum + Math.max(1, countOf(run)), 0) - runs.filter((run) => isEmptyRun(run)).length;
  if (count > maxDocumentItems)
    return { kind: "refused", reason: `The document has ${count} results; at most ${maxDocumentItems} are read. Divide it.` };
  const warnings = runs.flatMap((run: unknown, index) => warningsOf(run, `runs[${index}]`));
  const [failure] = warnings;
  return { kind: "document", count, readings: readRuns(runs, context), warnings, ...(failure !== undefined && { failure }) };
}

/** Results of a run; 0 where it has no list of them, which is read as one unreadable item. */
function countOf(run: unknown): number {
  return listOf(member(run, "results")).length;
}

/** A scan that found nothing, which is no item. */
function isEmptyRun(run: unknown): boolean {
  const results = member(run, "results");
  return Array.isArray(results) && results.length === 0;
}

function warningsOf(run: unknown, place: string): readonly string[] {
  const failed = listOf(member(run, "invocations")).some((invocation) => member(invocation, "executionSuccessful") === false);
  if (!Array.isArray(member(run, "results"))) return [`${place}: The run has no results, so that findings may be missing.`];
  return failed ? [`${place}: The tool says that its run failed, so that findings may be missing.`] : [];
}

function* readRuns(runs: readonly unknown[], context: ImportContext): Generator<FindingReading> {
  // Two results may differ and yet have one name; each keeps its own.
  const taken: TakenNames = new Map();
  for (const [index, run] of runs.entries()) {
    const place = `runs[${index}]`;
    if (typeof run !== "object" || run === null || Array.isArray(run))
      yield { kind: "unreadable", at: place, reason: "The run is not an object." };
    else if (!Array.isArray(member(run, "results")))
      yield {
        kind: "unreadable",
        at: place,
        reason: "The run has no list `results`: the tool has not scanned, which is not a scan without findings.",
      };
    else {
      const read = runOf(run, place, context);
      for (const [nth, result] of listOf(member(run, "results")).entries())
        yield readResult(`${place}.results[${nth}]`, { result, run: read, taken }, context);
    }
  }
}

function runOf(run: unknown, place: string, context: ImportContext): SarifRun {
  const tool = cleanLine(textOf(member(run, "tool", "driver", "name")) ?? "", 120);
  const components = [member(run, "tool", "driver"), ...listOf(member(run, "tool", "extensions"))];
  const rules = new Map<string, unknown>();
  for (const [component, rule] of components.flatMap((one) => listOf(member(one, "rules")).map((each) => [one, each] as const))) {
    const id = textOf(member(rule, "id"));
    if (id !== undefined && (component === components[0] || !rules.has(id))) rules.set(id, rule);
  }
  const times = listOf(member(run, "invocations")).flatMap((one) => {
    const at = timeOf(member(one, "endTimeUtc"), context.importedAt) ?? timeOf(member(one, "startTimeUtc"), context.importedAt);
    return at === undefined ? [] : [at];
  });
  return {
    run,
    place,
    tool,
    source: context.source ?? sourceNameOf(tool),
    rules,
    titles: new Map(),
    bases: Object.values(Object(member(run, "originalUriBaseIds")))
      .slice(0, 20)
      .flatMap((base) => textOf(member(base, "uri")) ?? []),
    repository: context.repository ?? textOf(member(run, "versionControlProvenance", 0, "repositoryUri"))?.slice(0, 500),
    endedAt: times.length === 0 ? context.importedAt : times.reduce((a, b) => Math.max(a, b)),
  };
}

function readResult(
  at: string,
  { result, run, taken }: { readonly result: unknown; readonly run: SarifRun; readonly taken: TakenNames },
  context: ImportContext,
): FindingReading {
  if (typeof result !== "object" || result === null || Array.isArray(result))
    return { kind: "unreadable", at, reason: "The result is not an object." };
  const kind = member(result, "kind");
  if (kind === "pass" || kind === "notApplicable" || kind === "informational")
    return { kind: "passed_over", at, reason: `The result is of the kind ${kind}, which is no failure.` };
  if (run.source === undefined)
    return { kind: "unreadable", at, reason: "The run does not name its tool. Name the source of the findings." };
  const ruleId = ruleIdOf(result, run);
  const rule = run.rules.get(ruleId) ?? run.rules.get(ruleId.split("/").slice(0, -1).join("/"));
  const path = pathOf(result, run);
  const tags = [rule, result].flatMap((one) => listOf(member(one, "properties", "tags")).slice(0, maxListed));
  const weakness = weaknessOf([
    ruleId,
    ...tags,
    ...textsIn(member(rule, "properties", "cwe")),
    ...textsIn(member(result, "properties", "cwe")),
    ...taxaOf(result, rule),
  ]);
  const sort = sortOf({ ruleId, tags, weakness, tool: run.tool });
  const message = messageOf(result, rule);
  const title = titleOf(rule, run) ?? plainText(ruleId, 300);
  const sourceSeverity = severityOf(result, rule);
  const cvss = [result, rule].flatMap((one) =>
    ["cvssV4_vector", "cvssV3_vector", "cvss"].flatMap((name) => textOf(member(one, "properties", name)) ?? []),
  )[0];
  const line = member(result, "locations", 0, "physicalLocation", "region", "startLine");
  const url = textOf(member(result, "hostedViewerUri")) ?? textOf(member(rule, "helpUri"));
  // What a scanner of secrets says of one may hold it in a shape that nobody recognizes.
  const description = sort === "secret" ? undefined : message;
  const draft = {
    source: run.source,
    kind: sort,
    state: stateOf(result),
    title: title || "A result without a title",
    ...(description !== undefined && { description: plainText(description, 4000) }),
    ...(context.feature !== undefined && { feature: context.feature }),
    weakness,
    facts: { ...(sourceSeverity !== undefined && { sourceSeverity }), ...(cvss !== undefined && { cvss: cvss.slice(0, 500) }) },
    ...(sort === "secret" && { secret: { type: cleanLine(ruleId, 120) || "unknown", validity: validityOf(result) } }),
    location: {
      ...(run.repository !== undefined && { repository: cleanLine(run.repository, 200) }),
      ...(path !== undefined && { path: path.slice(0, 1000) }),
      ...(Number.isInteger(line) && Number(line) > 0 && { line: Number(line) }),
    },
    ...(url !== undefined && url.length <= 1000 && { url }),
    updatedAt: run.endedAt,
  } satisfies Omit<FindingDraft, "ref">;
  const ref = refOfResult({ result, ruleId, path, message: message ?? "" }, { draft, taken });
  return readDraft(at, { ...draft, ref });
}

/** Undefined: the rule has no words of its own. */
function titleOf(rule: unknown, { titles }: SarifRun): string | undefined {
  if (!titles.has(rule)) {
    const written = textOf(member(rule, "shortDescription", "text")) ?? textOf(member(rule, "name"));
    titles.set(rule, written && plainText(written, 300));
  }
  return titles.get(rule);
}

function ruleIdOf(result: unknown, { run }: SarifRun): string {
  const index = member(result, "ruleIndex") ?? member(result, "rule", "index");
  return (
    textOf(member(result, "ruleId")) ??
    textOf(member(result, "rule", "id")) ??
    (typeof index === "number" ? textOf(member(run, "tool", "driver", "rules", index, "id")) : undefined) ??
    "result"
  ).slice(0, 500);
}

function refOfResult(
  {
    result,
    ruleId,
    path,
    message,
  }: { readonly result: unknown; readonly ruleId: string; readonly path: string | undefined; readonly message: string },
  { draft, taken }: { readonly draft: Omit<FindingDraft, "ref">; readonly taken: TakenNames },
): string {
  const prints = [member(result, "fingerprints"), member(result, "partialFingerprints")].find(
    (one) => typeof one === "object" && one !== null && Object.keys(one).length > 0,
  );
  const named = prints ?? textOf(member(result, "correlationGuid")) ?? message;
  const ref = refOf(ruleId, [draft.source, ruleId, path ?? "", typeof named === "string" ? named : canonicalJson(named).slice(0, 20_000)]);
  const contents = taken.get(ref) ?? new Map<string, number>();
  const content = sha256(canonicalJson(draft));
  const place = contents.get(content) ?? contents.size;
  taken.set(ref, contents.set(content, place));
  return place === 0 ? ref : `${ref}#${place + 1}`;
}

function stateOf(result: unknown): FindingDraft["state"] {
  if (member(result, "baselineState") === "absent") return "fixed";
  const suppressions = listOf(member(result, "suppressions"));
  const isAccepted = (status: unknown) => status === undefined || status === null || status === "accepted";
  return suppressions.length > 0 &&
    suppressions.every((one) => typeof one === "object" && one !== null && isAccepted(member(one, "status")))
    ? "dismissed"
    : "open";
}

/** The score, else the level that the result or its rule names. The level that SARIF supposes where there is none is no word of the tool's. */
function severityOf(result: unknown, rule: unknown): FindingDraft["facts"]["sourceSeverity"] {
  const score =
    classOfScore(member(result, "properties", "security-severity")) ?? classOfScore(member(rule, "properties", "security-severity"));
  if (score !== undefined) return score;
  const level = member(result, "level") ?? member(rule, "defaultConfiguration", "level");
  if (level === "error") return "high";
  if (level === "warning") return "medium";
  if (level === "note" || level === "none") return "low";
  return classOfWord(member(result, "properties", "severity")) ?? classOfWord(member(rule, "properties", "severity"));
}

function sortOf({
  ruleId,
  tags,
  weakness,
  tool,
}: {
  readonly ruleId: string;
  readonly tags: readonly unknown[];
  readonly weakness: FindingDraft["weakness"];
  readonly tool: string;
}): FindingDraft["kind"] {
  const hasTag = (...names: readonly string[]) => tags.some((tag) => typeof tag === "string" && names.includes(tag.toLowerCase()));
  if (secretScanners.test(tool) || hasTag("secret", "secrets") || /\bsecrets?\b/i.test(ruleId)) return "secret";
  if (weakness.cve !== undefined || weakness.ghsa !== undefined || hasTag("vulnerability")) return "vulnerability";
  return hasTag("prompt", "prompt-injection", "llm") ? "prompt" : "code";
}

function validityOf(result: unknown): "active" | "inactive" | "unknown" {
  const validity = member(result, "properties", "validity");
  return validity === "active" || validity === "inactive" ? validity : "unknown";
}

/** The text of a message: its own, or that of its rule with arguments in place of `{0}`. What stands in the code is taken out of it. */
function messageOf(result: unknown, rule: unknown): string | undefined {
  const id = member(result, "message", "id");
  const template = typeof id === "string" ? textOf(member(rule, "messageStrings", id, "text")) : undefined;
  const words = listOf(member(result, "message", "arguments"));
  const text =
    textOf(member(result, "message", "text")) ??
    template
      ?.slice(0, maxTemplate)
      .replaceAll(/\{(\d{1,2})\}/g, (hole, index: string) => textOf(words[Number(index)])?.slice(0, maxArgument) ?? hole);
  const location = member(result, "locations", 0, "physicalLocation");
  const snippets = ["region", "contextRegion"].flatMap((name) => textOf(member(location, name, "snippet", "text")) ?? []);
  const lines = snippets.flatMap((snippet) => snippet.slice(0, 4000).split("\n").slice(0, 10)).map((each) => each.trim());
  return lines
    .filter((each) => each.length >= 8)
    .reduce<string | undefined>((message, each) => message?.slice(0, 20_000).replaceAll(each, "[code]"), text);
}

function pathOf(result: unknown, { run, bases }: SarifRun): string | undefined {
  const artifact = member(result, "locations", 0, "physicalLocation", "artifactLocation");
  const index = member(artifact, "index");
  const location =
    textOf(member(artifact, "uri")) === undefined && typeof index === "number" ? member(run, "artifacts", index, "location") : artifact;
  const uri = textOf(member(location, "uri"))?.slice(0, 2000);
  if (uri === undefined) return undefined;
  const base = bases.find((one) => uri.startsWith(one));
  const relative = (base === undefined ? uri : uri.slice(base.length))
    .replace(/^file:\/\/(?:localhost)?\/*/i, "")
    .replace(/^(?:\.?\/)+/, "");
  return textOf(decoded(relative));
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function textsIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, 50) : [value];
}

/** CWEs that a result, or its rule, refers to as taxa. */
function taxaOf(result: unknown, rule: unknown): readonly string[] {
  const related = listOf(member(rule, "relationships")).slice(0, maxListed);
  const references = [...listOf(member(result, "taxa")).slice(0, maxListed), ...related.map((one) => member(one, "target"))];
  return references.flatMap((one) => {
    const id = member(one, "id");
    return typeof id === "string" && /cwe/i.test(String(member(one, "toolComponent", "name")))
      ? [`CWE-${id.replace(/^cwe-/i, "").slice(0, 10)}`]
      : [];
  });
}
