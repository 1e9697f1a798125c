import type { Redis } from "ioredis";
import {
  type FindingEvent,
  findingEventKinds,
  type SecurityFinding,
  securityFindingSchema,
  severityClasses,
  severityVerdictSchema,
  sourceStatusSchema,
} from "../../../packages/sdk/src/wire/security-findings.ts";
import type { Clock } from "../../core/clock.ts";
import { available } from "../../platform/redis/available.ts";
import { resultList } from "../../platform/redis/script.ts";
import { workloadKeys as keys } from "../../platform/redis/workload-keys.ts";
import {
  type FindingPlace,
  isAskedFor,
  memberLabel,
  memberRank,
  memberTime,
  parseMember,
  parseSerious,
  placesOf,
  readCursor,
  writeCursor,
} from "./finding-member.ts";
import { findingScripts } from "./redis-scripts.ts";
import { contentHashOf, countedClassOf, findingIdOf, reportOf } from "./security-finding.ts";
import {
  maxEndedFindings,
  maxFindingEvents,
  maxFindingSources,
  maxOpenFindings,
  maxSeriousFindings,
  type OpenFindingCount,
  type SecurityFindingFilter,
  type SecurityFindingStore,
} from "./security-finding-store.ts";

/** Members of an index that are read at once, and for one page. */
const membersAtOnce = 1000;
const maxMembersOfPage = 20_000;
/** Findings that are deleted at once. */
const prunedAtOnce = 500;

const indexes: Readonly<Record<FindingPlace, string>> = { open: keys.securityFindingsOpen, ended: keys.securityFindingsEnded };

const storedReport = securityFindingSchema.omit({ id: true, firstSeenAt: true, verdict: true, runId: true });

/** Security findings in Redis; docs/redis.md lists the keys. Ended ones are kept for `retentionMs`. Rejects with StoreUnavailable when Redis does not answer. */
export function createSecurityFindingStore({
  redis,
  clock,
  retentionMs,
}: {
  readonly redis: Redis;
  readonly clock: Pick<Clock, "now">;
  readonly retentionMs: number;
}): SecurityFindingStore {
  const read = async (id: string): Promise<SecurityFinding | undefined> => {
    const fields = await redis.hgetall(keys.securityFinding(id));
    return fields["report"] === undefined ? undefined : parse(id, fields);
  };

  const page: SecurityFindingStore["page"] = async (filter, { cursor, limit }) => {
    const begin = cursor === undefined ? undefined : readCursor(cursor);
    if (cursor !== undefined && begin === undefined) return undefined;
    const places = placesOf(filter);
    const remaining = begin === undefined ? places : places.slice(Math.max(0, places.indexOf(begin.place)));
    const ids: string[] = [];
    let last = cursor;
    let scanned = 0;
    for (const place of remaining) {
      let after = begin?.place === place ? `(${begin.member}` : "+";
      for (;;) {
        const members = await redis.zrange(indexes[place], after, "-", "BYLEX", "REV", "LIMIT", 0, membersAtOnce);
        for (const member of members) {
          scanned += 1;
          const one = parseMember(member);
          if (one !== undefined && isAskedFor(one, filter)) ids.push(one.id);
          last = writeCursor(place, member);
          after = `(${member}`;
          if (ids.length >= limit) return { items: await load(ids, filter), nextCursor: last };
        }
        if (members.length < membersAtOnce) break;
        if (scanned >= maxMembersOfPage && last !== undefined) return { items: await load(ids, filter), nextCursor: last };
      }
    }
    return { items: await load(ids, filter) };
  };

  /** Without those that have changed since their members were read, so that they are not asked for any more. */
  const load = async (ids: readonly string[], filter: SecurityFindingFilter) => {
    const findings = await Promise.all(ids.map(read));
    return findings.flatMap((finding) => (finding !== undefined && isAskedFor(finding, filter) ? [finding] : []));
  };

  const expiredMembers = async (): Promise<readonly string[]> => {
    const oldest = memberTime(Math.max(0, clock.now() - retentionMs));
    const expired = await redis.zrange(keys.securityFindingsEnded, "-", `(0${oldest}`, "BYLEX", "LIMIT", 0, prunedAtOnce);
    if (expired.length > 0) return expired;
    const excess = (await redis.zcard(keys.securityFindingsEnded)) - maxEndedFindings;
    return excess <= 0 ? [] : redis.zrange(keys.securityFindingsEnded, 0, String(Math.min(excess, prunedAtOnce) - 1));
  };

  return {
    report: (report) =>
      available(async () => {
        const id = findingIdOf(report);
        const severityClass = countedClassOf({ verdict: null, facts: report.facts });
        const now = clock.now();
        const [kind, ...fields] = resultList(
          await findingScripts.report.run(redis, {
            keys: {
              finding: keys.securityFinding(id),
              history: keys.securityFindingHistory(id),
              openIndex: keys.securityFindingsOpen,
              endedIndex: keys.securityFindingsEnded,
              counts: keys.securityFindingCounts,
            },
            args: {
              now,
              updated: memberTime(report.updatedAt),
              ended: memberTime(now),
              content: contentHashOf(report),
              report: JSON.stringify(report),
              state: report.state,
              label: memberLabel({ ...report, id, verdict: null }),
              rank: memberRank(severityClass),
              count: `${severityClass} ${report.feature} ${report.source}`,
              maxOpen: maxOpenFindings,
              maxEvents: maxFindingEvents,
            },
          }),
        );
        if (kind === "full") return { kind };
        if (kind !== "created" && kind !== "updated" && kind !== "unchanged" && kind !== "older")
          throw new Error(`A report of a finding was answered with ${JSON.stringify(kind)}.`);
        return { kind, finding: parse(id, Object.fromEntries(pairsOf(fields))) };
      }),
    read: (id) => available(() => read(id)),
    page: (filter, request) => available(() => page(filter, request)),
    list: (filter, max) =>
      available(async () => {
        const findings: SecurityFinding[] = [];
        let cursor: string | undefined;
        do {
          const next = await page(filter, {
            limit: Math.min(membersAtOnce, max - findings.length),
            ...(cursor !== undefined && { cursor }),
          });
          findings.push(...(next?.items ?? []));
          cursor = next?.nextCursor;
        } while (cursor !== undefined && findings.length < max);
        return findings.toSorted((a, b) => (a.id < b.id ? -1 : 1));
      }),
    judge: ({ finding, verdict, runId = "" }) =>
      available(async () => {
        const reply = await findingScripts.judge.run(redis, {
          keys: {
            finding: keys.securityFinding(finding.id),
            history: keys.securityFindingHistory(finding.id),
            openIndex: keys.securityFindingsOpen,
            counts: keys.securityFindingCounts,
          },
          args: {
            now: clock.now(),
            content: contentHashOf(reportOf(finding)),
            verdict: JSON.stringify(verdict),
            class: verdict.class,
            rank: memberRank(verdict.class),
            label: memberLabel({ ...finding, verdict }),
            count: `${verdict.class} ${finding.feature} ${finding.source}`,
            run: runId,
            maxEvents: maxFindingEvents,
          },
        });
        return reply === 1;
      }),
    events: (id) => available(async () => (await redis.lrange(keys.securityFindingHistory(id), 0, -1)).flatMap((text) => parseEvent(text))),
    openCounts: () =>
      available(async () =>
        Object.entries(await redis.hgetall(keys.securityFindingCounts)).flatMap(([field, count]) => parseCount(field, count)),
      ),
    openSerious: () =>
      available(async () => {
        const lowest = `[${memberRank("high")}`;
        const members = await redis.zrange(keys.securityFindingsOpen, "+", lowest, "BYLEX", "REV", "LIMIT", 0, maxSeriousFindings);
        return members.flatMap((member) => parseSerious(member));
      }),
    sources: () =>
      available(async () => {
        const statuses = Object.values(await redis.hgetall(keys.findingSources)).map((text) => sourceStatusSchema.parse(JSON.parse(text)));
        return statuses.toSorted((a, b) => (a.source < b.source ? -1 : 1));
      }),
    recordSource: (status) =>
      available(async () => {
        const [size, exists] = await Promise.all([redis.hlen(keys.findingSources), redis.hexists(keys.findingSources, status.source)]);
        if (size >= maxFindingSources && exists === 0) return;
        await redis.hset(keys.findingSources, status.source, JSON.stringify(status));
      }),
    prune: () =>
      available(async () => {
        const members = await expiredMembers();
        const findings = members.flatMap((member) => {
          const id = parseMember(member)?.id;
          return id === undefined ? [] : [{ member, key: keys.securityFinding(id) }];
        });
        if (findings.length === 0) return 0;
        const reply = await findingScripts.prune.run(redis, {
          keys: { endedIndex: keys.securityFindingsEnded },
          args: {},
          moreKeys: findings.map(({ key }) => key),
          moreArgs: findings.map(({ member }) => member),
        });
        return Number(reply);
      }),
  };
}

function pairsOf(fields: readonly (string | number)[]): [string, string][] {
  return fields.flatMap((field, index): [string, string][] => (index % 2 === 0 ? [[String(field), String(fields[index + 1] ?? "")]] : []));
}

function parse(id: string, fields: Readonly<Record<string, string>>): SecurityFinding {
  const { report = "", updated = "", first_seen: firstAt = "", verdict = "", run = "" } = fields;
  return {
    ...storedReport.parse(JSON.parse(report)),
    id,
    updatedAt: Number(updated),
    firstSeenAt: Number(firstAt),
    verdict: verdict === "" ? null : severityVerdictSchema.parse(JSON.parse(verdict)),
    ...(run !== "" && { runId: run }),
  };
}

function parseEvent(text: string): readonly FindingEvent[] {
  const [at, name, value = ""] = text.split(" ");
  const kind = findingEventKinds.find((one) => one === name);
  return kind === undefined ? [] : [{ at: Number(at), kind, value }];
}

function parseCount(field: string, count: string): readonly OpenFindingCount[] {
  const [name, feature, source] = field.split(" ");
  const severityClass = severityClasses.find((one) => one === name);
  if (severityClass === undefined || feature === undefined || source === undefined) return [];
  return [{ class: severityClass, feature, source, count: Number(count) }];
}
