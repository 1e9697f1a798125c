import { severityClasses } from "../../../../packages/sdk/src/wire/security-findings.ts";
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
  timeOf,
  weaknessOf,
} from "./finding-reading.ts";

/** States of an analysis by what they mean here; every other one, and none, is open. */
const states: Readonly<Record<string, FindingDraft["state"]>> = {
  resolved: "fixed",
  resolved_with_pedigree: "fixed",
  fixed: "fixed",
  false_positive: "dismissed",
  not_affected: "dismissed",
};

/** How a vector without a prefix is read, by the method of its rating. */
const prefixes: Readonly<Record<string, string>> = { CVSSv3: "CVSS:3.0/", CVSSv31: "CVSS:3.1/", CVSSv4: "CVSS:4.0/" };

/** Components by the names that affected products are referred to with. */
type Components = ReadonlyMap<string, string>;

/**
 * Reads the vulnerabilities of a CycloneDX document (1.4 and later), also of one that is no VEX. Each product that one affects is a finding; a vulnerability that
 * names no product is one of the document's own component. Of several ratings the gravest counts.
 */
export function readVex(document: unknown, context: ImportContext): DocumentReading {
  const format = member(document, "bomFormat");
  if (format !== "CycloneDX") return { kind: "refused", reason: "The document's `bomFormat` is not CycloneDX." };
  const vulnerabilities = member(document, "vulnerabilities");
  if (!Array.isArray(vulnerabilities))
    return {
      kind: "refused",
      reason: "The document has no list `vulnerabilities`: it is a list of components without a statement on any.",
    };
  const count = vulnerabilities.reduce((sum: number, one: unknown) => sum + productsOf(one).length, 0);
  if (count > maxDocumentItems)
    return { kind: "refused", reason: `The document has ${count} statements; at most ${maxDocumentItems} are read. Divide it.` };
  return { kind: "document", count, readings: readStatements(vulnerabilities, document, context), warnings: [] };
}

/** What a vulnerability affects; the whole document where it does not say. */
function productsOf(vulnerability: unknown): readonly unknown[] {
  const affects = listOf(member(vulnerability, "affects"));
  return affects.length === 0 ? [undefined] : affects;
}

function* readStatements(vulnerabilities: readonly unknown[], document: unknown, context: ImportContext): Generator<FindingReading> {
  const components = componentsOf(document);
  const main =
    textOf(member(document, "metadata", "component", "bom-ref")) ?? textOf(member(document, "metadata", "component", "name")) ?? "";
  const documentAt = timeOf(member(document, "metadata", "timestamp"), context.importedAt) ?? context.importedAt;
  for (const [index, vulnerability] of vulnerabilities.entries()) {
    const statement = readStatement(vulnerability, { context, documentAt });
    for (const [nth, affected] of productsOf(vulnerability).entries()) {
      const at = affected === undefined ? `vulnerabilities[${index}]` : `vulnerabilities[${index}].affects[${nth}]`;
      const product = affected === undefined ? main : textOf(member(affected, "ref"));
      if (product === undefined) yield { kind: "unreadable", at, reason: "The affected product has no `ref`." };
      else if (statement === undefined) yield { kind: "unreadable", at, reason: "The vulnerability has no id." };
      else yield readDraft(at, draftOf(statement, { ref: product, name: components.get(product) ?? nameOf(product) }));
    }
  }
}

/** What a vulnerability says of each product that it affects, read once: a short document may have thousands of them. */
interface Statement {
  readonly id: string;
  readonly repository: string | undefined;
  readonly draft: Omit<FindingDraft, "ref" | "title" | "location">;
}

/** Undefined: the vulnerability has no id. */
function readStatement(
  vulnerability: unknown,
  { context, documentAt }: { readonly context: ImportContext; readonly documentAt: number },
): Statement | undefined {
  const id = textOf(member(vulnerability, "id"))?.slice(0, 200);
  if (id === undefined) return undefined;
  const state = member(vulnerability, "analysis", "state");
  const ratings = listOf(member(vulnerability, "ratings")).slice(0, 50).map(readRating);
  const rating = ratings.toSorted((a, b) => a.rank - b.rank)[0];
  const cvss = ratings.toSorted((a, b) => a.rank - b.rank).find(({ vector }) => vector !== undefined)?.vector;
  const others = listOf(member(vulnerability, "references")).map((one) => member(one, "id"));
  const details = ["description", "detail"].flatMap((field) => textOf(member(vulnerability, field)) ?? []);
  const analysis = textOf(member(vulnerability, "analysis", "detail"));
  const url = textOf(member(vulnerability, "source", "url"));
  const cwes = listOf(member(vulnerability, "cwes"))
    .slice(0, 50)
    .map((cwe) => (Number.isInteger(cwe) ? `CWE-${String(cwe)}` : ""));
  const description = plainText([...details.slice(0, 1), ...(analysis === undefined ? [] : [analysis])].join("\n"), 4000);
  const sourceSeverity = rating?.severity;
  return {
    id,
    repository: context.repository,
    draft: {
      source: context.source ?? "cyclonedx-vex",
      kind: "vulnerability",
      state: typeof state === "string" && Object.hasOwn(states, state) ? (states[state] ?? "open") : "open",
      ...(description !== "" && { description }),
      ...(context.feature !== undefined && { feature: context.feature }),
      weakness: weaknessOf([id, ...others, ...cwes]),
      facts: { ...(sourceSeverity !== undefined && { sourceSeverity }), ...(cvss !== undefined && { cvss }) },
      ...(url !== undefined && url.length <= 1000 && { url }),
      updatedAt: timeOf(member(vulnerability, "analysis", "lastUpdated"), context.importedAt) ?? documentAt,
    },
  };
}

function draftOf({ id, repository, draft }: Statement, { ref, name }: { readonly ref: string; readonly name: string }): FindingDraft {
  return {
    ...draft,
    ref: refOf(`${id} in ${name}`, [id, ref]),
    title: plainText(name === "" ? id : `${id} in ${name}`, 300) || id,
    location: { ...(repository !== undefined && { repository }), ...(name !== "" && { package: name.slice(0, 200) }) },
  };
}

function readRating(rating: unknown) {
  const severity = classOfWord(member(rating, "severity")) ?? classOfScore(member(rating, "score"));
  const method = member(rating, "method");
  const vector = textOf(member(rating, "vector"))?.slice(0, 450);
  const prefix = typeof method === "string" && Object.hasOwn(prefixes, method) ? (prefixes[method] ?? "") : "";
  return {
    severity,
    /** The gravest first, those without a word last. */
    rank: severity === undefined ? severityClasses.length : severityClasses.indexOf(severity),
    vector: vector === undefined || vector.startsWith("CVSS:") ? vector : `${prefix}${vector}`,
  };
}

function componentsOf(document: unknown): Components {
  const all = [member(document, "metadata", "component"), ...listOf(member(document, "components")).slice(0, maxDocumentItems)];
  return new Map(
    all.flatMap((component): [string, string][] => {
      const [ref, name, version] = ["bom-ref", "name", "version"].map((field) => textOf(member(component, field))?.slice(0, 500) ?? "");
      if (ref === undefined || name === undefined || ref === "" || name === "") return [];
      return [[ref, `${name} ${version ?? ""}`.trim().slice(0, 200)]];
    }),
  );
}

/** Package and version in a package URL such as `pkg:npm/%40acme/shop@1.0`, with a blank between, else the reference itself. */
function nameOf(product: string): string {
  const [, name = ""] = /pkg:[a-z.+-]{1,40}\/([^?#]{1,300})/i.exec(product) ?? [];
  try {
    return name === "" ? product.slice(0, 200) : decodeURIComponent(name.replace("@", " ")).slice(0, 200);
  } catch {
    return name.slice(0, 200);
  }
}
