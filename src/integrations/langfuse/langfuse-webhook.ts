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
import { readLangfuseEvent } from "./langfuse-event.ts";

/** What the webhook of Langfuse is made of. */
export interface LangfuseWebhookDeps {
  readonly intake: Intake;
  /** `lf-whsec_…`; undefined: nothing is accepted. */
  readonly secret: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

const bodyLimitBytes = 1024 * 1024;
/** A signature that is older, or newer, may have been recorded by somebody. */
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
    handle: async (request) => receive(deps, request),
  };
}

async function receive(deps: LangfuseWebhookDeps, request: EndpointRequest): Promise<HttpResponse> {
  const { secret, clock } = deps;
  if (secret === undefined) return problem("not-found", "LANGFUSE_WEBHOOK_SECRET is not set.");
  const body = await request.readJson(bodyLimitBytes);
  if (!body.ok && body.problem.status === 503) return unavailable(body.problem.detail);
  if (!isSigned(request.headers, body.text ?? "", { secret, nowSeconds: clock.now() / 1000 }))
    return problem("unauthenticated", "The signature in x-langfuse-signature is missing, wrong or older than five minutes.");
  if (!body.ok) return { kind: "problem", problem: body.problem };
  return answerOf(readLangfuseEvent(body.value, clock.now()), deps);
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

/** `t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">`, compared in constant time. */
function isSigned(
  headers: IncomingHttpHeaders,
  text: string,
  { secret, nowSeconds }: { readonly secret: string; readonly nowSeconds: number },
): boolean {
  const header = headers["x-langfuse-signature"];
  const [, seconds = "", given = ""] = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/.exec(typeof header === "string" ? header : "") ?? [];
  if (seconds === "" || Math.abs(nowSeconds - Number(seconds)) > toleranceSeconds) return false;
  const expected = createHmac("sha256", secret).update(`${seconds}.${text}`).digest();
  return timingSafeEqual(expected, Buffer.from(given, "hex"));
}
