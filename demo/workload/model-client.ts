/** One block of text, with or without a cache breakpoint behind it. */
export interface TextBlock {
  readonly type: "text";
  readonly text: string;
  readonly cache_control?: { readonly type: "ephemeral" };
}

/** One side of the conversation. */
export interface Message {
  readonly role: "user" | "assistant";
  readonly content: readonly TextBlock[];
}

/** A body of the Messages API, as far as the client cares. */
export interface ModelBody {
  readonly model: string;
  readonly max_tokens: number;
  readonly messages: readonly object[];
  readonly metadata: { readonly user_id: string };
  /** Asks why the cache was missed, compared with the answer of this id. */
  readonly diagnostics?: { readonly previous_message_id: string | null };
}

/** What is asked. */
export interface ModelRequest extends ModelBody {
  readonly system: readonly TextBlock[];
  readonly messages: readonly Message[];
  readonly tools?: readonly { readonly name: string; readonly description: string; readonly input_schema: object }[];
  readonly tool_choice?: { readonly type: "any" };
}

/** What came of it. `usage` is the provider's object, untouched. */
export type ModelResponse =
  | {
      readonly kind: "answer";
      readonly requestId: string;
      /** For the next request's diagnostics. */
      readonly messageId?: string;
      /** What the provider says about the cache, untouched; absent when it was not asked. */
      readonly diagnostics?: unknown;
      readonly model: string;
      readonly text: string;
      /** What it wants a tool to be called with, when it does. */
      readonly input?: unknown;
      readonly stopReason: string;
      readonly usage: unknown;
      readonly latencyMs: number;
    }
  | {
      readonly kind: "error";
      readonly requestId: string;
      readonly outcome: "rate_limited" | "spend_limited" | "overloaded" | "error";
      readonly message: string;
      /** Seconds after which another try may help; absent when none does. */
      readonly retryAfterSeconds?: number;
      readonly latencyMs: number;
    };

/** Speaks the Messages API over HTTP. */
export interface ModelClient<Request extends ModelBody = ModelRequest> {
  ask(request: Request, signal: AbortSignal): Promise<ModelResponse>;
}

/** Fields of the provider's two bodies that are read; everything may be missing in a body from who knows where. */
interface Body {
  readonly id?: string;
  readonly diagnostics?: unknown;
  readonly model?: string;
  readonly content?: readonly { readonly text?: string; readonly input?: unknown }[];
  readonly stop_reason?: string;
  readonly usage?: unknown;
  readonly error?: { readonly message?: string; readonly details?: { readonly error_code?: string } | null };
}

const outOfMoney: readonly (string | undefined)[] = ["enforced_spend_limit_reached", "contract_spend_limit_reached"];

/** A client for the server at `url`. Rejects only when aborted. */
export function createModelClient(url: string, apiKey: string): ModelClient<ModelBody> {
  return {
    async ask(request, signal) {
      const began = performance.now();
      const since = () => Math.round(performance.now() - began);
      let response: Response;
      let body: Body;
      try {
        response = await fetch(`${url}/v1/messages`, {
          method: "POST",
          headers: { "content-type": "application/json", "x-api-key": apiKey, "anthropic-version": "2023-06-01" },
          body: JSON.stringify(request),
          signal,
        });
        body = JSON.parse(await response.text());
      } catch (error) {
        signal.throwIfAborted();
        const message = error instanceof Error ? error.message : String(error);
        return {
          kind: "error",
          requestId: `lost-${crypto.randomUUID()}`,
          outcome: "error",
          message,
          retryAfterSeconds: 1,
          latencyMs: since(),
        };
      }
      const requestId = response.headers.get("request-id") ?? `none-${crypto.randomUUID()}`;
      if (response.ok) {
        const text = (body.content ?? []).map((block) => block.text ?? "").join("");
        const { model = request.model, stop_reason: stopReason = "", usage } = body;
        const { id: messageId, diagnostics } = body;
        return {
          kind: "answer",
          requestId,
          model,
          text,
          stopReason,
          usage,
          latencyMs: since(),
          input: body.content?.find((block) => block.input !== undefined)?.input,
          ...(messageId !== undefined && { messageId }),
          ...(diagnostics !== undefined && { diagnostics }),
        };
      }
      const { error } = body;
      const base = { kind: "error", requestId, message: error?.message ?? `HTTP ${response.status}`, latencyMs: since() } as const;
      if (response.status === 429 && outOfMoney.includes(error?.details?.error_code)) return { ...base, outcome: "spend_limited" };
      const retryAfterSeconds = Number(response.headers.get("retry-after") ?? "1");
      if (response.status === 429) return { ...base, outcome: "rate_limited", retryAfterSeconds };
      if (response.status === 529) return { ...base, outcome: "overloaded", retryAfterSeconds };
      return response.status >= 500 ? { ...base, outcome: "error", retryAfterSeconds } : { ...base, outcome: "error" };
    },
  };
}
