import type { Failure } from "../../packages/sdk/src/wire/failures.ts";

/** One request to a listed origin. */
export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

/** `answered` is any complete answer, whatever its status. */
export type HttpAnswer =
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
      /** From Retry-After, at most 60 s; absent when there is none or it is nonsense. */
      readonly retryAfterMs?: number;
    }
  | { readonly kind: "failed"; readonly failure: Failure };

/** Sends requests to the origins that the configuration lists, and to no other. */
export interface HttpPort {
  /** Why this URL may not be asked, or undefined when it may. */
  refusal(url: string): string | undefined;
  request(request: HttpRequest): Promise<HttpAnswer>;
}
