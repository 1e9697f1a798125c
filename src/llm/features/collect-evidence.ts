import { canonicalJson } from "../../../packages/sdk/src/wire/json.ts";
import type { Ticket } from "../../../packages/sdk/src/wire/tickets.ts";
import type { Instant } from "../../core/clock.ts";
import { dayMs } from "../../core/duration.ts";
import type { Feature } from "../../core/feature.ts";
import { shortLine } from "../../core/one-line.ts";
import type { BudgetControl } from "../budgets/budget.ts";
import type { SecurityFindingStore } from "../findings/security-finding-store.ts";
import type { PromptStore } from "../prompts/prompt.ts";
import type { RecoveryPorts } from "../tickets/recovery-ports.ts";
import type { CollectedEvidence, EvidenceItem } from "./build-evidence.ts";

/** Where evidence is read from. */
export interface EvidenceSources {
  readonly securityFindings: Pick<SecurityFindingStore, "list">;
  readonly tickets: { readonly store: Pick<RecoveryPorts["store"], "list">; readonly checkpoints: RecoveryPorts["checkpoints"] };
  readonly prompts: Pick<PromptStore, "read" | "version">;
  readonly budgets: Pick<BudgetControl, "spend">;
}

const maxFindings = 200;
/** Newest tickets that are looked at, and those of the feature that are kept. */
const maxListed = 500;
const maxTickets = 50;
/** Newest checkpoints of one ticket. */
const maxCheckpoints = 5;
const maxPrompts = 20;
/** Prompts that the feature's budgets paid for within this time count as its own. */
const promptsWithinMs = dayMs;

/**
 * Reads what shows what happened: the findings, the tickets of the feature's budgets with their checkpoints and conversations, and the prompts that they
 * used. Findings come first, because what is too much is left out at the end. Never rejects: what cannot be read is named.
 */
export async function collectEvidence(
  about: { readonly name: string; readonly feature: Feature | undefined; readonly now: Instant },
  sources: EvidenceSources,
): Promise<CollectedEvidence> {
  const { name, feature, now } = about;
  const missing: string[] = [];
  const budgets = feature?.budgets ?? [];
  const attempt = async (what: string, read: () => Promise<readonly EvidenceItem[]>): Promise<readonly EvidenceItem[]> => {
    try {
      return await read();
    } catch (error) {
      missing.push(shortLine(`${what} cannot be read: ${error instanceof Error ? error.message : String(error)}`, 300));
      return [];
    }
  };
  const findings = await attempt(`The findings of ${name}`, async () => readFindings(name, sources));
  const prompts = await attempt("The prompts", async () => readPrompts(budgets, now, sources));
  const tickets: Ticket[] = [];
  const ticketItems = await attempt("The tickets", async () => {
    tickets.push(...(await readTickets(budgets, sources)));
    return tickets.map((ticket) => ({ kind: "ticket" as const, id: ticket.id, text: canonicalJson(ticket) }));
  });
  const works: EvidenceItem[] = [];
  for (const { id } of sources.tickets.checkpoints === undefined ? [] : tickets)
    works.push(...(await attempt(`The checkpoints of ticket ${id}`, async () => readCheckpoints(id, sources))));
  return { items: [...findings, ...prompts, ...ticketItems, ...works], missing };
}

async function readFindings(name: string, { securityFindings }: EvidenceSources): Promise<readonly EvidenceItem[]> {
  const findings = await securityFindings.list({ feature: name }, maxFindings);
  return findings.map((finding) => ({ kind: "finding", id: finding.id, text: canonicalJson(finding) }));
}

async function readTickets(budgets: readonly string[], { tickets }: EvidenceSources): Promise<readonly Ticket[]> {
  if (budgets.length === 0) return [];
  const matching: Ticket[] = [];
  let cursor: string | undefined;
  for (let listed = 0; listed < maxListed && matching.length < maxTickets; ) {
    const page = await tickets.store.list({}, { limit: 100, ...(cursor !== undefined && { cursor }) });
    if (page === undefined || page.items.length === 0) break;
    matching.push(...page.items.filter(({ budget }) => budgets.includes(budget)));
    listed += page.items.length;
    cursor = page.nextCursor;
    if (cursor === undefined) break;
  }
  return matching.slice(0, maxTickets);
}

async function readCheckpoints(ticketId: string, { tickets: { checkpoints } }: EvidenceSources): Promise<readonly EvidenceItem[]> {
  const items: EvidenceItem[] = [];
  for (const one of ((await checkpoints?.list(ticketId)) ?? []).slice(-maxCheckpoints)) {
    if (one.kind === "broken") {
      items.push({ kind: "checkpoint", id: one.ref, text: canonicalJson(one) });
      continue;
    }
    items.push({ kind: "checkpoint", id: one.checkpoint.ref, text: canonicalJson(one.checkpoint) });
    const conversation = await checkpoints?.conversation(one.checkpoint);
    if (conversation !== undefined && conversation !== "") items.push({ kind: "conversation", id: one.checkpoint.ref, text: conversation });
  }
  return items;
}

async function readPrompts(budgets: readonly string[], now: Instant, sources: EvidenceSources): Promise<readonly EvidenceItem[]> {
  const rows = await Promise.all(budgets.map(async (budget) => sources.budgets.spend(budget, now - promptsWithinMs, now)));
  const names = [...new Set(rows.flat().map(({ prompt }) => prompt))].filter((name) => name !== "").slice(0, maxPrompts);
  const items = await Promise.all(names.map(async (name) => readPrompt(name, sources)));
  return items.flat();
}

/** The state of a prompt and the versions that its labels point at. */
async function readPrompt(name: string, { prompts }: EvidenceSources): Promise<readonly EvidenceItem[]> {
  const state = await prompts.read(name);
  if (state === undefined) return [];
  const numbers = [...new Set(Object.values(state.labels))];
  const versions = await Promise.all(numbers.map(async (number) => prompts.version(name, number)));
  return [
    { kind: "prompt", id: name, text: canonicalJson(state) },
    ...versions.flatMap((version, nth) =>
      version === undefined ? [] : [{ kind: "prompt" as const, id: `${name}@${numbers[nth]}`, text: canonicalJson(version) }],
    ),
  ];
}
