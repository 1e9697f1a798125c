import express, { type Request, type Response } from "express";
import { z } from "zod";
import { createSystemClock } from "../../../src/core/clock.ts";
import { hourMs } from "../../../src/core/duration.ts";
import { sha256 } from "../../../src/core/json.ts";
import { type ApiError, errorBody, statusOf } from "../model-server/api-error.ts";
import { checkMessages } from "../model-server/check-request.ts";
import { generateResponse } from "../model-server/generate-response.ts";
import { messageJson, usageJson } from "../model-server/message-json.ts";
import { costOf } from "../model-server/model-call.ts";
import { createPromptCache } from "../model-server/prompt-cache.ts";
import { createBatchEngine, type EngineBatch, type EngineItem } from "./batch-engine.ts";
import { createQuirkSet } from "./batch-quirk.ts";
import type { BatchServer, BatchServerOptions } from "./batch-server.ts";
import { serveBatches } from "./serve-batches.ts";

const createBody = z.object({
  requests: z
    .array(z.object({ custom_id: z.string().regex(/^[\w-]{1,64}$/), params: z.record(z.string(), z.unknown()) }))
    .min(1)
    .max(100_000),
});

type Answer = ReturnType<typeof messageJson>;

const itemErrors: { readonly [Kind in "overloaded" | "rate_limited" | "spend_limited" | "server_error" | "invalid"]: ApiError } = {
  overloaded: { type: "overloaded_error", message: "Overloaded" },
  rate_limited: { type: "rate_limit_error", message: "This request would exceed your organization's rate limit." },
  // Older batches answer this, and without a code: the text is all that tells it from a bad request.
  spend_limited: { type: "invalid_request_error", message: "Your credit balance is too low to access the Anthropic API." },
  server_error: { type: "api_error", message: "Internal server error" },
  invalid: { type: "invalid_request_error", message: "messages: at least one message is required" },
};

/**
 * A local server for Anthropic's Message Batches and its cost report: counts stay in `processing` until the whole batch has ended, results are JSON lines
 * in any order, cancelled batches keep what was answered, input is judged item by item and late, and batches do not remember a name.
 * https://docs.claude.com/en/api/creating-message-batches
 */
export async function startAnthropicBatchServer(options: BatchServerOptions = {}): Promise<BatchServer> {
  const clock = options.clock ?? createSystemClock();
  const seed = options.seed ?? 1;
  const quirks = createQuirkSet();
  const cache = createPromptCache({ "5m": 300_000, "1h": hourMs });
  const engine = createBatchEngine<Answer>({
    prefix: "msgbatch_",
    clock,
    quirks,
    seed,
    durationMs: options.durationMs ?? 2000,
    cancelMs: options.cancelMs ?? 500,
    refuses: "items",
    answer(body, random, refuse) {
      const checked = checkMessages(body);
      if (!checked.ok) return { kind: "errored", error: "invalid", message: checked.error.message };
      if (checked.body.stream === true || checked.body.max_tokens === 0)
        return { kind: "errored", error: "invalid", message: "stream: not supported in batches" };
      const { model, blocks } = checked;
      const lookup = cache.lookup("batches", blocks, model.minCacheableTokens, clock.now());
      cache.write(lookup, clock.now());
      const generated = generateResponse(checked.body, model, random, { refuse });
      const usage = { ...usageJson(lookup.split, generated.outputTokens, false), service_tier: "batch" };
      const id = `msg_${sha256(`${seed}:${random()}:${JSON.stringify(body)}`).slice(0, 24)}`;
      const answer = messageJson(id, checked.body.model, generated, usage);
      // Batches cost half.
      return { kind: "answered", answer, model: checked.body.model, costMicroUsd: costOf(model, lookup.split, generated.outputTokens) / 2 };
    },
  });
  const counts = { requests: 0, created: 0 };

  const refuse = (response: Response, error: ApiError) => {
    if (error.retryAfterSeconds !== undefined) response.set("retry-after", String(error.retryAfterSeconds));
    response.status(statusOf(error.type)).json(errorBody(error, `req_${counts.requests}`));
  };
  const shape = (batch: EngineBatch<Answer>, url: string) => {
    const ended = batch.endedAt !== undefined;
    const counts = { processing: ended ? 0 : batch.items.length, succeeded: 0, errored: 0, canceled: 0, expired: 0 };
    if (ended)
      for (const { outcome } of batch.items) counts[outcome?.kind === "answered" ? "succeeded" : (outcome?.kind ?? "expired")] += 1;
    return {
      id: batch.id,
      type: "message_batch",
      processing_status: ended ? "ended" : batch.cancelledAt === undefined ? "in_progress" : "canceling",
      request_counts: counts,
      created_at: new Date(batch.createdAt).toISOString(),
      expires_at: new Date(batch.expiresAt).toISOString(),
      ended_at: iso(batch.endedAt),
      cancel_initiated_at: iso(batch.cancelledAt),
      archived_at: null,
      results_url: ended ? `${url}/v1/messages/batches/${batch.id}/results` : null,
    };
  };

  const app = express();
  app.disable("x-powered-by");
  app.use(express.json({ limit: "256mb" }));
  app.use((request, response, next) => {
    counts.requests += 1;
    response.set("request-id", `req_${counts.requests}`);
    if (keyOf(request) === "") return refuse(response, { type: "authentication_error", message: "x-api-key header is required" });
    if (request.get("anthropic-version") === undefined)
      return refuse(response, { type: "invalid_request_error", message: "anthropic-version: header is required" });
    if (quirks.has("rate_limited"))
      return refuse(response, {
        type: "rate_limit_error",
        message: "This request would exceed your organization's rate limit.",
        retryAfterSeconds: 7,
      });
    if (quirks.has("overloaded")) return refuse(response, { type: "overloaded_error", message: "Overloaded" });
    next();
  });
  const urlOf = (request: Request) => `http://${request.get("host") ?? "127.0.0.1"}`;
  const findOrRefuse = (request: Request<{ readonly id: string }>, response: Response): EngineBatch<Answer> | undefined => {
    const batch = engine.find(request.params.id);
    if (batch === undefined) refuse(response, { type: "not_found_error", message: "Message batch not found." });
    return batch;
  };

  app.post("/v1/messages/batches", (request, response) => {
    if (quirks.has("spend_limited")) {
      return refuse(response, {
        type: "rate_limit_error",
        message: "You have reached your specified API usage limits.",
        code: "enforced_spend_limit_reached",
      });
    }
    const parsed = createBody.safeParse(request.body);
    if (!parsed.success) return refuse(response, { type: "invalid_request_error", message: parsed.error.issues[0]?.message ?? "invalid" });
    const items = parsed.data.requests.map(({ custom_id, params }) => ({ customId: custom_id, body: params }));
    if (new Set(items.map(({ customId }) => customId)).size < items.length)
      return refuse(response, { type: "invalid_request_error", message: "requests: custom_id must be unique" });
    const batch = engine.create(items, "");
    counts.created += 1;
    if (quirks.has("lost_answer")) return void request.socket.destroy();
    response.json(shape(batch, urlOf(request)));
  });
  app.get("/v1/messages/batches", (request, response) => {
    const limit = Math.min(1000, Number(request.query["limit"] ?? 20));
    const all = engine.list();
    const after = all.findIndex(({ id }) => id === request.query["after_id"]) + 1;
    const data = all.slice(after, after + limit).map((batch) => shape(batch, urlOf(request)));
    response.json({ data, has_more: after + limit < all.length, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null });
  });
  app.get("/v1/messages/batches/:id", (request, response) => {
    const batch = findOrRefuse(request, response);
    if (batch === undefined) return;
    response.json(quirks.has("nonsense") ? { id: batch.id, processing_status: "sleeping" } : shape(batch, urlOf(request)));
  });
  app.post("/v1/messages/batches/:id/cancel", (request, response) => {
    const batch = findOrRefuse(request, response);
    if (batch === undefined) return;
    if (batch.endedAt !== undefined) return refuse(response, { type: "invalid_request_error", message: "The batch has ended." });
    engine.cancel(batch);
    response.json(shape(batch, urlOf(request)));
  });
  app.get("/v1/messages/batches/:id/results", (request, response) => {
    const batch = findOrRefuse(request, response);
    if (batch === undefined) return;
    if (batch.endedAt === undefined) return refuse(response, { type: "not_found_error", message: "The batch has no results yet." });
    const lines = engine
      .results(batch)
      .map((item) => (item === null ? `{"custom_id":"${batch.items[0]?.customId.slice(0, 4) ?? ""}` : JSON.stringify(lineOf(item))));
    response.type("application/x-jsonl").send(lines.map((line) => `${line}\n`).join(""));
  });
  app.get("/v1/organizations/analytics/cost", (request, response) => {
    if (!keyOf(request).startsWith("sk-ant-admin"))
      return refuse(response, { type: "permission_error", message: "An Admin API key is required." });
    const starting_at = textOf(request.query["starting_at"]);
    const ending_at = textOf(request.query["ending_at"]);
    const tiers = [request.query["service_tiers[]"] ?? request.query["service_tiers"] ?? []].flat();
    const micro = engine.billed(Date.parse(starting_at), Date.parse(ending_at)).reduce((sum, { costMicroUsd }) => sum + costMicroUsd, 0);
    // What others spent at the list price is in the same report unless it is asked for batches only.
    const cents = (micro / 10_000 + (tiers.includes("batch") ? 0 : 150.5)).toFixed(6);
    const cost = { amount: cents, list_amount: cents, currency: "USD", requests: null };
    const data = cents === "0.000000" ? [] : [{ starting_at, ending_at, group: { service_tier: null, model: null }, cost }];
    response.json({ data, has_more: false, next_page: null, data_refreshed_at: iso(clock.now()) });
  });
  app.use((request: Request, response: Response) => refuse(response, { type: "not_found_error", message: `Not found: ${request.path}` }));

  return serveBatches(app, options.port, { engine, quirks, counts });
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Older clients send the key alone, newer ones as Bearer. */
function keyOf(request: Request): string {
  return request.get("x-api-key") ?? /^Bearer (.+)$/.exec(request.get("authorization") ?? "")?.[1] ?? "";
}

function iso(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}

function lineOf({ customId, outcome }: EngineItem<Answer>) {
  switch (outcome?.kind) {
    case "answered":
      return { custom_id: customId, result: { type: "succeeded", message: outcome.answer } };
    case "errored": {
      const error = { ...itemErrors[outcome.error], ...(outcome.error === "invalid" && { message: outcome.message }) };
      return { custom_id: customId, result: { type: "errored", error: errorBody(error, `req_${customId}`) } };
    }
    case "canceled":
    case "expired":
    case undefined:
      return { custom_id: customId, result: { type: outcome?.kind ?? "expired" } };
  }
}
