import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { z } from "zod";
import { decisionsSchema } from "../../../packages/sdk/src/wire/alerts.ts";
import type { Intake } from "../../alerts/create-intake.ts";
import { accepted } from "../../alerts/webhook.ts";
import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import type { Endpoint, EndpointRequest } from "../../platform/http/endpoint.ts";
import { type HttpResponse, problem, unavailable } from "../../platform/http/route.ts";
import type { BodyVerifier } from "../../platform/http/verified-body.ts";
import { readLangfuseEvent } from "./langfuse-event.ts";

/** Ports of the Langfuse webhook. */
export interface LangfuseWebhookDeps {
  readonly intake: Intake;
  /** `lf-whsec_…`; undefined: nothing is accepted. */
  readonly secret: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

const bodyLimitBytes = 1024 * 1024;
/** An event of a prompt carries the prompt, and nothing of it is needed; what is needed is short. */
const keptBytes = 64 * 1024;
/** Until a body is read to its end anybody may have sent it. */
const maxInFlight = 8;
/** A signature that is older, or newer, may be a recorded one. */
const toleranceSeconds = 300;

/**
 * POST /webhooks/langfuse: 202 once the decision is durable. Langfuse switches a webhook off after five failures in a row, so what needs no decision is
 * answered 202 too; only a wrong signature and a body that is no event are refused.
 */
export function createLangfuseWebhook(deps: LangfuseWebhookDeps): Endpoint {
  return {
    method: "post",
    path: "/webhooks/langfuse",
    summary: "An event of Langfuse: a monitor's alert becomes a decision, a changed prompt is read anew; answered 202 once that is durable",
    security: ["langfuseSignature"],
    body: z.unknown().meta({ type: "object" }),
    answers: { 202: { description: "`decisions`: one for an alert, else none", schema: decisionsSchema } },
    problems: ["malformed-body", "invalid-request", "unauthenticated", "not-found", "body-too-large", "defect", "unavailable"],
    handle: limited(deps),
  };
}

function limited(deps: LangfuseWebhookDeps): Endpoint["handle"] {
  let inFlight = 0;
  return async (request) => {
    if (deps.secret === undefined) return problem("not-found", "LANGFUSE_WEBHOOK_SECRET is not set.");
    const verifier = signatureVerifier(request.headers, { secret: deps.secret, nowSeconds: deps.clock.now() / 1000 });
    // Without a byte of the body.
    if (verifier === undefined) return unsigned();
    if (inFlight >= maxInFlight) return unavailable("Too many events of Langfuse are being read.");
    inFlight += 1;
    try {
      return await receive(deps, request, verifier);
    } finally {
      inFlight -= 1;
    }
  };
}

async function receive(deps: LangfuseWebhookDeps, request: EndpointRequest, verifier: BodyVerifier): Promise<HttpResponse> {
  const body = await request.readVerified(verifier, { limitBytes: bodyLimitBytes, keptBytes });
  switch (body.kind) {
    case "json":
      return answerOf(readLangfuseEvent(body.value, deps.clock.now()), deps);
    case "long":
      deps.log.info({ keptBytes }, "An event of Langfuse is longer than any that needs a decision; it was not read.");
      return accepted([]);
    case "forged":
      return unsigned();
    case "problem":
      return { kind: "problem", problem: body.problem };
  }
}

function unsigned(): HttpResponse {
  return problem("unauthenticated", "The signature in x-langfuse-signature is missing, wrong or older than five minutes.");
}

async function answerOf(event: ReturnType<typeof readLangfuseEvent>, { intake, log }: LangfuseWebhookDeps): Promise<HttpResponse> {
  switch (event.kind) {
    case "alert":
      return accepted(await intake.accept(event.notification));
    case "other":
      return accepted([]);
    case "invalid":
      log.warn({ issues: event.issues.length }, "An event of Langfuse was refused.");
      return problem("invalid-request", "The body is no event of Langfuse.", event.issues);
  }
}

/** `t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">`, compared in constant time; undefined when no body can make this header authentic. */
function signatureVerifier(
  headers: IncomingHttpHeaders,
  { secret, nowSeconds }: { readonly secret: string; readonly nowSeconds: number },
): BodyVerifier | undefined {
  const header = headers["x-langfuse-signature"];
  const [, seconds = "", given = ""] = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/.exec(typeof header === "string" ? header : "") ?? [];
  if (seconds === "" || Math.abs(nowSeconds - Number(seconds)) > toleranceSeconds) return undefined;
  const hmac = createHmac("sha256", secret).update(`${seconds}.`);
  return { update: (chunk) => void hmac.update(chunk), isAuthentic: () => timingSafeEqual(hmac.digest(), Buffer.from(given, "hex")) };
}
