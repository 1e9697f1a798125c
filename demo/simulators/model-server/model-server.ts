import { setMaxListeners } from "node:events";
import express, { type Request, type Response } from "express";
import { type Clock, createSystemClock } from "../../../src/core/clock.ts";
import { hourMs } from "../../../src/core/duration.ts";
import { sha256 } from "../../../src/core/json.ts";
import { createRandom, hash32, logNormalFactor } from "../../../src/core/random.ts";
import { serveLoopback } from "../serve-loopback.ts";
import { type ApiError, errorBody, statusOf } from "./api-error.ts";
import { createDiagnosticsLog } from "./cache-diagnostics.ts";
import { checkCountTokens, checkMessages } from "./check-request.ts";
import { contentIdentity } from "./content-identity.ts";
import { contentEvents, endEvents, startEvent } from "./event-stream.ts";
import { generateResponse } from "./generate-response.ts";
import { messageJson, usageJson } from "./message-json.ts";
import { costOf, type ModelCall, type ModelServerStats } from "./model-call.ts";
import { modelListEntry, type ServedModel, servedModels } from "./model-catalogue.ts";
import { createFaultSet, errorOf, type Fault } from "./model-fault.ts";
import type { CacheTtl } from "./prompt-blocks.ts";
import { type CacheSplit, createPromptCache } from "./prompt-cache.ts";
import { createWeaknesses, type Weakness } from "./weakness.ts";

/** Latencies of an answer before the seeded spread is applied. */
export interface ModelLatency {
  /** Until the response starts, for a prompt that is read from the cache entirely. */
  readonly firstTokenMs: number;
  /** Uncached and written tokens per second. */
  readonly inputTokensPerSecond: number;
  readonly outputTokensPerSecond: number;
  /** Standard deviation of the logarithm. */
  readonly sigma: number;
}

/** Everything has a default; two servers with equal options and equal requests answer equally. */
export interface ModelServerOptions {
  /** 0, the default, takes any free one. */
  readonly port?: number;
  readonly seed?: number;
  readonly clock?: Clock;
  readonly latency?: Partial<ModelLatency>;
  /** Requests per minute and model before 429 with retry-after; none by default. */
  readonly requestsPerMinute?: number;
  /**
   * What an answer depends on: every byte and how often it was asked (default), or only what is said, in any order and at any time. Real models are in between; the
   * second shows that a prompt says the same.
   */
  readonly answersBy?: "request" | "content";
  /** How long a cache entry lives; 5 minutes and 1 hour. */
  readonly cacheTtlMs?: Readonly<Record<CacheTtl, number>>;
  /** Whether the models take every text for instructions and call the tool `send_report`; not by default. */
  readonly obedient?: boolean;
  /** The models; those of the shipped price table by default. */
  readonly models?: readonly ServedModel[];
}

/** A running server. Disposing it ends every connection. */
export interface ModelServer extends AsyncDisposable {
  /** Base address, e.g. `http://127.0.0.1:41234`. */
  readonly url: string;
  stats(): ModelServerStats;
  /** Switches a quirk on; disposing the answer switches it off. */
  inject(fault: Fault): Disposable;
  /** Lets a model fail at a share of the users it has not met yet, in place of what was set for these before. */
  weaken(weakness: Weakness): void;
}

const maxCalls = 100_000;
const noTokens: CacheSplit & { readonly output: number } = { uncached: 0, read: 0, write5m: 0, write1h: 0, output: 0 };
const bodyLimit = "32mb";

const defaultLatency: ModelLatency = { firstTokenMs: 350, inputTokensPerSecond: 20_000, outputTokensPerSecond: 80, sigma: 0.2 };

/** Starts a local server that speaks the Anthropic Messages API on loopback. Rejects when the port is taken. */
export async function startModelServer(options: ModelServerOptions = {}): Promise<ModelServer> {
  const clock = options.clock ?? createSystemClock();
  const seed = options.seed ?? 1;
  const latency = { ...defaultLatency, ...options.latency };
  const cache = createPromptCache(options.cacheTtlMs ?? { "5m": 300_000, "1h": hourMs });
  const diagnostics = createDiagnosticsLog();
  const faults = createFaultSet();
  const weaknesses = createWeaknesses();
  const models = options.models ?? servedModels;
  const repeatsByIdentity = new Map<string, number>();
  const buckets = new Map<string, { tokens: number; at: number }>();
  const calls: ModelCall[] = [];
  const byStatus: Record<string, number> = {};
  const sums = { requests: 0, costMicroUsd: 0, inFlight: 0 };
  const closing = new AbortController();
  // Every request in flight listens.
  setMaxListeners(0, closing.signal);

  const nextRequestId = () => `req_${sha256(`${seed}:request:${sums.requests}`).slice(0, 24)}`;

  const record = (call: ModelCall) => {
    byStatus[String(call.status)] = (byStatus[String(call.status)] ?? 0) + 1;
    sums.costMicroUsd += call.costMicroUsd;
    calls.push(call);
    if (calls.length > maxCalls) calls.splice(0, calls.length - maxCalls);
  };

  const refuse = (response: Response, requestId: string, error: ApiError, call: Partial<ModelCall> = {}) => {
    const status = statusOf(error.type);
    record({ at: clock.now(), requestId, model: "", status, error: error.type, tokens: noTokens, costMicroUsd: 0, ...call });
    response.set("request-id", requestId);
    if (error.retryAfterSeconds !== undefined) response.set("retry-after", String(error.retryAfterSeconds));
    response.status(status).json(errorBody(error, requestId));
  };

  /** Takes one request from the model's bucket, or answers the error of an empty one. */
  const takeRequest = (model: string): ApiError | undefined => {
    if (options.requestsPerMinute === undefined) return undefined;
    const perMs = options.requestsPerMinute / 60_000;
    const now = clock.now();
    const bucket = buckets.get(model) ?? { tokens: options.requestsPerMinute, at: now };
    const tokens = Math.min(options.requestsPerMinute, bucket.tokens + (now - bucket.at) * perMs);
    buckets.set(model, { tokens: tokens >= 1 ? tokens - 1 : tokens, at: now });
    if (tokens >= 1) return undefined;
    const message = "This request would exceed the rate limit of requests per minute.";
    return { type: "rate_limit_error", message, retryAfterSeconds: Math.max(1, Math.ceil((1 - tokens) / perMs / 1000)) };
  };

  /** What both endpoints check before they look at the body. */
  const admit = (request: Request, response: Response): { requestId: string; workspace: string } | undefined => {
    sums.requests += 1;
    const requestId = nextRequestId();
    response.set("request-id", requestId);
    const key = request.get("x-api-key") ?? /^Bearer (.+)$/.exec(request.get("authorization") ?? "")?.[1] ?? "";
    if (key === "") {
      refuse(response, requestId, { type: "authentication_error", message: "x-api-key header is required" });
      return undefined;
    }
    if (request.get("anthropic-version") === undefined) {
      refuse(response, requestId, { type: "invalid_request_error", message: "anthropic-version: header is required" });
      return undefined;
    }
    return { requestId, workspace: sha256(key).slice(0, 16) };
  };

  const answerMessages = async (request: Request, response: Response): Promise<void> => {
    const admitted = admit(request, response);
    if (admitted === undefined) return;
    const { requestId, workspace } = admitted;
    const checked = checkMessages(request.body, models);
    if (!checked.ok) return refuse(response, requestId, checked.error, { model: checked.asked });
    const { body, model } = checked;
    const userId = body.metadata?.user_id;
    const about = { model: body.model, ...(userId === undefined || userId === null ? {} : { userId }) };

    // Seeded by the request itself and by how often it came, so that the order of concurrent requests changes nothing.
    const identity = sha256(JSON.stringify(request.body));
    const repeat = repeatsByIdentity.get(identity) ?? 0;
    repeatsByIdentity.set(identity, repeat + 1);
    const asked = options.answersBy === "content" ? contentIdentity(body) : `${identity}:${repeat}`;
    const random = createRandom(hash32(`${seed}:${asked}`));

    const hits = faults.hit(model.id, random);
    const error = hits.map(errorOf).find((candidate) => candidate !== undefined) ?? takeRequest(model.id);
    if (error !== undefined) return refuse(response, requestId, error, about);
    const has = (kind: Fault["kind"]) => hits.some((fault) => fault.kind === kind);

    // A cache that misses is an empty one: nobody ever wrote to a workspace named after this request.
    const room = has("cache_miss") ? `${workspace}:${requestId}` : workspace;
    const lookup = cache.lookup(room, checked.blocks, model.minCacheableTokens, clock.now());
    const isWeak = userId !== undefined && userId !== null && weaknesses.fails(model.id, userId);
    const generated = generateResponse(body, model, random, {
      refuse: has("refusal"),
      weak: isWeak,
      obedient: options.obedient === true,
    });
    const slow = hits.reduce((factor, fault) => (fault.kind === "slow" ? factor * fault.factor : factor), 1);
    const spread = logNormalFactor(random, latency.sigma) * slow;
    const fresh = checked.totalTokens - lookup.split.read;
    const firstMs = (latency.firstTokenMs + (fresh / latency.inputTokensPerSecond) * 1000) * spread;
    const remainingMs = (generated.outputTokens / latency.outputTokensPerSecond) * 1000 * spread;
    cache.write(lookup, clock.now() + firstMs);

    sums.inFlight += 1;
    try {
      await clock.sleep(firstMs, closing.signal);
      const costMicroUsd = costOf(model, lookup.split, generated.outputTokens);
      const call = { at: clock.now(), requestId, ...about, tokens: { ...lookup.split, output: generated.outputTokens }, costMicroUsd };
      if (has("connection_reset")) {
        record({ ...call, status: 0, error: "connection_reset" });
        request.socket.destroy();
        return;
      }
      const usage = usageJson(lookup.split, generated.outputTokens, has("null_cache_fields"));
      const messageId = `msg_${sha256(`${seed}:${identity}:${repeat}`).slice(0, 24)}`;
      const asSent = { model: model.id, blocks: checked.blocks };
      // Nothing is kept for requests that do not ask.
      const compared =
        body.diagnostics === undefined ? {} : { diagnostics: diagnostics.compare(body.diagnostics.previous_message_id, asSent) };
      if (body.diagnostics !== undefined) diagnostics.remember(messageId, asSent);
      const message = { ...messageJson(messageId, body.model, generated, usage), ...compared };
      record({ ...call, status: 200 });
      if (body.stream !== true) {
        await clock.sleep(remainingMs, closing.signal);
        response.json(message);
        return;
      }
      response.set({ "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" });
      response.write(startEvent(message));
      const events = contentEvents(generated);
      for (const event of events) {
        await clock.sleep(remainingMs / events.length, closing.signal);
        response.write(event);
      }
      response.end(endEvents(message));
    } catch (thrown) {
      if (!closing.signal.aborted) throw thrown;
      request.socket.destroy();
    } finally {
      sums.inFlight -= 1;
    }
  };

  const app = express();
  app.disable("x-powered-by");
  app.use(express.json({ limit: bodyLimit, strict: true }));
  app.post("/v1/messages", (request, response, next) => {
    answerMessages(request, response).catch(next);
  });
  app.get("/v1/models", (request, response) => {
    if (admit(request, response) === undefined) return;
    const data = models.map(modelListEntry);
    response.json({ data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null });
  });
  app.post("/v1/messages/count_tokens", (request, response) => {
    const admitted = admit(request, response);
    if (admitted === undefined) return;
    const checked = checkCountTokens(request.body, models);
    if (!checked.ok) return refuse(response, admitted.requestId, checked.error, { model: checked.asked });
    response.json({ input_tokens: checked.totalTokens });
  });
  app.use((request: Request, response: Response) => {
    sums.requests += 1;
    refuse(response, nextRequestId(), { type: "not_found_error", message: `Not found: ${request.method} ${request.path}` });
  });
  app.use((error: unknown, _request: Request, response: Response, _next: () => void) => {
    sums.requests += 1;
    const kind = error !== null && typeof error === "object" && "type" in error ? String(error.type) : "";
    if (kind === "entity.too.large") {
      return refuse(response, nextRequestId(), {
        type: "request_too_large",
        message: "Request exceeds the maximum allowed number of bytes.",
      });
    }
    if (kind === "entity.parse.failed") {
      return refuse(response, nextRequestId(), { type: "invalid_request_error", message: "The request body is not valid JSON." });
    }
    refuse(response, nextRequestId(), { type: "api_error", message: "Internal server error" });
  });

  const server = await serveLoopback(app, options.port);

  return {
    url: server.url,
    stats: () => ({ ...sums, byStatus: { ...byStatus }, calls: calls.slice() }),
    inject: (fault) => faults.inject(fault),
    weaken: (weakness) => weaknesses.set(weakness),
    async [Symbol.asyncDispose]() {
      closing.abort(new Error("The model server is closing."));
      await server[Symbol.asyncDispose]();
    },
  };
}
