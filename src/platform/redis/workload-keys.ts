import { sha256 } from "../../core/json.ts";

/** Where the workload lives in Redis; one hash tag, so that every script is single-slot. Ids from outside stand in keys as hashes only. */
export const workloadKeys = {
  budgets: "{wl}:budgets",
  budget: (budget: string) => `{wl}:b:${budget}`,
  expiry: (budget: string) => `{wl}:b:${budget}:expiry`,
  leases: (budget: string) => `{wl}:b:${budget}:leases`,
  reserved: (budget: string) => `{wl}:b:${budget}:reserved`,
  /** What batches have reserved, and which lease belongs to which of them. */
  shares: (budget: string) => `{wl}:b:${budget}:shares`,
  queues: (budget: string) => `{wl}:b:${budget}:queues`,
  batches: (budget: string) => `{wl}:b:${budget}:batches`,
  /** Counters of one minute. */
  minute: (budget: string, index: number) => `{wl}:b:${budget}:minute:${index}`,
  /** Spend by row of one bucket of time. */
  rows: (budget: string, index: number) => `{wl}:b:${budget}:rows:${index}`,
  /** Who stands behind the rows: one member per row, ticket and attempt. */
  rowTickets: (budget: string, index: number) => `{wl}:b:${budget}:tickets:${index}`,
  ticketSpend: (budget: string, ticketId: string) => `{wl}:s:${hashOf(`${budget} ${ticketId}`)}`,
  seen: (usageId: string) => `{wl}:u:${hashOf(usageId)}`,
  usage: "{wl}:usage",
  /** What was changed about the workload, by time. */
  changes: "{wl}:changes",
  admissions: "{wl}:admissions",
  batch: (batchId: string) => `{wl}:a:${hashOf(batchId)}`,
  batchTickets: (batchId: string) => `{wl}:a:${hashOf(batchId)}:tickets`,
  /** Ended tickets of a batch by slot of time. */
  batchEnded: (batchId: string) => `{wl}:a:${hashOf(batchId)}:ended`,
  batchIndex: "{wl}:batches",
  /** Batches that somebody must look after. */
  batchesActive: "{wl}:batches:active",
  /** Submissions to providers: open ones with their revisions, settled ones, and how the costs compared. */
  providerOpen: "{wl}:pb:open",
  providerRevisions: "{wl}:pb:revisions",
  providerClosed: "{wl}:pb:closed",
  providerDeltas: "{wl}:pb:deltas",
  /** The ticket that holds a reference of the outside. */
  reference: (externalRef: string) => `{wl}:x:${hashOf(externalRef)}`,
  /** What the last tickets of a kind cost. */
  costs: (kind: string) => `{wl}:costs:${hashOf(kind)}`,
  ticket: (ticketId: string) => `{wl}:t:${hashOf(ticketId)}`,
  ticketIndex: "{wl}:tickets",
  ticketCounts: "{wl}:counts",
  /** When each ticket that tells a stage showed its last sign of life. */
  ticketBeats: "{wl}:beats",
  /** Groups of prefix samples by the time of their newest one. */
  sampleGroups: "{wl}:p:groups",
  /** Prefix samples of one group, oldest first. */
  samples: (group: string) => `{wl}:p:${hashOf(group)}`,
  /** Newest analysis of each group, and who may analyse now. */
  cacheStates: "{wl}:p:states",
  cacheTurn: "{wl}:p:turn",
  /** What people said of findings, by the finding's id. */
  findingNotes: "{wl}:findings",
  sampleTexts: (group: string) => `{wl}:p:${hashOf(group)}:texts`,
  /** Every route with its version before it, by id. */
  modelRoutes: "{wl}:routes",
  prompts: "{wl}:prompts",
  /** Newest version and labels of one prompt. */
  prompt: (prompt: string) => `{wl}:m:${hashOf(prompt)}`,
  promptVersions: (prompt: string) => `{wl}:m:${hashOf(prompt)}:versions`,
  promptCanary: (prompt: string) => `{wl}:m:${hashOf(prompt)}:canary`,
} as const;

/** The one lease of a ticket on a budget: asking again renews it, and a ticket never reserves twice. */
export function leaseIdOf(budget: string, ticketId: string): string {
  return hashOf(`lease ${budget} ${ticketId}`);
}

/** What a batch is called among its budget's shares; empty for no batch. */
export function shareIdOf(batchId: string | undefined): string {
  return batchId === undefined ? "" : hashOf(batchId);
}

function hashOf(text: string): string {
  return sha256(text).slice(0, 32);
}
