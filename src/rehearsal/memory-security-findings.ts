import type { FindingEvent, SecurityFinding, SourceStatus } from "../../packages/sdk/src/wire/security-findings.ts";
import type { Clock } from "../core/clock.ts";
import {
  type FindingPlace,
  isAskedFor,
  memberLabel,
  memberRank,
  memberTime,
  parseSerious,
  placesOf,
  readCursor,
  writeCursor,
} from "../llm/findings/finding-member.ts";
import { contentHashOf, countedClassOf, findingIdOf, reportOf } from "../llm/findings/security-finding.ts";
import {
  maxEndedFindings,
  maxFindingEvents,
  maxFindingSources,
  maxOpenFindings,
  maxSeriousFindings,
  type OpenFindingCount,
  type SecurityFindingFilter,
  type SecurityFindingStore,
} from "../llm/findings/security-finding-store.ts";

interface Entry {
  finding: SecurityFinding;
  /** Ended findings are in the order of the times at which their ends were recorded. */
  endedAt: number;
  events: readonly FindingEvent[];
}

/** Security findings in memory, for rehearsals and tests: one thread, so every call is atomic. Ended ones are kept for `retentionMs`. */
export function createMemorySecurityFindings(clock: Pick<Clock, "now">, retentionMs = Number.POSITIVE_INFINITY): SecurityFindingStore {
  const entries = new Map<string, Entry>();
  const statuses = new Map<string, SourceStatus>();

  const isOpen = ({ finding }: Entry) => finding.state === "open";
  const memberOf = (entry: Entry): string =>
    isOpen(entry)
      ? `${memberRank(countedClassOf(entry.finding))}${memberTime(entry.finding.updatedAt)}${memberLabel(entry.finding)}`
      : `0${memberTime(entry.endedAt)}${memberLabel(entry.finding)}`;
  const membersOf = (place: FindingPlace) =>
    [...entries.values()]
      .filter((entry) => isOpen(entry) === (place === "open"))
      .map((entry) => ({ member: memberOf(entry), entry }))
      .toSorted((a, b) => (a.member < b.member ? 1 : -1));
  const record = (entry: Entry, event: Omit<FindingEvent, "at">) => {
    entry.events = [...entry.events, { at: clock.now(), ...event }].slice(-maxFindingEvents);
  };
  const matching = (filter: SecurityFindingFilter) =>
    placesOf(filter).flatMap((place) =>
      membersOf(place)
        .filter(({ entry }) => isAskedFor(entry.finding, filter))
        .map(({ member, entry }) => ({ place, member, finding: entry.finding })),
    );

  return {
    async report(report) {
      const id = findingIdOf(report);
      const present = entries.get(id);
      if (present === undefined) {
        if (report.state === "open" && membersOf("open").length >= maxOpenFindings) return { kind: "full" };
        const finding = { ...report, id, firstSeenAt: clock.now(), verdict: null };
        const entry: Entry = { finding, endedAt: clock.now(), events: [] };
        entries.set(id, entry);
        record(entry, { kind: "created", value: report.state });
        return { kind: "created", finding };
      }
      const before = present.finding;
      if (report.updatedAt < before.updatedAt) return { kind: "older", finding: before };
      if (contentHashOf(report) === contentHashOf(reportOf(before))) {
        present.finding = { ...before, updatedAt: report.updatedAt };
        return { kind: "unchanged", finding: present.finding };
      }
      const { firstSeenAt, runId } = before;
      present.finding = { ...report, id, firstSeenAt, verdict: null, ...(runId !== undefined && { runId }) };
      present.endedAt = clock.now();
      record(present, before.state === report.state ? { kind: "changed", value: "" } : { kind: "state", value: report.state });
      return { kind: "updated", finding: present.finding };
    },
    read: async (id) => entries.get(id)?.finding,
    list: async (filter, max) =>
      matching(filter)
        .slice(0, max)
        .map(({ finding }) => finding)
        .toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    async page(filter, { cursor, limit }) {
      const begin = cursor === undefined ? undefined : readCursor(cursor);
      if (cursor !== undefined && begin === undefined) return undefined;
      const isBehind = ({ place, member }: { readonly place: FindingPlace; readonly member: string }) =>
        begin === undefined || (place === begin.place ? member < begin.member : place === "ended");
      const behind = matching(filter).filter(isBehind);
      const shown = behind.slice(0, limit);
      const last = shown.at(-1);
      const items = shown.map(({ finding }) => finding);
      return behind.length > limit && last !== undefined ? { items, nextCursor: writeCursor(last.place, last.member) } : { items };
    },
    async judge({ finding, verdict, runId }) {
      const present = entries.get(finding.id);
      if (present === undefined || contentHashOf(reportOf(present.finding)) !== contentHashOf(reportOf(finding))) return false;
      present.finding = { ...present.finding, verdict, ...(runId !== undefined && { runId }) };
      const last = present.events.findLast(({ kind }) => kind === "judged");
      if (last?.value !== verdict.class) record(present, { kind: "judged", value: verdict.class });
      return true;
    },
    events: async (id) => entries.get(id)?.events ?? [],
    async openCounts() {
      const counts = new Map<string, OpenFindingCount>();
      for (const { finding } of [...entries.values()].filter(isOpen)) {
        const { feature, source } = finding;
        const severityClass = countedClassOf(finding);
        const key = `${severityClass} ${feature} ${source}`;
        counts.set(key, { class: severityClass, feature, source, count: (counts.get(key)?.count ?? 0) + 1 });
      }
      return [...counts.values()];
    },
    openSerious: async () =>
      membersOf("open")
        .filter(({ member }) => member >= memberRank("high"))
        .slice(0, maxSeriousFindings)
        .flatMap(({ member }) => parseSerious(member)),
    sources: async () => [...statuses.values()].toSorted((a, b) => (a.source < b.source ? -1 : 1)),
    async recordSource(status) {
      if (statuses.size < maxFindingSources || statuses.has(status.source)) statuses.set(status.source, status);
    },
    async prune() {
      const ended = membersOf("ended").toReversed();
      const expired = ended.filter(({ entry }) => entry.endedAt < clock.now() - retentionMs);
      const dropped = expired.length > 0 ? expired : ended.slice(0, Math.max(0, ended.length - maxEndedFindings));
      for (const { entry } of dropped) entries.delete(entry.finding.id);
      return dropped.length;
    },
  };
}
