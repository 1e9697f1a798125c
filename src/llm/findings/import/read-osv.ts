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
  textOf,
  weaknessOf,
} from "./finding-reading.ts";

/** One vulnerability of one package in one file. */
interface OsvItem {
  readonly at: string;
  readonly source: unknown;
  readonly entry: unknown;
  readonly vulnerability: unknown;
  readonly groups: OsvGroups;
}

/** Which ids of a package name one vulnerability, read once: a short document may have thousands of ids and groups. */
interface OsvGroups {
  /** The first group that names the id. */
  groupOf(id: string): unknown;
  /** The id of its group that is listed first, itself where no group names it. Ids must be asked for in the order of the list. */
  firstOf(id: string): string;
}

/** Other ids of one vulnerability that are read. */
const maxAliases = 100;

/**
 * Reads the JSON of OSV-Scanner. Ids that name one vulnerability are one finding: the first of their group is kept, the others are passed over. The version of a
 * package is not part of the finding's name, so that an update that does not help changes the finding.
 */
export function readOsv(document: unknown, context: ImportContext): DocumentReading {
  const results = member(document, "results");
  if (results === null)
    return {
      kind: "document",
      count: 0,
      readings: [],
      warnings: ["results: It is null, which older versions of OSV-Scanner write when they find nothing."],
    };
  if (!Array.isArray(results))
    return { kind: "refused", reason: "The document has no list `results`, so that it says nothing of any package." };
  const count = results.reduce((sum: number, result: unknown) => sum + Math.max(unreadablePackages(result), countOf(result)), 0);
  if (count > maxDocumentItems)
    return { kind: "refused", reason: `The document has ${count} vulnerabilities; at most ${maxDocumentItems} are read. Divide it.` };
  return { kind: "document", count, readings: readResults(results, context), warnings: [] };
}

/** 1 for a result whose packages cannot be read, which is one item. */
function unreadablePackages(result: unknown): number {
  return Array.isArray(member(result, "packages")) ? 0 : 1;
}

function countOf(result: unknown): number {
  return listOf(member(result, "packages")).reduce((sum: number, entry) => sum + countOfPackage(entry), 0);
}

/** A package that is not an object, or whose list is none, is one item; one without vulnerabilities is none. */
function countOfPackage(entry: unknown): number {
  const vulnerabilities = member(entry, "vulnerabilities");
  if (Array.isArray(vulnerabilities)) return vulnerabilities.length;
  return isPackage(entry) && (vulnerabilities === undefined || vulnerabilities === null) ? 0 : 1;
}

function isPackage(entry: unknown): boolean {
  return typeof entry === "object" && entry !== null && !Array.isArray(entry);
}

function* readResults(results: readonly unknown[], context: ImportContext): Generator<FindingReading> {
  for (const [index, result] of results.entries()) {
    const place = `results[${index}]`;
    if (!Array.isArray(member(result, "packages"))) {
      yield { kind: "unreadable", at: place, reason: "The result has no list `packages`." };
      continue;
    }
    for (const [nth, entry] of listOf(member(result, "packages")).entries()) {
      const at = `${place}.packages[${nth}]`;
      const vulnerabilities = member(entry, "vulnerabilities");
      if (!Array.isArray(vulnerabilities)) {
        if (countOfPackage(entry) === 1) yield { kind: "unreadable", at, reason: "The package has no list `vulnerabilities`." };
        continue;
      }
      const groups = groupsOf(entry);
      for (const [number, vulnerability] of vulnerabilities.entries()) {
        const source = member(result, "source") ?? member(result, "packageSource");
        yield readItem({ at: `${at}.vulnerabilities[${number}]`, source, entry, vulnerability, groups }, context);
      }
    }
  }
}

function groupsOf(entry: unknown): OsvGroups {
  const groups = new Map<string, unknown[]>();
  for (const group of listOf(member(entry, "groups")))
    for (const id of new Set(listOf(member(group, "ids"))))
      if (typeof id === "string") groups.set(id, [...(groups.get(id) ?? []).slice(0, maxAliases), group]);
  const listed = new Set<string>();
  const firsts = new Map<unknown, string>();
  return {
    groupOf: (id) => groups.get(id)?.[0],
    firstOf(id) {
      const own = groups.get(id) ?? [];
      if (!listed.has(id)) for (const group of own) if (!firsts.has(group)) firsts.set(group, id);
      listed.add(id);
      return firsts.get(own[0]) ?? id;
    },
  };
}

function readItem({ at, source, entry, vulnerability, groups }: OsvItem, context: ImportContext): FindingReading {
  const id = textOf(member(vulnerability, "id"))?.slice(0, 200);
  if (id === undefined) return { kind: "unreadable", at, reason: "The vulnerability has no id." };
  const group = groups.groupOf(id);
  if (groups.firstOf(id) !== id)
    return { kind: "passed_over", at, reason: "It is another id of a vulnerability of the same package that is listed before it." };
  const aliases = [member(vulnerability, "aliases"), member(group, "aliases"), member(group, "ids")].flatMap((ids) =>
    listOf(ids).slice(0, maxAliases),
  );
  const [ecosystem, name, version] = ["ecosystem", "name", "version"].map(
    (field) => textOf(member(entry, "package", field))?.slice(0, 150) ?? "",
  );
  if (name === "") return { kind: "unreadable", at, reason: "The package has no name." };
  const path = textOf(member(source, "path"))?.slice(0, 1000);
  const scores = listOf(member(vulnerability, "severity")).flatMap((one) => textOf(member(one, "score")) ?? []);
  const cvss = scores.find((score) => /^(?:CVSS:|AV:)/.test(score));
  const sourceSeverity = classOfScore(member(group, "max_severity")) ?? classOfWord(member(vulnerability, "database_specific", "severity"));
  const description = textOf(member(vulnerability, "details"));
  const title = plainText(textOf(member(vulnerability, "summary")) ?? id, 200);
  const identity = aliasesOf([id, ...aliases]);
  return readDraft(at, {
    source: context.source ?? "osv-scanner",
    ref: refOf(`${identity} in ${name}`, [ecosystem, name, path ?? "", identity]),
    kind: "vulnerability",
    state: textOf(member(vulnerability, "withdrawn")) === undefined ? "open" : "resolved",
    title: title || id,
    ...(description !== undefined && { description: plainText(description, 4000) }),
    ...(context.feature !== undefined && { feature: context.feature }),
    weakness: weaknessOf([id, ...aliases, ...listOf(member(vulnerability, "database_specific", "cwe_ids")).slice(0, 50)]),
    facts: { ...(sourceSeverity !== undefined && { sourceSeverity }), ...(cvss !== undefined && { cvss: cvss.slice(0, 500) }) },
    location: {
      ...(context.repository !== undefined && { repository: context.repository }),
      ...(path !== undefined && { path: path.replace(/^\/+/, "") || path }),
      package: `${name} ${version}`.trim().slice(0, 200),
    },
    ...(/^[A-Za-z0-9._:-]{1,100}$/.test(id) && { url: `https://osv.dev/${id}` }),
    updatedAt: context.importedAt,
  } satisfies FindingDraft);
}

/** The id by which all databases know it: the CVE, else GitHub's advisory, else the first in the order of letters. */
function aliasesOf(ids: readonly unknown[]): string {
  const texts = ids
    .filter((one): one is string => typeof one === "string")
    .map((one) => one.slice(0, 200))
    .toSorted();
  return texts.find((one) => one.startsWith("CVE-")) ?? texts.find((one) => one.startsWith("GHSA-")) ?? texts[0] ?? "";
}
