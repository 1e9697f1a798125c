import {
  type DocumentReading,
  type FindingReading,
  type ImportContext,
  listOf,
  maxDocumentItems,
  member,
  readDraft,
  timeOf,
} from "./finding-reading.ts";

/**
 * Reads findings in runbookd's own form: a list of them, or `{findings: […]}`. What an item leaves out is taken from the context; without a `state` it is open,
 * without an `updatedAt` (milliseconds, or RFC 3339) it was changed when it is imported.
 */
export function readGeneric(document: unknown, context: ImportContext): DocumentReading {
  const items = Array.isArray(document) ? document : member(document, "findings");
  if (!Array.isArray(items)) return { kind: "refused", reason: "The document has no list `findings`." };
  if (items.length > maxDocumentItems)
    return { kind: "refused", reason: `The document has ${items.length} findings; at most ${maxDocumentItems} are read. Divide it.` };
  return { kind: "document", count: items.length, readings: readItems(items, context), warnings: [] };
}

function* readItems(items: readonly unknown[], context: ImportContext): Generator<FindingReading> {
  for (const [index, item] of items.entries()) yield readItem(`findings[${index}]`, item, context);
}

function readItem(at: string, item: unknown, { source, repository, feature, importedAt }: ImportContext): FindingReading {
  if (typeof item !== "object" || item === null || Array.isArray(item))
    return { kind: "unreadable", at, reason: "The item is not an object." };
  const { updatedAt, location = {}, ...given } = { ...item } as { readonly [name: string]: unknown };
  if (source !== undefined && given["source"] !== undefined && given["source"] !== source)
    return { kind: "unreadable", at, reason: `The item names another source than ${source}.` };
  return readDraft(at, {
    kind: "code",
    state: "open",
    weakness: {},
    facts: {},
    ...(source !== undefined && { source }),
    ...(feature !== undefined && { feature }),
    ...given,
    location: isLocation(location) ? { ...(repository !== undefined && { repository }), ...location } : location,
    updatedAt:
      updatedAt === undefined ? importedAt : typeof updatedAt === "string" ? (timeOf(updatedAt, importedAt) ?? updatedAt) : updatedAt,
  });
}

function isLocation(value: unknown): value is object {
  return typeof value === "object" && value !== null && listOf(value).length === 0;
}
