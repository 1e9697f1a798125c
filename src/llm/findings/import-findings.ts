import {
  type FindingImport,
  type FindingImportResult,
  findingImportResults,
  type ImportedFinding,
} from "../../../packages/sdk/src/wire/finding-imports.ts";
import type { ReportedSecurityFinding } from "../../../packages/sdk/src/wire/security-findings.ts";
import type { Instant } from "../../core/clock.ts";
import { cleanLine } from "./clean-finding.ts";
import type { FindingIntake, FindingIntakeResult } from "./finding-intake.ts";
import type { DocumentReading, FindingReading } from "./import/finding-reading.ts";
import { unknownFeature } from "./security-finding.ts";
import type { SecurityFindingStore } from "./security-finding-store.ts";

/** Where the findings of a document go. */
export interface ImportTarget {
  readonly intake: FindingIntake;
  readonly store: Pick<SecurityFindingStore, "sources" | "recordSource">;
  /** The source of every finding; undefined: each names its own. */
  readonly source: string | undefined;
  readonly now: Instant;
}

/** Items that are read and kept before others have their turn. */
const itemsAtOnce = 50;
/** Sources that one document may name. */
const maxSources = 20;

/** Takes the findings of a document in. Every item has one result, in the order of the document. Rejects as the intake does. */
export async function importFindings(
  document: Extract<DocumentReading, { kind: "document" }>,
  { intake, store, source, now }: ImportTarget,
): Promise<FindingImport> {
  const items: ImportedFinding[] = [];
  const sources = new Set<string>(source === undefined ? [] : [source]);
  let group: FindingReading[] = [];
  const flush = async () => {
    items.push(...(await takeGroup(group, { intake, sources })));
    group = [];
  };
  for (const reading of document.readings) {
    group.push(reading);
    if (group.length === itemsAtOnce) await flush();
  }
  await flush();
  const failure = document.failure ?? (isUnreadable(items) ? "Nothing of its last document could be kept." : undefined);
  if (failure !== undefined || document.warnings.length === 0) await recordSources([...sources], { store, now, failure });
  const counts = Object.fromEntries(
    findingImportResults.map((result): [FindingImportResult, number] => [result, items.filter((item) => item.result === result).length]),
  );
  return { items, counts: { ...emptyCounts, ...counts }, warnings: document.warnings };
}

const emptyCounts: Readonly<Record<FindingImportResult, number>> = {
  created: 0,
  updated: 0,
  unchanged: 0,
  older: 0,
  unreadable: 0,
  refused: 0,
  passed_over: 0,
};

async function takeGroup(
  group: readonly FindingReading[],
  { intake, sources }: { readonly intake: FindingIntake; readonly sources: Set<string> },
): Promise<readonly ImportedFinding[]> {
  const isAccepted = ({ source }: ReportedSecurityFinding) => {
    if (sources.size < maxSources) sources.add(source);
    return sources.has(source);
  };
  const accepted = group.flatMap((reading) => (reading.kind === "finding" && isAccepted(reading.finding) ? [reading] : []));
  const results = await intake.take(accepted.map(({ finding }) => finding));
  const resultOf = new Map(accepted.map((reading, index) => [reading.at, results[index]]));
  return group.map((reading) => {
    const { at } = reading;
    if (reading.kind !== "finding") return { at, result: reading.kind, reason: reading.reason };
    const result = resultOf.get(at);
    return result === undefined
      ? { at, result: "refused", reason: `The document names more than ${maxSources} sources.` }
      : { at, ...importedOf(result) };
  });
}

function importedOf(result: FindingIntakeResult): Omit<ImportedFinding, "at"> {
  if (result.kind === "refused") return { result: "refused", reason: result.reason };
  const { id, feature } = result.finding;
  return { result: result.kind, id, feature, ...(feature === unknownFeature && { reason: result.reason }) };
}

/** A document of which nothing is kept says nothing of its source; one without items says that there is nothing. */
function isUnreadable(items: readonly ImportedFinding[]): boolean {
  return items.length > 0 && items.every(({ result }) => result === "unreadable" || result === "refused");
}

/**
 * A source that sends documents can be read as long as its last one says what its tool has found. What is known of a source by asking it stays as it is: a
 * document does not say whether the next question is answered, nor since when the answers are complete.
 */
async function recordSources(
  names: readonly string[],
  {
    store,
    now,
    failure,
  }: {
    readonly store: Pick<SecurityFindingStore, "sources" | "recordSource">;
    readonly now: Instant;
    readonly failure: string | undefined;
  },
): Promise<void> {
  const statuses = new Map((await store.sources()).map((status) => [status.source, status]));
  const sending = names.filter((name) => statuses.get(name)?.sends ?? !statuses.has(name));
  await Promise.all(
    sending.map(async (source) => {
      const seenAt = failure === undefined ? now : statuses.get(source)?.seenAt;
      const status = { source, sends: true, ...(seenAt !== undefined && { seenAt }) };
      await store.recordSource(failure === undefined ? { ...status, up: true } : { ...status, up: false, reason: cleanLine(failure, 500) });
    }),
  );
}
