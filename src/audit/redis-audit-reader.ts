import type { Redis } from "ioredis";
import type { AuditRecord, AuditVerdict } from "../../packages/sdk/src/wire/audit.ts";
import { parseAuditEntry } from "../core/audit.ts";
import { type BrokenRecord, type ChainFault, findFault } from "../core/chain.ts";
import { dayMs } from "../core/duration.ts";
import { genesisHead, nextHead, parseRecord } from "../core/journal.ts";
import type { Page } from "../core/page.ts";
import { available } from "../platform/redis/available.ts";
import { isId, runKeys } from "../platform/redis/run-keys.ts";
import { type AuditAnchor, findAnchorFault } from "./audit-anchor.ts";
import type { AnchorResult, AuditReader } from "./audit-reader.ts";
import { type RecordedEnd, recordedEnds } from "./recorded-end.ts";

/** A run may be gone this long after it was accepted: it is kept for 30 days after its end. */
const mayBeGoneAfterMs = 30 * dayMs;
const runsAtOnce = 50;

interface Checked {
  readonly entries: number;
  readonly broken?: BrokenRecord;
}

/** Recomputes every hash chain from what Redis holds, and compares the audit log with what `readAnchor` knows of it. Reads only. */
export function createAuditReader(
  redis: Redis,
  now: () => number,
  readAnchor: () => Promise<AuditAnchor | undefined> = async () => undefined,
): AuditReader {
  return {
    anchor: async (storedAnchor) => available(async () => anchor(storedAnchor)),
    list: async (page) => available(async () => list(page)),
    verify: async (runId) => available(async () => (runId === undefined ? verifyAll() : verifyOne(runId))),
  };

  async function list({ cursor, limit }: { readonly cursor?: string; readonly limit: number }): Promise<Page<AuditRecord> | undefined> {
    const dropped = Number((await redis.hget(runKeys.auditState, "dropped")) ?? 0);
    const length = await redis.llen(runKeys.audit);
    // The cursor is the index behind the page: newest first, and stable while records are added.
    const end = cursor === undefined ? dropped + length : Number(Buffer.from(cursor, "base64url").toString("utf8"));
    if (!Number.isSafeInteger(end) || end < 0) return undefined;
    const last = Math.min(end - dropped, length) - 1;
    if (last < 0) return { items: [] };
    const first = Math.max(0, last - limit + 1);
    const texts = await redis.lrange(runKeys.audit, first, last);
    const items = texts.flatMap((text, at) => readable(text, dropped + first + at)).toReversed();
    return { items, ...(first > 0 && { nextCursor: Buffer.from(String(dropped + first)).toString("base64url") }) };
  }

  async function verifyAll(): Promise<AuditVerdict> {
    const acts = await checkAudit();
    if (acts.broken !== undefined) return verdictOf(0, acts);
    let entries = acts.entries;
    const rows = await redis.zrange(runKeys.runs, "0", "-1", "WITHSCORES");
    const runs = rows.flatMap((id, index) => (index % 2 === 0 ? [{ id, acceptedAt: Number(rows[index + 1]) }] : []));
    for (let at = 0; at < runs.length; at += runsAtOnce) {
      const checked = await Promise.all(runs.slice(at, at + runsAtOnce).map(async ({ id, acceptedAt }) => checkRun(id, acceptedAt)));
      for (const [index, one] of checked.entries()) {
        entries += one.entries;
        if (one.broken !== undefined) return verdictOf(at + index + 1, { entries, broken: one.broken });
      }
    }
    const removed = await findRemovedRun(recordedEnds(acts.texts, now()));
    return verdictOf(runs.length, { entries, ...(removed !== undefined && { broken: removed }) });
  }

  /** The first run whose end the audit log knows and which is gone, or has another journal now. */
  async function findRemovedRun(ends: ReadonlyMap<string, RecordedEnd>): Promise<BrokenRecord | undefined> {
    const rows = [...ends];
    for (let at = 0; at < rows.length; at += runsAtOnce) {
      const part = rows.slice(at, at + runsAtOnce);
      const heads = await Promise.all(part.map(async ([id]) => redis.hget(runKeys.run(id), "head")));
      for (const [index, [run, end]] of part.entries()) {
        const head = heads[index] ?? undefined;
        if (head === undefined) return { run, index: 0, what: "the run was removed; the audit log knows of its end" };
        if (head !== end.head) return { run, index: 0, what: "the run's journal was replaced; it ends elsewhere than the audit log says" };
      }
    }
    return undefined;
  }

  async function verifyOne(runId: string): Promise<AuditVerdict | undefined> {
    if (!isId(runId)) return undefined;
    const acceptedAt = await redis.zscore(runKeys.runs, runId);
    const end = recordedEnds(await redis.lrange(runKeys.audit, 0, -1), now()).get(runId);
    const removed = end && (await findRemovedRun(new Map([[runId, end]])));
    if (removed !== undefined) return verdictOf(1, { entries: 0, broken: removed });
    if (acceptedAt === null && (await redis.exists(runKeys.run(runId), runKeys.journal(runId))) === 0) return undefined;
    return verdictOf(1, await checkRun(runId, Number(acceptedAt ?? now())));
  }

  async function checkRun(id: string, acceptedAt: number): Promise<Checked> {
    // One transaction: a worker may be writing.
    const results = await redis.multi().hget(runKeys.run(id), "head").lrange(runKeys.journal(id), 0, -1).exec();
    const head = results?.[0]?.[1];
    const texts = textsOf(results?.[1]?.[1]);
    if (typeof head !== "string") {
      if (texts.length === 0 && acceptedAt < now() - mayBeGoneAfterMs) return { entries: 0 };
      return { entries: texts.length, broken: { run: id, index: 0, what: "the run's own record is gone before its time" } };
    }
    const sizes: number[] = [];
    const fault = findFault({ texts, head }, (text) => sizes.push(parseRecord(text).length));
    const entries = sum(sizes);
    return { entries, ...(fault !== undefined && { broken: { run: id, ...inEntries(fault, sizes) } }) };
  }

  async function checkAudit(): Promise<Checked & { readonly texts: readonly string[] }> {
    const results = await redis.multi().hmget(runKeys.auditState, "head", "start", "dropped").lrange(runKeys.audit, 0, -1).exec();
    const [head, start, dropped] = optionalTexts(results?.[0]?.[1]);
    const texts = textsOf(results?.[1]?.[1]);
    const fault = findFault({ texts, head: head ?? genesisHead, start: start ?? genesisHead }, parseAuditEntry);
    if (fault !== undefined)
      return { texts, entries: texts.length, broken: { index: Number(dropped ?? 0) + fault.index, what: fault.what } };
    const storedAnchor = await readAnchor();
    const lost = storedAnchor && findAnchorFault(storedAnchor, { texts, start: start ?? genesisHead, dropped: Number(dropped ?? 0) });
    return { texts, entries: texts.length, ...(lost !== undefined && { broken: lost }) };
  }

  /** Reads only what was written since the known anchor. */
  async function anchor(storedAnchor: AuditAnchor | undefined): Promise<AnchorResult> {
    const before = Number((await redis.hget(runKeys.auditState, "dropped")) ?? 0);
    const from = Math.max(0, (storedAnchor?.count ?? 0) - before);
    const results = await redis
      .multi()
      .hmget(runKeys.auditState, "head", "start", "dropped")
      .llen(runKeys.audit)
      .lrange(runKeys.audit, from, -1)
      .exec();
    const [head = genesisHead, start = genesisHead, droppedText] = optionalTexts(results?.[0]?.[1]);
    const dropped = Number(droppedText ?? 0);
    const count = dropped + Number(results?.[1]?.[1]);
    if (storedAnchor === undefined || storedAnchor.count < dropped) return { kind: "holds", anchor: { head, count } };
    // Records were dropped between the two reads: the part that was read does not begin where it should.
    if (dropped !== before) return { kind: "holds", anchor: storedAnchor };
    const missing = storedAnchor.count > count ? findAnchorFault(storedAnchor, { texts: [], start, dropped: count }) : undefined;
    if (missing !== undefined) return { kind: "broken", ...missing };
    if (textsOf(results?.[2]?.[1]).reduce(nextHead, storedAnchor.head) === head) return { kind: "holds", anchor: { head, count } };
    return {
      kind: "broken",
      index: dropped,
      what: `the log was replaced: what follows its record ${storedAnchor.count} does not lead to its head`,
    };
  }
}

/** A record that cannot be read is left out of the list; `verify` names it. */
function readable(text: string, index: number): readonly AuditRecord[] {
  try {
    return [{ ...parseAuditEntry(text), index }];
  } catch {
    return [];
  }
}

/** The fault by the index of the first entry of its record; several that were written together are one record. */
function inEntries({ index, what }: ChainFault, sizes: readonly number[]): ChainFault {
  const first = sum(sizes.slice(0, index));
  const size = sizes[index] ?? 1;
  return { index: first, what: size === 1 ? what : `${what}; entries ${first} to ${first + size - 1} were written together` };
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

function verdictOf(runs: number, { entries, broken }: Checked): AuditVerdict {
  return { ok: broken === undefined, runs, entries, ...(broken !== undefined && { broken }) };
}

function textsOf(result: unknown): string[] {
  return Array.isArray(result) ? result.map(String) : [];
}

function optionalTexts(result: unknown): (string | undefined)[] {
  return Array.isArray(result) ? result.map((value: unknown) => (typeof value === "string" ? value : undefined)) : [];
}
