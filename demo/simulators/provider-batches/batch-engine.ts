import type { Clock, Instant } from "../../../src/core/clock.ts";
import { dayMs } from "../../../src/core/duration.ts";
import { sha256 } from "../../../src/core/json.ts";
import { createRandom, hash32, type Random } from "../../../src/core/random.ts";
import type { BatchQuirk, QuirkSet } from "./batch-quirk.ts";

/** How a provider ends an item. `fields` go into its own shape; an answer is billed. */
export type EngineOutcome<Answer> =
  | { readonly kind: "answered"; readonly answer: Answer; readonly model: string; readonly costMicroUsd: number }
  | { readonly kind: "errored"; readonly error: Extract<BatchQuirk, { kind: "item_error" }>["error"]; readonly message: string }
  | { readonly kind: "canceled" }
  | { readonly kind: "expired" };

/** One item of a batch. `outcome` is absent until the batch has ended. */
export interface EngineItem<Answer> {
  readonly customId: string;
  readonly body: unknown;
  outcome?: EngineOutcome<Answer>;
}

/** One batch as the provider keeps it. */
export interface EngineBatch<Answer> {
  readonly id: string;
  readonly label: string;
  readonly items: readonly EngineItem<Answer>[];
  readonly createdAt: Instant;
  readonly expiresAt: Instant;
  cancelledAt?: Instant;
  endedAt?: Instant;
  /** The whole input was refused. */
  refused: boolean;
}

/** What both providers have in common. */
export interface BatchEngine<Answer> {
  create(items: readonly { readonly customId: string; readonly body: unknown }[], label: string): EngineBatch<Answer>;
  find(id: string): EngineBatch<Answer> | undefined;
  /** Newest first. */
  list(): readonly EngineBatch<Answer>[];
  cancel(batch: EngineBatch<Answer>): void;
  /** Items whose work is done by now. */
  done(batch: EngineBatch<Answer>): number;
  /** Results of an ended batch as they are told, quirks included; `null` is a broken line. */
  results(batch: EngineBatch<Answer>): readonly (EngineItem<Answer> | null)[];
  /** Answers of batches that ended in [from, until), with what each is billed. */
  billed(from: Instant, until: Instant): readonly { readonly answer: Answer; readonly model: string; readonly costMicroUsd: number }[];
}

/** What an engine needs. */
export interface EngineOptions<Answer> {
  readonly prefix: string;
  readonly clock: Pick<Clock, "now">;
  readonly quirks: QuirkSet;
  readonly seed: number;
  /** From creation to the end of a batch that nothing disturbs. */
  readonly durationMs: number;
  /** From the request to cancel to the end. */
  readonly cancelMs: number;
  /** Whether bad input ends the whole batch or each item of it. */
  readonly refuses: "batch" | "items";
  /** Answers one item, or says why it is invalid. */
  readonly answer: (body: unknown, random: Random, refuse: boolean) => EngineOutcome<Answer>;
}

/**
 * The life of batches by the clock alone: items are done one after another, evenly over the batch's duration; a cancelled batch keeps what was done when
 * its cancellation took effect; what is not done after 24 hours expires.
 */
export function createBatchEngine<Answer>(options: EngineOptions<Answer>): BatchEngine<Answer> {
  const { clock, quirks, seed, durationMs, cancelMs } = options;
  const batches: EngineBatch<Answer>[] = [];

  const doneAt = (batch: EngineBatch<Answer>, at: Instant): number => {
    const share = Math.min(1, Math.max(0, (at - batch.createdAt) / durationMs));
    return Math.floor(batch.items.length * share);
  };
  const endOf = (batch: EngineBatch<Answer>): Instant =>
    Math.min(
      batch.createdAt + durationMs,
      batch.expiresAt,
      batch.cancelledAt === undefined ? Number.POSITIVE_INFINITY : batch.cancelledAt + cancelMs,
    );

  /** Ends what is over. Outcomes are decided once, at the first look after the end. */
  const settle = (batch: EngineBatch<Answer>): EngineBatch<Answer> => {
    const isRefusedWhole = batch.refused && options.refuses === "batch";
    const end = isRefusedWhole ? batch.createdAt : endOf(batch);
    if (batch.endedAt !== undefined || end > clock.now()) return batch;
    batch.endedAt = end;
    if (isRefusedWhole) return batch;
    const total = batch.items.length;
    const done = doneAt(batch, end);
    const expiring = Math.ceil(total * (quirks.find("expiry")?.share ?? 0));
    const itemError = quirks.find("item_error");
    const failing = Math.ceil(total * (itemError?.share ?? 0));
    const refusing = Math.ceil(total * (quirks.find("refusal")?.share ?? 0));
    for (const [index, item] of batch.items.entries()) {
      const random = createRandom(hash32(`${seed}:${batch.id}:${item.customId}`));
      if (index >= total - expiring) item.outcome = { kind: "expired" };
      else if (index >= done) item.outcome = { kind: batch.cancelledAt === undefined ? "expired" : "canceled" };
      else if (batch.refused) item.outcome = { kind: "errored", error: "invalid", message: "messages: Field required" };
      else if (itemError !== undefined && index < failing)
        item.outcome = { kind: "errored", error: itemError.error, message: itemError.error };
      else item.outcome = options.answer(item.body, random, index < refusing);
    }
    return batch;
  };

  return {
    create(items, label) {
      const createdAt = clock.now();
      const id = `${options.prefix}${sha256(`${seed}:batch:${batches.length}`).slice(0, 24)}`;
      const batch: EngineBatch<Answer> = {
        id,
        label,
        items: items.map((item) => ({ ...item })),
        createdAt,
        expiresAt: createdAt + dayMs,
        refused: quirks.has("input_error"),
      };
      batches.unshift(batch);
      return batch;
    },
    find: (id) => {
      const batch = batches.find((candidate) => candidate.id === id);
      return batch === undefined ? undefined : settle(batch);
    },
    list: () => batches.map((batch) => settle(batch)),
    cancel(batch) {
      if (batch.endedAt === undefined) batch.cancelledAt ??= clock.now();
    },
    done: (batch) => (batch.endedAt === undefined ? doneAt(batch, clock.now()) : batch.items.length),
    results(batch) {
      const lines: (EngineItem<Answer> | null)[] = [...batch.items];
      if (quirks.has("shuffled")) lines.sort((a, b) => hash32(a?.customId ?? "") - hash32(b?.customId ?? ""));
      if (quirks.has("missing_result")) lines.splice(lines.indexOf(batch.items[0] ?? null), 1);
      if (quirks.has("broken_line")) lines.splice(Math.floor(lines.length / 2), 1, null);
      if (quirks.has("double_results")) lines.push(...lines);
      const answered = batch.items.find(({ outcome }) => outcome?.kind === "answered");
      if (quirks.has("foreign_result") && answered !== undefined) lines.unshift({ ...answered, customId: "of-somebody-else" });
      return lines;
    },
    billed: (from, until) =>
      batches.flatMap((batch) => {
        const at = settle(batch).endedAt;
        if (at === undefined || at < from || at >= until) return [];
        return batch.items.flatMap(({ outcome }) =>
          outcome?.kind === "answered" ? [{ answer: outcome.answer, model: outcome.model, costMicroUsd: outcome.costMicroUsd }] : [],
        );
      }),
  };
}
