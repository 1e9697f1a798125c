import type { z } from "zod";
import type { Clock } from "../../core/clock.ts";
import { errorField } from "../../core/error-field.ts";
import { sha256 } from "../../core/json.ts";
import { clockSkewMs, maxPages, type ProviderAccess } from "../../llm/batches/provider/provider-access.ts";
import {
  type ProviderBatches,
  ProviderFailure,
  type ProviderResult,
  type SubmissionSearchResult,
} from "../../llm/batches/provider/provider-batch.ts";
import { type CallKind, failureOf } from "../../llm/batches/provider/provider-trouble.ts";
import { readLines } from "../../platform/requests/read-lines.ts";
import { batchShape, listedBatch, type OpenAiBatch, objectId, readResult, statusOf, wordsOf } from "./batch-shapes.ts";
import { openOpenAi } from "./open-openai.ts";

type OpenAiClient = Awaited<ReturnType<typeof openOpenAi>>["client"];

const endpoint = "/v1/chat/completions";
/** The member of a batch's metadata that holds the submission's key, hashed. */
const mark = "runbookd_submission";

/**
 * OpenAI's batches of chat completions behind the port: a file of requests, a batch over it, and up to two files of results. A submission whose answer
 * was lost is found by its key in the batch's metadata. https://platform.openai.com/docs/api-reference/batch
 */
export function createOpenAiBatches(access: ProviderAccess, clock: Pick<Clock, "now">): ProviderBatches {
  let opened: ReturnType<typeof openOpenAi> | undefined;
  const open = () => (opened ??= openOpenAi(access));

  const call = async <Value>(
    kind: CallKind,
    signal: AbortSignal | undefined,
    send: (client: OpenAiClient, options: { signal?: AbortSignal }) => Promise<Value>,
  ) => {
    const { client } = await open();
    try {
      return await send(client, signal === undefined ? {} : { signal });
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      throw failureOf(error, { provider: "openai", kind, words: wordsOf(errorField(error, "error")) }, clock.now());
    }
  };
  const fetchBatch = async (id: string, signal: AbortSignal | undefined): Promise<OpenAiBatch> => {
    if (!objectId.safeParse(id).success) throw new ProviderFailure("missing", "openai: that is no batch's id");
    return parse(batchShape, await call("read", signal, async (client, options) => client.batches.retrieve(id, options)));
  };
  async function* linesOf(fileId: string, signal: AbortSignal | undefined): AsyncGenerator<ProviderResult> {
    const response = await call("read", signal, async (client, options) => client.files.content(fileId, options));
    if (response.body === null) throw new ProviderFailure("nonsense", "openai answered results without a body");
    let line = 0;
    try {
      for await (const text of readLines(response.body)) {
        line += 1;
        if (text.trim() !== "") yield readResult(text, line);
      }
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      throw failureOf(error, { provider: "openai", kind: "read", words: { type: "", code: "" } }, clock.now());
    }
  }

  return {
    provider: "openai",
    async submit({ key, items }, signal) {
      const text = items
        .map(({ customId, body }) => `${JSON.stringify({ custom_id: customId, method: "POST", url: endpoint, body })}\n`)
        .join("");
      const { toFile } = await open();
      const file = await toFile(Buffer.from(text), "batch.jsonl");
      // A file that nobody refers to does nothing: its upload may be repeated.
      const upload = parse(
        uploadShape,
        await call("read", signal, async (client, options) => client.files.create({ file, purpose: "batch" }, options)),
      );
      const answer = await call("change", signal, async (client, options) =>
        client.batches.create({ input_file_id: upload.id, endpoint, completion_window: "24h", metadata: { [mark]: markOf(key) } }, options),
      );
      const parsed = batchShape.safeParse(answer);
      if (!parsed.success) throw new ProviderFailure("unknown_outcome", "openai answered a creation with something that is no batch");
      return parsed.data.id;
    },
    async find({ key, since }, signal): Promise<SubmissionSearchResult> {
      const wanted = markOf(key);
      let after: string | undefined;
      for (let page = 0; page < maxPages; page += 1) {
        const query = { limit: 100, ...(after !== undefined && { after }) };
        const { data, has_more } = await call("read", signal, async (client, options) => client.batches.list(query, options));
        // One by one: a batch of another application that cannot be read must not hide ours.
        const batches = data.flatMap((batch) => listedBatch.safeParse(batch).data ?? []);
        const match = batches.find(({ metadata }) => metadata?.[mark] === wanted);
        if (match !== undefined) return { kind: "found", id: match.id };
        const oldest = batches.findLast(({ created_at }) => created_at !== undefined)?.created_at ?? Number.POSITIVE_INFINITY;
        if (!has_more || data.length === 0 || oldest * 1000 < since - clockSkewMs) return { kind: "none" };
        const last = batches.at(-1);
        if (last === undefined || last.id === after) throw new ProviderFailure("nonsense", "openai lists batches that cannot be read");
        after = last.id;
      }
      throw new ProviderFailure("unavailable", "openai lists more batches than can be looked through");
    },
    read: async (id, signal) => statusOf(await fetchBatch(id, signal)),
    async *results(id, signal) {
      const batch = await fetchBatch(id, signal);
      if (statusOf(batch).state !== "ended") throw new ProviderFailure("not_ready", "openai: the batch has not ended");
      for (const file of [batch.output_file_id, batch.error_file_id]) if (typeof file === "string") yield* linesOf(file, signal);
    },
    async cancel(id, signal) {
      if (statusOf(await fetchBatch(id, signal)).state === "ended") return;
      try {
        await call("change", signal, async (client, options) => client.batches.cancel(id, options));
      } catch (error) {
        // It may have ended between the two calls, which is what was wanted.
        const isRefused = error instanceof ProviderFailure && error.trouble === "invalid";
        if (!isRefused || statusOf(await fetchBatch(id, signal)).state !== "ended") throw error;
      }
    },
  };
}

const uploadShape = batchShape.pick({ id: true });

function markOf(key: string): string {
  return sha256(key).slice(0, 40);
}

function parse<Schema extends z.ZodType>(schema: Schema, answer: unknown): z.output<Schema> {
  const parsed = schema.safeParse(answer);
  if (!parsed.success) throw new ProviderFailure("nonsense", "openai answered something that its documentation does not know");
  return parsed.data;
}
