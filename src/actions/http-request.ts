import { z } from "zod";
import { canonicalJson, type Json } from "../../packages/sdk/src/wire/json.ts";
import type { ActionOutput, Effect } from "../../packages/sdk/src/wire/plans.ts";
import { canonicalTarget, urlPathFault } from "../core/canonical-target.ts";
import { StepFailure } from "../core/failure.ts";
import { sha256 } from "../core/json.ts";
import { shortLine } from "../core/one-line.ts";
import { runHeader } from "../core/run.ts";
import { defineAction } from "./define-action.ts";
import { failureOfStatus } from "./failure-of-status.ts";
import type { HttpPort } from "./http-port.ts";

const maxBodyLength = 8_000;
const maxHeaders = 20;
const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] as const;
const reads = new Set(["GET", "HEAD"]);

/** One HTTP request to an origin that the configuration lists. */
export const httpRequest = defineAction({
  name: "http-request",
  summary: "Sends one HTTP request to a listed origin; redirects are not followed.",
  parameters: z.strictObject({
    url: z.string().min(1).max(2000).meta({
      format: "url",
      description: "Absolute http or https URL of a listed origin; a template's value is encoded for the place where it stands.",
    }),
    method: z.enum(methods).default("GET"),
    headers: z.record(z.string().regex(/^[A-Za-z0-9-]{1,60}$/, { message: "is no header name" }), z.string().max(4000)).default({}),
    json: z.json().optional().meta({ description: "Sent as application/json." }),
    body: z.string().max(100_000).optional().meta({ description: "Sent as it stands; not beside json." }),
    expect_status: z
      .union([z.number().int().min(100).max(599), z.array(z.number().int().min(100).max(599)).min(1).max(10)])
      .optional()
      .meta({ description: "One status or several; without it any 2xx." }),
    idempotency_key: z.boolean().default(false).meta({ description: "The target honours Idempotency-Key, so a repeat is safe." }),
  }),
  result: {
    status: "HTTP status",
    headers: `first ${maxHeaders} headers, lower case, without cookies`,
    json: "the body, when it is JSON",
    body: "the body, when it is not",
    truncated: "whether the body was longer than what is kept",
  },
  effect: effectOf,
  risk: "raises",
  targetsOf: (parameters) => (effectOf(parameters) === "read" ? [] : [writtenTarget(parameters["url"])].filter((one) => one !== "")),
  timeoutMs: 30_000,
  probes: false,
  undoes: false,
  behave(parameters, { http }: { readonly http: HttpPort }) {
    const { url, method } = parameters;
    const read = reads.has(method);
    const wanted = parameters.expect_status === undefined ? undefined : [parameters.expect_status].flat();
    const payload = parameters.json === undefined ? parameters.body : canonicalJson(parameters.json as Json);

    return {
      risk: read ? "none" : "raises",
      async plan() {
        const refusal =
          parameters.json !== undefined && parameters.body !== undefined
            ? "json and body exclude each other"
            : (http.refusal(url) ?? urlPathFault(url));
        if (refusal !== undefined)
          throw new StepFailure({ reason: "invalid_parameters", message: `${shortLine(url, 200)}: ${refusal}`, applied: "no" });
        // Without the query, which may hold a secret.
        const target = canonicalTarget(url);
        return {
          summary: `${method} ${target}`,
          targets: [target],
          changes: [],
          reversible: read,
          // Only hashes: what is sent may hold secrets, and a plan is stored and shown.
          data: { method, url: sha256(url), headers: sha256(canonicalJson(parameters.headers)), payload: sha256(payload ?? "") },
        };
      },
      async run(_plan, { signal, idempotencyKey, runId }) {
        const answer = await http.request({
          method,
          url,
          signal,
          headers: {
            ...(parameters.json !== undefined && { "content-type": "application/json" }),
            ...parameters.headers,
            ...(parameters.idempotency_key && { "idempotency-key": idempotencyKey }),
            [runHeader]: runId,
          },
          ...(payload !== undefined && { body: payload }),
        });
        if (answer.kind === "failed") throw new StepFailure(answer.failure);
        if (wanted === undefined ? answer.status < 200 || answer.status > 299 : !wanted.includes(answer.status)) {
          throw new StepFailure(
            failureOfStatus(answer.status, {
              read,
              expected: wanted?.join(", ") ?? "2xx",
              ...(answer.retryAfterMs !== undefined && { retryAfterMs: answer.retryAfterMs }),
            }),
          );
        }
        return { kind: "done", output: { status: answer.status, headers: headersOutput(answer.headers), ...bodyOutput(answer) } };
      },
    };
  },
});

function effectOf(parameters: { readonly [key: string]: unknown }): Effect {
  const method = parameters["method"] ?? "GET";
  if (typeof method === "string" && reads.has(method)) return "read";
  return parameters["idempotency_key"] === true ? "keyed" : "once";
}

/** A template stays as it is written: equal text is an equal target. */
function writtenTarget(url: unknown): string {
  if (typeof url !== "string") return "";
  return url.includes("${{") ? (/^[^?#]*/u.exec(url)?.[0] ?? "") : canonicalTarget(url);
}

function headersOutput(headers: Readonly<Record<string, string>>): ActionOutput {
  const safeHeaders = Object.entries(headers).filter(([name]) => !/^(set-cookie|authorization|proxy-)/i.test(name));
  return Object.fromEntries(safeHeaders.slice(0, maxHeaders).map(([name, value]) => [name.toLowerCase(), shortLine(value, 300)]));
}

function bodyOutput(answer: { readonly headers: Readonly<Record<string, string>>; readonly body: string }): ActionOutput {
  const { body } = answer;
  const type = Object.entries(answer.headers).find(([name]) => name.toLowerCase() === "content-type")?.[1] ?? "";
  if (body.length <= maxBodyLength && /^application\/([a-z.+-]+\+)?json\b/i.test(type)) {
    try {
      return { json: z.json().parse(JSON.parse(body)), truncated: false };
    } catch {
      // It said JSON and is none: it is shown as it came, and an Expected over `json` finds nothing.
    }
  }
  return { body: body.slice(0, maxBodyLength), truncated: body.length > maxBodyLength };
}
