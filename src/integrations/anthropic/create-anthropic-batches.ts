import type { z } from "zod";
import type { Clock, Instant } from "../../core/clock.ts";
import { errorField } from "../../core/error-field.ts";
import { clockSkewMs, maxPages, type ProviderAccess } from "../../llm/batches/provider/provider-access.ts";
import {
  type ProviderBatches,
  type ProviderBatchStatus,
  ProviderFailure,
  type ProviderResult,
  type SubmissionSearchResult,
  type SubmissionTrace,
} from "../../llm/batches/provider/provider-batch.ts";
import { type CallKind, failureOf } from "../../llm/batches/provider/provider-trouble.ts";
import { readLines } from "../../platform/requests/read-lines.ts";
import { batchId, batchPage, batchShape, listedBatch, readResult, statusOf, wordsOf } from "./message-shapes.ts";
import { openAnthropic } from "./open-anthropic.ts";

type AnthropicClient = Awaited<ReturnType<typeof openAnthropic>>;

const path = "/v1/messages/batches";

/**
 * Anthropic's Message Batches behind the port. Batches have no name there, so a submission whose answer was lost is found by time, size and, once it has
 * ended, its custom ids. Results are read below our own base address: the address in the answer would be sent the key.
 * https://docs.claude.com/en/api/creating-message-batches
 */
export function createAnthropicBatches(access: ProviderAccess, clock: Pick<Clock, "now">): ProviderBatches {
  let opened: ReturnType<typeof openAnthropic> | undefined;
  const open = () => (opened ??= openAnthropic(access));

  const call = async <Value>(
    kind: CallKind,
    signal: AbortSignal | undefined,
    send: (client: AnthropicClient) => Promise<Value>,
  ): Promise<Value> => {
    const client = await open();
    try {
      return await send(client);
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      throw failureOf(error, { provider: "anthropic", kind, words: wordsOf(errorField(error, "error")) }, clock.now());
    }
  };
  const get = async (at: string, query: { readonly [name: string]: string | number }, signal: AbortSignal | undefined): Promise<unknown> =>
    call("read", signal, async (client) => client.get(at, { query, ...(signal !== undefined && { signal }) }));
  const post = async (at: string, body: object | undefined, signal: AbortSignal | undefined): Promise<unknown> =>
    call("change", signal, async (client) =>
      client.post(at, { ...(body !== undefined && { body }), ...(signal !== undefined && { signal }) }),
    );

  const read = async (id: string, signal?: AbortSignal): Promise<ProviderBatchStatus> => {
    const answer = await get(pathOf(id), {}, signal);
    return statusOf(parse(batchShape, answer));
  };
  const openResults = async (id: string, signal: AbortSignal | undefined): Promise<ReadableStream<Uint8Array>> => {
    const at = `${pathOf(id)}/results`;
    const response = await call("read", signal, async (client) => client.get(at, signal === undefined ? {} : { signal }).asResponse());
    if (response.body === null) throw new ProviderFailure("nonsense", "anthropic answered results without a body");
    return response.body;
  };
  async function* results(id: string, signal?: AbortSignal): AsyncGenerator<ProviderResult> {
    const { state } = await read(id, signal);
    if (state !== "ended") throw new ProviderFailure("not_ready", "anthropic: the batch has not ended");
    const stream = await openResults(id, signal);
    let line = 0;
    try {
      for await (const text of readLines(stream)) {
        line += 1;
        if (text.trim() !== "") yield readResult(text, line);
      }
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      throw failureOf(error, { provider: "anthropic", kind: "read", words: { type: "", code: "" } }, clock.now());
    }
  }

  /** Batches that began at or after `since`, newest first, and the ids of those that cannot be read. */
  const begunSince = async (since: Instant, signal: AbortSignal | undefined): Promise<Begun> => {
    const statuses: ProviderBatchStatus[] = [];
    const unreadable: string[] = [];
    let after: string | undefined;
    for (let page = 0; page < maxPages; page += 1) {
      const { data, has_more, last_id } = parse(
        batchPage,
        await get(path, { limit: 100, ...(after !== undefined && { after_id: after }) }, signal),
      );
      let isOver = false;
      for (const item of data) {
        const listed = listedBatch.safeParse(item).data;
        // Without an id and a time nothing can be said of it, and nothing be done with it.
        if (listed === undefined) continue;
        const batch = batchShape.safeParse(item);
        if (listed.created_at < since - clockSkewMs) isOver = true;
        else if (batch.success) statuses.push(statusOf(batch.data));
        else unreadable.push(listed.id);
      }
      if (!has_more || isOver || typeof last_id !== "string") return { statuses, unreadable };
      after = last_id;
    }
    throw new ProviderFailure("unavailable", "anthropic lists more batches than can be looked through");
  };
  const isOurs = async (id: string, customIds: ReadonlySet<string>, signal: AbortSignal | undefined): Promise<boolean> => {
    for await (const result of results(id, signal)) if (result.kind === "item") return customIds.has(result.customId);
    return false;
  };

  return {
    provider: "anthropic",
    async submit({ items }, signal) {
      const body = { requests: items.map(({ customId, body: params }) => ({ custom_id: customId, params })) };
      const parsed = batchShape.safeParse(await post(path, body, signal));
      if (!parsed.success) throw new ProviderFailure("unknown_outcome", "anthropic answered a creation with something that is no batch");
      return parsed.data.id;
    },
    async find({ customIds, since, known: existingIds }: SubmissionTrace, signal): Promise<SubmissionSearchResult> {
      const ids = new Set(customIds);
      const { statuses, unreadable } = await begunSince(since, signal);
      const candidates = statuses.filter(({ id, items }) => items === customIds.length && !existingIds.includes(id));
      for (const { id, state } of candidates) if (state === "ended" && (await isOurs(id, ids, signal))) return { kind: "found", id };
      const open = [
        ...candidates.filter(({ state }) => state !== "ended").map(({ id }) => id),
        ...unreadable.filter((id) => !existingIds.includes(id)),
      ];
      return open.length === 0 ? { kind: "none" } : { kind: "unclear", candidates: open };
    },
    read,
    results,
    async cancel(id, signal) {
      try {
        await post(`${pathOf(id)}/cancel`, undefined, signal);
      } catch (error) {
        // A batch that has ended cannot be cancelled any more, which is what was wanted.
        const isRefused = error instanceof ProviderFailure && error.trouble === "invalid";
        if (!isRefused || (await read(id, signal)).state !== "ended") throw error;
      }
    },
  };
}

/** What a list shows of the batches that began after a moment. */
interface Begun {
  readonly statuses: readonly ProviderBatchStatus[];
  readonly unreadable: readonly string[];
}

function pathOf(id: string): string {
  if (!batchId.safeParse(id).success) throw new ProviderFailure("missing", "anthropic: that is no batch's id");
  return `${path}/${id}`;
}

function parse<Schema extends z.ZodType>(schema: Schema, answer: unknown): z.output<Schema> {
  const parsed = schema.safeParse(answer);
  if (!parsed.success) throw new ProviderFailure("nonsense", "anthropic answered something that its documentation does not know");
  return parsed.data;
}
