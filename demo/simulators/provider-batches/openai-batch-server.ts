import express, { type Request, type Response } from "express";
import { z } from "zod";
import { createSystemClock } from "../../../src/core/clock.ts";
import { dayMs } from "../../../src/core/duration.ts";
import { sha256 } from "../../../src/core/json.ts";
import { createBatchEngine, type EngineBatch, type EngineItem } from "./batch-engine.ts";
import { createQuirkSet } from "./batch-quirk.ts";
import { type BatchServer, type BatchServerOptions } from "./batch-server.ts";
import { type ChatCompletion, completeChat } from "./complete-chat.ts";
import { serveBatches } from "./serve-batches.ts";

const createBody = z.object({
  input_file_id: z.string(),
  endpoint: z.literal("/v1/chat/completions"),
  completion_window: z.literal("24h"),
  metadata: z.record(z.string().max(64), z.string().max(512)).nullish(),
});
const inputLine = z.object({ custom_id: z.string(), method: z.literal("POST"), url: z.string(), body: z.record(z.string(), z.unknown()) });

interface InputFault {
  readonly code: string;
  readonly line: number;
  readonly message: string;
  readonly param: null;
}

/** What an upload holds, judged after the batch was created. */
function readInput(text: string, endpoint: string) {
  const items: { customId: string; body: unknown }[] = [];
  const faults: InputFault[] = [];
  const customIds = new Set<string>();
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const fault = (code: string, message: string) => faults.push({ code, line: index + 1, message, param: null });
    const parsed = inputLine.safeParse(parseLine(line));
    if (!parsed.success) fault("invalid_json_line", "This line is not parseable as valid JSON.");
    else if (parsed.data.url !== endpoint) fault("url_mismatch", "The URL provided for this request does not match the batch endpoint.");
    else if (customIds.has(parsed.data.custom_id))
      fault("duplicate_custom_id", "The custom_id for this request is a duplicate of another request.");
    else {
      customIds.add(parsed.data.custom_id);
      items.push({ customId: parsed.data.custom_id, body: parsed.data.body });
    }
  }
  if (items.length === 0 && faults.length === 0)
    faults.push({ code: "empty_file", line: 0, message: "The input file is empty.", param: null });
  return { items, faults };
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

const itemErrors = {
  overloaded: { status: 503, type: "server_error", code: "overloaded", message: "The engine is currently overloaded." },
  rate_limited: { status: 429, type: "requests", code: "rate_limit_exceeded", message: "Rate limit reached." },
  spend_limited: { status: 429, type: "insufficient_quota", code: "insufficient_quota", message: "You exceeded your current quota." },
  server_error: { status: 500, type: "server_error", code: null, message: "The server had an error." },
  invalid: { status: 400, type: "invalid_request_error", code: "invalid_value", message: "Invalid request." },
} as const;

/**
 * A local server for OpenAI's files, batches and usage report: input errors come after the batch was created, as `failed`; items that expired or failed stand in a
 * file of their own, items that were cancelled in none; metadata is remembered.
 * https://platform.openai.com/docs/api-reference/batch
 */
export async function startOpenAiBatchServer(options: BatchServerOptions = {}): Promise<BatchServer> {
  const clock = options.clock ?? createSystemClock();
  const seed = options.seed ?? 1;
  const quirks = createQuirkSet();
  const files = new Map<string, string>();
  const metadata = new Map<string, { readonly inputFile: string; readonly faults: readonly InputFault[]; readonly metadata: unknown }>();
  const engine = createBatchEngine<ChatCompletion>({
    prefix: "batch_",
    clock,
    quirks,
    seed,
    durationMs: options.durationMs ?? 2000,
    cancelMs: options.cancelMs ?? 500,
    refuses: "batch",
    answer: completeChat,
  });
  const counts = { requests: 0, created: 0 };

  const refuse = (response: Response, status: number, type: string, code: string | null, message: string) =>
    response.status(status).json({ error: { message, type, param: null, code } });

  const shape = (batch: EngineBatch<ChatCompletion>) => {
    const about = metadata.get(batch.id);
    const ended = batch.endedAt !== undefined;
    const expired = batch.items.some(({ outcome }) => outcome?.kind === "expired");
    const ending = expired ? "expired" : batch.cancelledAt === undefined ? "completed" : "cancelled";
    const underWay = batch.cancelledAt === undefined ? "in_progress" : "cancelling";
    const status = batch.refused ? (ended ? "failed" : "validating") : ended ? ending : underWay;
    const failed = batch.items.filter(({ outcome }) => outcome?.kind === "errored" || outcome?.kind === "expired").length;
    const completed = ended ? batch.items.filter(({ outcome }) => outcome?.kind === "answered").length : engine.done(batch);
    const hidden = !ended && quirks.has("late_counts");
    const usable = ended && !batch.refused;
    return {
      id: batch.id,
      object: "batch",
      endpoint: "/v1/chat/completions",
      errors: batch.refused && ended ? { object: "list", data: about?.faults ?? [] } : null,
      input_file_id: about?.inputFile ?? "",
      completion_window: "24h",
      status,
      output_file_id: usable && completed > 0 ? `file-out-${batch.id}` : null,
      error_file_id: usable && failed > 0 ? `file-err-${batch.id}` : null,
      created_at: seconds(batch.createdAt),
      expires_at: seconds(batch.expiresAt),
      ...(ended && { [`${status}_at`]: seconds(batch.endedAt ?? 0) }),
      request_counts: batch.refused || hidden ? { total: 0, completed: 0, failed: 0 } : { total: batch.items.length, completed, failed },
      metadata: about?.metadata ?? null,
    };
  };

  const app = express();
  app.disable("x-powered-by");
  app.use((request, response, next) => {
    counts.requests += 1;
    response.set("x-request-id", `req_${counts.requests}`);
    if (!/^Bearer .+/.test(request.get("authorization") ?? ""))
      return refuse(response, 401, "invalid_request_error", "invalid_api_key", "You did not provide an API key.");
    if (quirks.has("rate_limited")) {
      response.set("retry-after", "7");
      return refuse(response, 429, "requests", "rate_limit_exceeded", "Rate limit reached.");
    }
    if (quirks.has("overloaded")) return refuse(response, 503, "server_error", "overloaded", "The engine is currently overloaded.");
    next();
  });
  app.post("/v1/files", express.raw({ type: () => true, limit: "200mb" }), (request, response, next) => {
    readUpload(request)
      .then((text) => {
        const id = `file-${sha256(`${seed}:${files.size}`).slice(0, 24)}`;
        files.set(id, text);
        response.json({
          id,
          object: "file",
          bytes: text.length,
          created_at: seconds(clock.now()),
          filename: "batch.jsonl",
          purpose: "batch",
          status: "processed",
        });
      })
      .catch(next);
  });
  const answerContent = (request: Request<{ readonly id: string }>, response: Response) => {
    const [, kind, batchId] = /^file-(out|err)-(.+)$/.exec(request.params.id) ?? [];
    const batch = batchId === undefined ? undefined : engine.find(batchId);
    if (batch?.endedAt === undefined) return refuse(response, 404, "invalid_request_error", null, "No such file.");
    const isOutput = kind === "out";
    const lines = engine
      .results(batch)
      .filter((item) => (item === null ? isOutput : (item.outcome?.kind === "answered") === isOutput))
      .flatMap((item) => (item === null ? [`{"id":"batch_req_`] : (lineOf(item) ?? [])));
    response.type("application/octet-stream").send(lines.map((line) => `${line}\n`).join(""));
  };
  app.get("/v1/files/:id/content", (request, response) => void answerContent(request, response));
  app.post("/v1/batches", express.json(), (request, response) => {
    if (quirks.has("spend_limited"))
      return refuse(response, 429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota.");
    const parsed = createBody.safeParse(request.body);
    if (!parsed.success) return refuse(response, 400, "invalid_request_error", null, parsed.error.issues[0]?.message ?? "invalid");
    const text = files.get(parsed.data.input_file_id);
    if (text === undefined) return refuse(response, 400, "invalid_request_error", null, "No such file.");
    const { items, faults } = readInput(text, parsed.data.endpoint);
    const injected = quirks.has("input_error")
      ? [{ code: "model_mismatch", line: 1, message: "The model differs from the one of other lines.", param: null }]
      : [];
    const batch = engine.create(items, "");
    batch.refused ||= faults.length > 0;
    metadata.set(batch.id, {
      inputFile: parsed.data.input_file_id,
      faults: [...faults, ...injected],
      metadata: parsed.data.metadata ?? null,
    });
    counts.created += 1;
    if (quirks.has("lost_answer")) return void request.socket.destroy();
    response.json(shape(batch));
  });
  app.get("/v1/batches", (request, response) => {
    const limit = Math.min(100, Number(request.query["limit"] ?? 20));
    const all = engine.list();
    const after = all.findIndex(({ id }) => id === request.query["after"]) + 1;
    const data = all.slice(after, after + limit).map((batch) => shape(batch));
    response.json({
      object: "list",
      data,
      first_id: data[0]?.id ?? null,
      last_id: data.at(-1)?.id ?? null,
      has_more: after + limit < all.length,
    });
  });
  const findOrRefuse = (request: Request<{ readonly id: string }>, response: Response): EngineBatch<ChatCompletion> | undefined => {
    const batch = engine.find(request.params.id);
    if (batch === undefined) refuse(response, 404, "invalid_request_error", null, `No batch found with id '${request.params.id}'.`);
    return batch;
  };
  app.get("/v1/batches/:id", (request, response) => {
    const batch = findOrRefuse(request, response);
    if (batch !== undefined) response.json(quirks.has("nonsense") ? { id: batch.id, object: "batch", status: "sleeping" } : shape(batch));
  });
  app.post("/v1/batches/:id/cancel", (request, response) => {
    const batch = findOrRefuse(request, response);
    if (batch === undefined) return;
    if (batch.endedAt !== undefined) return refuse(response, 409, "invalid_request_error", null, "Cannot cancel a batch that has ended.");
    engine.cancel(batch);
    response.json(shape(batch));
  });
  app.get("/v1/organization/usage/completions", (request, response) => {
    if (!(request.get("authorization") ?? "").startsWith("Bearer sk-admin"))
      return refuse(response, 403, "invalid_request_error", null, "An admin key is required.");
    const from = Number(request.query["start_time"]) * 1000;
    const until = Number(request.query["end_time"]) * 1000;
    const offset = Number(request.query["page"] ?? 0);
    const days = Math.max(0, Math.ceil((until - from) / dayMs));
    const data = Array.from({ length: Math.min(7, days - offset) }, (_, index) => {
      const start = from + (offset + index) * dayMs;
      const rows = new Map<
        string,
        { input_tokens: number; input_cached_tokens: number; output_tokens: number; num_model_requests: number }
      >();
      for (const { model, answer } of engine.billed(start, start + dayMs)) {
        const row = rows.get(model) ?? { input_tokens: 0, input_cached_tokens: 0, output_tokens: 0, num_model_requests: 0 };
        row.input_tokens += answer.usage.prompt_tokens;
        row.output_tokens += answer.usage.completion_tokens;
        row.num_model_requests += 1;
        rows.set(model, row);
      }
      const ofBatches = [...rows].map(([model, row]) => ({ object: "organization.usage.completions.result", model, batch: true, ...row }));
      // What others used at the list price is in the same report unless it is asked for batches only.
      const ofOthers = {
        object: "organization.usage.completions.result",
        model: "gpt-4.1",
        batch: false,
        input_tokens: 9000,
        input_cached_tokens: 0,
        output_tokens: 900,
        num_model_requests: 3,
      };
      const results = request.query["batch"] === "true" ? ofBatches : [ofOthers, ...ofBatches];
      return { object: "bucket", start_time: seconds(start), end_time: seconds(start + dayMs), results };
    });
    const next = offset + data.length;
    response.json({ object: "page", data, has_more: next < days, next_page: next < days ? String(next) : null });
  });
  app.use(
    (request: Request, response: Response) => void refuse(response, 404, "invalid_request_error", null, `Unknown URL ${request.path}`),
  );

  return serveBatches(app, options.port, { engine, quirks, counts });
}

function seconds(at: number): number {
  return Math.floor(at / 1000);
}

/** The text of the one file of a multipart upload. */
async function readUpload(request: Request): Promise<string> {
  const body: unknown = request.body;
  if (!Buffer.isBuffer(body)) throw new Error("The upload has no body.");
  const form = await new globalThis.Response(new Uint8Array(body), {
    headers: { "content-type": request.get("content-type") ?? "" },
  }).formData();
  const file = form.get("file");
  if (file === null || typeof file === "string") throw new Error("The upload has no file.");
  return file.text();
}

function lineOf({ customId, outcome }: EngineItem<ChatCompletion>): string | undefined {
  const id = `batch_req_${sha256(customId).slice(0, 24)}`;
  switch (outcome?.kind) {
    case "answered":
      return JSON.stringify({ id, custom_id: customId, response: { status_code: 200, request_id: id, body: outcome.answer }, error: null });
    case "errored": {
      const { status, ...error } = itemErrors[outcome.error];
      const responseError = outcome.error === "invalid" ? { ...error, message: outcome.message } : error;
      return JSON.stringify({
        id,
        custom_id: customId,
        response: { status_code: status, request_id: id, body: { error: { ...responseError, param: null } } },
        error: null,
      });
    }
    case "expired": {
      const error = { code: "batch_expired", message: "This request could not be executed before the completion window expired." };
      return JSON.stringify({ id, custom_id: customId, response: null, error });
    }
    case "canceled":
    case undefined:
      return undefined;
  }
}
