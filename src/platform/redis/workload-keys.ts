import { canonicalReference } from "../../core/canonical-reference.ts";
import { sha256 } from "../../core/json.ts";

/** Keys of the LLM workload; docs/redis.md lists them. One hash tag, so that every script is single-slot. Ids from outside are hashed. */
export const workloadKeys = {
  budgets: "{wl}:budgets",
  /** Budgets with leases, by the time at which the one that was admitted last expires. */
  leasedBudgets: "{wl}:budgets:leased",
  budget: (budget: string) => `{wl}:budget:${budget}`,
  expiry: (budget: string) => `{wl}:budget:${budget}:lease-expiry`,
  leases: (budget: string) => `{wl}:budget:${budget}:leases`,
  reserved: (budget: string) => `{wl}:budget:${budget}:reserved`,
  /** What each batch has reserved, and which lease belongs to which of them; see reservations.lua. */
  shares: (budget: string) => `{wl}:budget:${budget}:shares`,
  queues: (budget: string) => `{wl}:budget:${budget}:queues`,
  batches: (budget: string) => `{wl}:budget:${budget}:batches`,
  /** Counters of one minute. */
  minute: (budget: string, index: number) => `{wl}:budget:${budget}:minute:${index}`,
  /** Spend by row of one bucket of time. */
  rows: (budget: string, index: number) => `{wl}:budget:${budget}:rows:${index}`,
  /** One member per row, ticket and attempt. */
  rowTickets: (budget: string, index: number) => `{wl}:budget:${budget}:row-tickets:${index}`,
  ticketSpend: (budget: string, ticketId: string) => `{wl}:ticket-spend:${hashOf(`${budget} ${ticketId}`)}`,
  /** What is remembered of the usage reports of one day, by a part of their hash: see `usageIdOf`. */
  usageIds: (part: string, day: number) => `{wl}:usage-ids:${part}:${day}`,
  /** Usage events by the time at which their request ended, and how many were added and dropped. */
  usageEvents: "{wl}:usage-events",
  usageEventsKept: "{wl}:usage-events:kept",
  /** Stream in which older versions kept usage events. */
  oldUsage: "{wl}:usage",
  /** Turns that ended without a report and that the history has not been told of yet, oldest first. */
  usageUnreported: "{wl}:usage-unreported",
  /** What was changed about the workload, by time. */
  changes: "{wl}:changes",
  admissions: "{wl}:admissions",
  batch: (batchId: string) => `{wl}:batch:${hashOf(batchId)}`,
  batchTickets: (batchId: string) => `{wl}:batch:${hashOf(batchId)}:tickets`,
  /** Ended tickets of a batch by slot of time. */
  batchEnded: (batchId: string) => `{wl}:batch:${hashOf(batchId)}:ended`,
  batchIndex: "{wl}:batches",
  /** Batches that must be reconciled. */
  batchesActive: "{wl}:batches:active",
  /** Submissions to providers: open ones with their revisions, settled ones, and how the costs compared. */
  providerOpen: "{wl}:provider-batches:open",
  providerRevisions: "{wl}:provider-batches:revisions",
  providerClosed: "{wl}:provider-batches:closed",
  providerDeltas: "{wl}:provider-batches:deltas",
  /** Id of the ticket with this external reference, in whatever form it is written. */
  reference: (externalRef: string) => `{wl}:external-ref:${hashOf(canonicalReference(externalRef))}`,
  /** What the last tickets of a kind cost. */
  costs: (kind: string) => `{wl}:ticket-costs:${hashOf(kind)}`,
  ticket: (ticketId: string) => `{wl}:ticket:${hashOf(ticketId)}`,
  ticketIndex: "{wl}:tickets",
  /** Tickets of a queue that have not ended, and of these the ones that have not been put into it yet; by the time of their release. */
  openTickets: (queue: string) => `{wl}:tickets:open:${queue}`,
  unqueuedTickets: (queue: string) => `{wl}:tickets:unqueued:${queue}`,
  /** Open tickets of all queues, as older versions kept them. */
  oldOpenTickets: "{wl}:tickets:open",
  /** Held by the process that gives tickets of a queue new jobs. */
  queueRepair: (queue: string) => `{wl}:tickets:repair:${queue}`,
  ticketCounts: "{wl}:ticket-counts",
  /** Last heartbeat of each running ticket that reports its stage. */
  ticketHeartbeats: "{wl}:ticket-heartbeats",
  /** Groups of prefix samples by the time of their newest one. */
  sampleGroups: "{wl}:prefix-samples:groups",
  /** Prefix samples of one group, oldest first. */
  samples: (group: string) => `{wl}:prefix-samples:${hashOf(group)}`,
  /** Newest analysis of each group. */
  cacheStates: "{wl}:cache-analysis:states",
  /** What people said of findings, by the finding's id. */
  findingComments: "{wl}:findings",
  /** One security finding, and what happened to it. */
  securityFinding: (id: string) => `{wl}:finding:${hashOf(id)}`,
  securityFindingHistory: (id: string) => `{wl}:finding:${hashOf(id)}:history`,
  /** Findings that are open, the gravest last, and that have ended, by time; members of both hold what findings are filtered by. */
  securityFindingsOpen: "{wl}:findings:open",
  securityFindingsEnded: "{wl}:findings:ended",
  /** Open findings by class, feature and source. */
  securityFindingCounts: "{wl}:findings:counts",
  findingSources: "{wl}:findings:sources",
  /** CVEs that CISA lists as exploited, how the feeds were read last, and probabilities by CVE. */
  exploitedCves: "{wl}:exploited-cves",
  exploitationFeeds: "{wl}:exploitation-feeds",
  epssScores: "{wl}:epss-scores",
  /** Present while the delivery of a webhook is not handled again. */
  findingDelivery: (deliveryId: string) => `{wl}:finding-delivery:${hashOf(deliveryId)}`,
  sampleTexts: (group: string) => `{wl}:prefix-samples:${hashOf(group)}:texts`,
  /** Which processes follow a served document, by hashed name. */
  followers: (document: string) => `{wl}:followers:${hashOf(document)}`,
  /** Every route with its version before it, by id. */
  modelRoutes: "{wl}:routes",
  /** Every flag with its version before it, by key. */
  flags: "{wl}:flags",
  /** What each provider's list of models said last, and why it could not be read since; by provider. */
  modelListings: "{wl}:models",
  modelListingFailures: "{wl}:models:failures",
  /** Every rollout with its version before it, by id. */
  rollouts: "{wl}:rollouts",
  /** Id of the live rollout of each target. */
  rolloutsLive: "{wl}:rollouts:live",
  /** What the exposure of tickets reads of a rollout; the keys of what it has counted begin with it, see rollouts.lua. */
  rollout: (id: string) => `{wl}:rollout:${hashOf(id)}`,
  rolloutStrata: (id: string) => `{wl}:rollout:${hashOf(id)}:strata`,
  rolloutTickets: (id: string) => `{wl}:rollout:${hashOf(id)}:tickets`,
  /** Tickets that have not ended, by their exposure. */
  rolloutDeadlines: (id: string) => `{wl}:rollout:${hashOf(id)}:deadlines`,
  /** Tickets of an arm by their exposure, of the last hour. */
  rolloutBaselineTimes: (id: string) => `{wl}:rollout:${hashOf(id)}:baseline-times`,
  rolloutCanaryTimes: (id: string) => `{wl}:rollout:${hashOf(id)}:canary-times`,
  /** What became of one comparison of two models on past tickets. */
  evaluation: (id: string) => `{wl}:evaluation:${hashOf(id)}`,
  /** What one replay of recorded attacks came to, the newest scheduled one of each feature, and which is being carried out. */
  attackReplay: (id: string) => `{wl}:attack-replay:${hashOf(id)}`,
  attackReplaysScheduled: "{wl}:attack-replays",
  attackReplayClaim: (feature: string) => `{wl}:attack-replay:${hashOf(feature)}:claim`,
  /** What was kept of a security incident, whether the audit log has its hash, and all ids by their time. */
  evidence: (id: string) => `{wl}:evidence:${hashOf(id)}`,
  evidenceSealed: (id: string) => `{wl}:evidence:${hashOf(id)}:sealed`,
  evidenceIndex: "{wl}:evidence",
  prompts: "{wl}:prompts",
  /** Newest version and labels of one prompt. */
  prompt: (prompt: string) => `{wl}:prompt:${hashOf(prompt)}`,
  promptVersions: (prompt: string) => `{wl}:prompt:${hashOf(prompt)}:versions`,
  /** The honeytoken of each prompt that has one. */
  honeytokens: "{wl}:prompts:honeytokens",
  promptRollout: (prompt: string) => `{wl}:prompt:${hashOf(prompt)}:rollout`,
} as const;

/** The one lease of a ticket on a budget: asking again renews it, and a ticket never reserves twice. */
export function leaseIdOf(budget: string, ticketId: string): string {
  return hashOf(`lease ${budget} ${ticketId}`);
}

/**
 * Where a report is remembered: in one of 256 hashes of its day, so that none is ever so large that its removal blocks Redis, and under a field so short that
 * the id costs at most 120 bytes.
 */
export function usageIdOf(identity: string): { readonly part: string; readonly field: string } {
  const digest = sha256(identity);
  return { part: digest.slice(0, 2), field: Buffer.from(digest.slice(2, 24), "hex").toString("base64url").slice(0, 14) };
}

/** A ticket in the counts of rollouts. */
export function rolloutTicketOf(ticketId: string): string {
  return hashOf(ticketId);
}

/** The id of a batch in the shares of its budget; `""` without a batch. */
export function shareIdOf(batchId: string | undefined): string {
  return batchId === undefined ? "" : hashOf(batchId);
}

/** The field of a budget's shares with what a batch has reserved and its leases have not. */
export function unleasedField(share: string): string {
  return `unleased:${share}`;
}

function hashOf(text: string): string {
  return sha256(text).slice(0, 32);
}
