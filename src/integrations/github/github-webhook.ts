import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { z } from "zod";
import { deliveryOutcomeSchema } from "../../../packages/sdk/src/wire/security-findings.ts";
import { type Clock, within } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import type { StoreGate } from "../../core/store-gate.ts";
import type { DeliveryLog } from "../../llm/findings/security-finding-store.ts";
import type { ReportFinding } from "../../llm/findings/security-source.ts";
import type { Endpoint, EndpointRequest } from "../../platform/http/endpoint.ts";
import { type HttpResponse, problem, unavailable } from "../../platform/http/route.ts";
import type { BodyVerifier } from "../../platform/http/verified-body.ts";
import { isReadEvent, readGitHubEvent } from "./github-event.ts";

/** Ports of the GitHub webhook. */
export interface GitHubWebhookDeps {
  /** One, or two while rotating; none: nothing is accepted. */
  readonly secrets: readonly string[];
  readonly report: ReportFinding;
  readonly deliveries: DeliveryLog;
  readonly clock: Pick<Clock, "sleep">;
  readonly log: Log;
  /** While it is not fit the answer is 503. */
  readonly storeGate?: Pick<StoreGate, "isFit">;
}

/** GitHub sends no payload that is longer. */
const bodyLimitBytes = 25 * 1024 * 1024;
/** Alerts are far shorter. What is longer is verified, and not kept. */
const keptBytes = 2 * 1024 * 1024;
/** Until a body is read to its end anybody may have sent it. */
const maxInFlight = 8;
/** GitHub gives a delivery up after 10 s. */
const answerWithinMs = 8000;

/**
 * POST /webhooks/github: 202 once what the event says is durable. GitHub sends no delivery a second time unless a person asks for it, so what is lost here is
 * found by the listing. Events that say nothing about security are answered 202 without being read.
 */
export function createGitHubWebhook(deps: GitHubWebhookDeps): Endpoint {
  return {
    method: "post",
    path: "/webhooks/github",
    summary: "An event of GitHub: an alert becomes a security finding; answered 202 once that is durable",
    security: ["githubSignature"],
    body: z.unknown().meta({ type: "object" }),
    answers: { 202: { description: "What became of the event", schema: deliveryOutcomeSchema } },
    problems: [
      "malformed-body",
      "invalid-request",
      "unauthenticated",
      "not-found",
      "body-too-large",
      "unsupported-media-type",
      "defect",
      "unavailable",
    ],
    handle: limited(deps),
  };
}

function limited(deps: GitHubWebhookDeps): Endpoint["handle"] {
  let inFlight = 0;
  return async (request) => {
    if (deps.secrets.length === 0) return problem("not-found", "GITHUB_WEBHOOK_SECRET is not set.");
    const verifier = signatureVerifier(request.headers, deps.secrets);
    // Without a byte of the body.
    if (verifier === undefined) return unsigned(request.headers);
    if (deps.storeGate?.isFit() === false) return unavailable("The store is unfit or has not been judged; nothing is accepted.");
    if (inFlight >= maxInFlight) return unavailable("Too many events of GitHub are being read.");
    inFlight += 1;
    try {
      return await receive(deps, request, verifier);
    } finally {
      inFlight -= 1;
    }
  };
}

async function receive(deps: GitHubWebhookDeps, request: EndpointRequest, verifier: BodyVerifier): Promise<HttpResponse> {
  const event = headerOf(request.headers, "x-github-event");
  const body = await request.readVerified(verifier, { limitBytes: bodyLimitBytes, keptBytes: isReadEvent(event) ? keptBytes : 0 });
  switch (body.kind) {
    case "json":
      return answerInTime(deps, { event, delivery: headerOf(request.headers, "x-github-delivery"), payload: body.value });
    case "long":
      if (!isReadEvent(event)) return accepted("ignored");
      deps.log.warn({ event, keptBytes }, "An event of GitHub is too long to be read; the next listing finds what it says.");
      return problem("body-too-large", `An alert of more than ${keptBytes} bytes is not read; the next listing finds what it says.`);
    case "forged":
      return forged();
    case "problem":
      return { kind: "problem", problem: body.problem };
  }
}

interface Delivery {
  readonly event: string;
  readonly delivery: string;
  readonly payload: unknown;
}

async function answerInTime(deps: GitHubWebhookDeps, delivery: Delivery): Promise<HttpResponse> {
  try {
    return await within(deps.clock, answerWithinMs, answer(deps, delivery));
  } catch (error) {
    if (error instanceof DOMException && error.name === "TimeoutError")
      return unavailable("The store takes too long; the event may be kept.");
    throw error;
  }
}

async function answer({ report, deliveries, log }: GitHubWebhookDeps, { event, delivery, payload }: Delivery): Promise<HttpResponse> {
  const read = readGitHubEvent(event, payload);
  if (read.kind === "other") return accepted("ignored");
  if (read.kind === "invalid") {
    log.warn({ event, detail: read.detail }, "An event of GitHub was refused.");
    return problem("invalid-request", read.detail);
  }
  const id = /^[0-9a-f-]{36}$/i.test(delivery) ? `github ${delivery.toLowerCase()}` : undefined;
  if (id !== undefined && (await deliveries.has(id))) return accepted("repeated");
  const result = await report(read.finding);
  if (result.kind === "refused") return unavailable(result.reason);
  // Behind the report: a delivery that was cut off in between is worked on again, and changes nothing.
  if (id !== undefined) await deliveries.record(id);
  return accepted(result.kind, result.finding.id);
}

function accepted(outcome: z.input<typeof deliveryOutcomeSchema>["outcome"], finding?: string): HttpResponse {
  return { kind: "json", status: 202, body: { outcome, ...(finding !== undefined && { finding }) } };
}

function unsigned(headers: IncomingHttpHeaders): HttpResponse {
  return headerOf(headers, "x-hub-signature") === ""
    ? problem(
        "unauthenticated",
        "X-Hub-Signature-256 is missing or is not sha256= with 64 hexadecimal digits; give the webhook a secret at GitHub.",
      )
    : problem("unauthenticated", "X-Hub-Signature with SHA-1 is not accepted; send X-Hub-Signature-256.");
}

function forged(): HttpResponse {
  return problem(
    "unauthenticated",
    "X-Hub-Signature-256 does not fit the body; the secret at GitHub must be one of GITHUB_WEBHOOK_SECRET.",
  );
}

function headerOf(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name];
  return typeof value === "string" ? value.slice(0, 200) : "";
}

/**
 * `sha256=<hex HMAC-SHA256 of the body>`, compared with every secret in constant time and to the end; undefined when no body can make this header authentic.
 * https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
 */
function signatureVerifier(headers: IncomingHttpHeaders, secrets: readonly string[]): BodyVerifier | undefined {
  const digits = /^sha256=([0-9a-f]{64})$/.exec(headerOf(headers, "x-hub-signature-256"))?.[1];
  if (digits === undefined) return undefined;
  const given = Buffer.from(digits, "hex");
  const hmacs = secrets.map((secret) => createHmac("sha256", secret));
  return {
    update(chunk) {
      for (const hmac of hmacs) hmac.update(chunk);
    },
    isAuthentic: () => hmacs.map((hmac) => timingSafeEqual(hmac.digest(), given)).includes(true),
  };
}
