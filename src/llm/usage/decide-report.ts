import type { TokenPartition, UsageConflict, UsageEvent } from "../../../packages/sdk/src/wire/usage.ts";
import type { Instant } from "../../core/clock.ts";
import { type CountedGroup, type CountedReport, chargedOf, hashOfName, isEstimate } from "./counted-report.ts";
import { noTokens } from "./token-partition.ts";

/** What becomes of a report. */
export interface ReportDecision {
  readonly kind: "accepted" | "completed" | "duplicate" | "conflict";
  readonly conflict?: UsageConflict;
  /** What differs, for people. */
  readonly detail?: string;
  /** What is remembered from now on. */
  readonly next: CountedReport;
  /** The group in `next` whose amount the store must estimate: 0 is the first one. Absent: every amount is known. */
  readonly pending?: number;
  readonly added: TokenPartition;
}

/** Groups that are kept of one id; a report of a further one joins the last. */
const maxGroups = 8;

/**
 * What becomes of a report of an id, given what was counted under it. Pure, and made so that the order and the number of the reports of an id change nothing
 * about what is charged in the end: of one model and ticket the highest exact cost or, without any, the first estimate; of several of them the highest.
 */
export function decideReport(event: UsageEvent, now: Instant, before: CountedReport | undefined): ReportDecision {
  const tokens = event.anomaly === undefined ? event.tokens : undefined;
  const hasPrice = tokens !== undefined && event.unpriced === undefined;
  const group: CountedGroup = {
    model: hashOfName(event.model),
    ticket: hashOfName(event.ticketId),
    costMicroUsd: hasPrice ? event.costMicroUsd : 0,
    basis: hasPrice ? "exact" : "setting",
  };
  const pending = hasPrice ? {} : { pending: 0 };
  if (before === undefined) {
    return { kind: "accepted", next: { at: event.at, countedAt: now, group, tokens, others: [] }, added: tokens ?? noTokens, ...pending };
  }
  if (before.group.basis === "corrected") return afterCorrection({ group, tokens }, before);
  if (group.model !== before.group.model || group.ticket !== before.group.ticket) return ofAnotherGroup(group, before);
  return ofTheSameGroup({ group, tokens }, before);
}

interface Reported {
  readonly group: CountedGroup;
  readonly tokens: TokenPartition | undefined;
}

function ofTheSameGroup({ group, tokens }: Reported, before: CountedReport): ReportDecision {
  const costs = higherOf(before.group, group);
  const conflict = conflictOf({ group, tokens }, before);
  if (conflict !== undefined) {
    const costsMore = costs.costMicroUsd > before.group.costMicroUsd || (isEstimate(before.group.basis) && !isEstimate(costs.basis));
    const next = { ...before, group: costs, tokens: costsMore ? tokens : before.tokens };
    return { kind: "conflict", ...conflict, next, added: noTokens };
  }
  const next = { ...before, group: costs, tokens };
  const isSame = costs.costMicroUsd === before.group.costMicroUsd && costs.basis === before.group.basis && isEqual(tokens, before.tokens);
  return { kind: isSame ? "duplicate" : "completed", next, added: differenceOf(tokens ?? noTokens, before.tokens ?? noTokens) };
}

function conflictOf({ group, tokens }: Reported, before: CountedReport): Pick<ReportDecision, "conflict" | "detail"> | undefined {
  if (before.tokens === undefined) return undefined;
  if (tokens === undefined) return { conflict: "unreadable", detail: "an earlier report of this id could be read, and this one cannot" };
  const lower = lowerCount(tokens, before.tokens);
  if (lower !== undefined) {
    return {
      conflict: "lower_count",
      detail: `${lower} was ${before.tokens[lower]} in an earlier report of this id and is ${tokens[lower]} now`,
    };
  }
  if (isEstimate(before.group.basis)) return undefined;
  if (isEstimate(group.basis)) return { conflict: "unreadable", detail: "an earlier report of this id had a price, and this one has none" };
  if (group.costMicroUsd >= before.group.costMicroUsd) return undefined;
  return { conflict: "lower_cost", detail: "an earlier report of this id cost more, though its counts are not higher" };
}

function ofAnotherGroup(group: CountedGroup, before: CountedReport): ReportDecision {
  const other = before.group.model === group.model ? "ticket" : "model";
  const conflict = { conflict: `another_${other}`, detail: `an earlier report of this id has another ${other}` } as const;
  const same = before.others.findIndex(({ model, ticket }) => model === group.model && ticket === group.ticket);
  const index = same >= 0 ? same : before.others.length < maxGroups ? before.others.length : maxGroups - 1;
  const existing = before.others[index];
  const others = before.others.toSpliced(index, 1, existing === undefined ? group : higherOf(existing, group));
  const isPending = existing === undefined && isEstimate(group.basis);
  return { kind: "conflict", ...conflict, next: { ...before, others }, added: noTokens, ...(isPending ? { pending: index + 1 } : {}) };
}

/** A person's word holds; a report only says whether it agrees with what was reported before. */
function afterCorrection({ group, tokens }: Reported, before: CountedReport): ReportDecision {
  const isSame = group.model === before.group.model && group.ticket === before.group.ticket && isEqual(tokens, before.tokens);
  if (isSame) return { kind: "duplicate", next: before, added: noTokens };
  const detail = "the cost of this id was corrected by a person, and this report differs from those before";
  return { kind: "conflict", conflict: "corrected", detail, next: before, added: noTokens };
}

/** Of two amounts of one model and ticket an exact one takes the place of an estimate, and the higher of two exact ones that of the other. */
function higherOf(before: CountedGroup, group: CountedGroup): CountedGroup {
  if (isEstimate(group.basis)) return before;
  return isEstimate(before.basis) || group.costMicroUsd > before.costMicroUsd ? group : before;
}

const counts = ["uncached", "read", "write5m", "write30m", "write1h", "write12h", "output", "reasoning"] as const;

function lowerCount(tokens: TokenPartition, before: TokenPartition): (typeof counts)[number] | undefined {
  return counts.find((count) => tokens[count] < before[count]);
}

function isEqual(tokens: TokenPartition | undefined, before: TokenPartition | undefined): boolean {
  if (tokens === undefined || before === undefined) return tokens === before;
  return counts.every((count) => tokens[count] === before[count]);
}

function differenceOf(tokens: TokenPartition, before: TokenPartition): TokenPartition {
  const difference = (count: (typeof counts)[number]) => Math.max(0, tokens[count] - before[count]);
  return {
    uncached: difference("uncached"),
    read: difference("read"),
    write5m: difference("write5m"),
    write30m: difference("write30m"),
    write1h: difference("write1h"),
    write12h: difference("write12h"),
    output: difference("output"),
    reasoning: difference("reasoning"),
  };
}

/** What a report changed about what is charged: the amount, and how much of it is an estimate. */
export function chargeOf(report: CountedReport | undefined): { readonly costMicroUsd: number; readonly estimatedMicroUsd: number } {
  if (report === undefined) return { costMicroUsd: 0, estimatedMicroUsd: 0 };
  const { costMicroUsd, basis } = chargedOf(report);
  return { costMicroUsd, estimatedMicroUsd: isEstimate(basis) ? costMicroUsd : 0 };
}
