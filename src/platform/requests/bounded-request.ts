import { Agent, type Dispatcher, request } from "undici";
import type { Failure } from "../../../packages/sdk/src/wire/failures.ts";
import type { Clock } from "../../core/clock.ts";
import { errorField } from "../../core/error-field.ts";
import { retryAfterMs } from "../../core/retry-after.ts";

/** Limits of one request; all times in milliseconds. */
export interface RequestLimits {
  readonly connectMs: number;
  readonly headersMs: number;
  /** Longest silence within the body. */
  readonly bodyMs: number;
  /** Of everything together; an answer that trickles ends here. */
  readonly totalMs: number;
  /** Bytes of the body that are read. */
  readonly maxBytes: number;
}

/** What every outside system gets unless it needs other limits. */
export const defaultRequestLimits: RequestLimits = {
  connectMs: 5000,
  headersMs: 5000,
  bodyMs: 10_000,
  totalMs: 20_000,
  maxBytes: 1_048_576,
};

/** A request as it will be sent. */
export interface BoundedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

/** `answered` is any answer with a complete head; `truncated` when its body was longer than the limit. */
export type BoundedAnswer =
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
      readonly truncated: boolean;
      readonly retryAfterMs?: number;
    }
  | { readonly kind: "failed"; readonly failure: Failure };

/** Sends requests within limits; holds connections until it is closed. */
export interface BoundedSender {
  send(request: BoundedRequest): Promise<BoundedAnswer>;
  close(): Promise<void>;
}

/** What a sender needs beside its limits. */
export interface SenderOptions {
  readonly clock: Pick<Clock, "now" | "timeout">;
  /** A certificate authority in PEM that is trusted beside the system's own. */
  readonly ca?: string | undefined;
}

/** A sender that follows no redirect, asks for no compression and never reads more than its limit. */
export function createBoundedSender(limits: RequestLimits, { clock, ca }: SenderOptions): BoundedSender {
  const agent = new Agent({
    connect: { timeout: limits.connectMs, ...(ca !== undefined && { ca }) },
    headersTimeout: limits.headersMs,
    bodyTimeout: limits.bodyMs,
    maxHeaderSize: 16_384,
    keepAliveTimeout: 10_000,
  });
  return {
    async send({ method, url, headers, body, signal }) {
      let head: Dispatcher.ResponseData | undefined;
      const cut = AbortSignal.any([signal, clock.timeout(limits.totalMs)]);
      try {
        head = await request(url, {
          dispatcher: agent,
          // The target decides what a method means; undici accepts any token.
          method: methodOf(method),
          headers: { "accept-encoding": "identity", "user-agent": "runbookd", ...headers },
          signal: cut,
          ...(body !== undefined && { body }),
        });
        const read = await readCapped(head.body, limits.maxBytes);
        const flat = flatten(head.headers);
        const later = retryAfterMs(flat["retry-after"], clock.now());
        return { kind: "answered", status: head.statusCode, headers: flat, ...read, ...(later !== undefined && { retryAfterMs: later }) };
      } catch (error) {
        head?.body.on("error", () => undefined).destroy();
        return { kind: "failed", failure: failureOfError(error, head?.statusCode) };
      }
    },
    async close() {
      await agent.destroy();
    },
  };
}

async function readCapped(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<{ readonly body: string; readonly truncated: boolean }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    chunks.push(chunk.subarray(0, maxBytes - size));
    size += chunk.length;
    // Leaving the loop destroys the stream, so that the rest is never received.
    if (size > maxBytes) return { body: Buffer.concat(chunks).toString("utf8"), truncated: true };
  }
  return { body: Buffer.concat(chunks).toString("utf8"), truncated: false };
}

function flatten(headers: Dispatcher.ResponseData["headers"]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name.toLowerCase(), [value].flat().join(", ")]])),
  );
}

const methods: readonly Dispatcher.HttpMethod[] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

function methodOf(text: string): Dispatcher.HttpMethod {
  const method = methods.find((candidate) => candidate === text);
  if (method === undefined) throw new TypeError(`"${text}" is none of ${methods.join(", ")}.`);
  return method;
}

const neverSent =
  /^(ECONNREFUSED|ENOTFOUND|EAI_\w+|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|UND_ERR_CONNECT_TIMEOUT|UND_ERR_INVALID_ARG|ERR_INVALID_URL|ERR_INVALID_ARG_\w+|EPROTO|ERR_TLS_\w+|ERR_SSL_\w+|CERT_\w+|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|HOSTNAME_MISMATCH)$/;

/** What an error says about the effect: no connection, no effect; everything that broke later may have been applied. */
export function failureOfError(error: unknown, status?: number): Failure {
  const code = codeOf(error);
  const errorName = errorField(error, "name");
  const name = typeof errorName === "string" ? errorName : "";
  if (status === undefined && (neverSent.test(code) || name === "TypeError")) {
    return { reason: "not_reachable", message: `The target could not be reached (${code || "invalid request"}).`, applied: "no" };
  }
  if (name === "TimeoutError" || name === "AbortError" || code.endsWith("_TIMEOUT")) {
    return { reason: "timeout", message: "The target did not answer in time.", applied: "unknown" };
  }
  const after = status === undefined ? "" : ` after it answered ${status}`;
  return { reason: "unknown_outcome", message: `The connection broke${after} (${code || name || "unknown"}).`, applied: "unknown" };
}

function codeOf(error: unknown): string {
  let at = error;
  for (let depth = 0; depth < 5 && at !== undefined; depth++) {
    const code = errorField(at, "code");
    if (typeof code === "string") return code;
    const errors = errorField(at, "errors");
    at = Array.isArray(errors) ? errors[0] : errorField(at, "cause");
  }
  return "";
}
