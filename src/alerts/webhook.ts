import { decisionsSchema } from "../../packages/sdk/src/wire/alerts.ts";
import type { Shape } from "../../packages/sdk/src/wire/shape.ts";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../core/log.ts";
import { runHeader } from "../core/run.ts";
import type { StoreGate } from "../core/store-gate.ts";
import type { Endpoint, EndpointRequest } from "../platform/http/endpoint.ts";
import { aProblem } from "../platform/http/problem.ts";
import { type HttpResponse, unavailable } from "../platform/http/route.ts";
import { createWebhookAuth } from "../platform/http/webhook-auth.ts";
import type { Intake } from "./create-intake.ts";
import { notificationSchema, parseNotification } from "./notification.ts";
import type { RejectedSamples } from "./rejected-samples.ts";

/** Largest notification: about 25,000 alerts. A limit of less would refuse exactly the storm. */
export const webhookBodyLimitBytes = 16 * 1024 * 1024;

/** What the webhook is made of. */
export interface WebhookDeps {
  readonly intake: Intake;
  /** One or two; none only on loopback. */
  readonly tokens: readonly string[];
  readonly samples: RejectedSamples;
  /** Called when a sender has left alerts out. */
  readonly onTruncated?: () => void;
  /** Called after each answer with its status and how long it took. Never throws. */
  readonly answered?: (status: number, seconds: number) => void;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborted when the process is shutting down: then the answer is 503. */
  readonly closing: AbortSignal;
  /** While it is not fit the answer is 503. */
  readonly storeGate?: Pick<StoreGate, "isFit">;
}

/** Above this many at once a webhook is answered 503. */
const defaultMaxInFlight = 200;

/**
 * POST /webhooks/alertmanager. Authenticates before a byte of the body is read; 202 only after every decision is durable. Only 202, 400, 401,
 * 413, 500 and 503 are answered: Alertmanager retries 5xx at once and nothing else, so that overload must never look like a fault of the sender.
 */
export function createWebhook(deps: WebhookDeps, { maxInFlight = defaultMaxInFlight }: { readonly maxInFlight?: number } = {}): Endpoint {
  return {
    method: "post",
    path: "/webhooks/alertmanager",
    summary: "A notification of Alertmanager or Grafana Alerting; answered 202 once every decision is durable",
    security: ["webhookBearer", "webhookBasic"],
    body: notificationSchema,
    answers: {
      202: { description: "`decisions`: exactly one per alert; `unreadable` names one that cannot be used", schema: decisionsSchema },
    },
    problems: ["malformed-body", "invalid-request", "unauthenticated", "body-too-large", "defect", "unavailable"],
    handle: limited(deps, maxInFlight),
    ...(deps.answered !== undefined && { answered: deps.answered }),
  };
}

function limited(deps: WebhookDeps, maxInFlight: number): Endpoint["handle"] {
  const isAuthentic = createWebhookAuth(deps.tokens);
  let inFlight = 0;
  return async (request) => {
    if (!isAuthentic(request.headers.authorization)) {
      const headers = { "WWW-Authenticate": 'Bearer realm="runbookd", Basic realm="runbookd"' };
      return {
        kind: "problem",
        problem: aProblem("unauthenticated", "Send the webhook token as Bearer, or as the password of Basic."),
        headers,
      };
    }
    if (deps.closing.aborted) return unavailable("This process is shutting down.");
    if (deps.storeGate?.isFit() === false) return unavailable("The store is unfit or has not been judged; nothing is accepted.");
    if (inFlight >= maxInFlight) return unavailable("Too many webhooks are being worked on.");
    inFlight += 1;
    try {
      return await receive(deps, request);
    } finally {
      inFlight -= 1;
    }
  };
}

async function receive(deps: WebhookDeps, request: EndpointRequest): Promise<HttpResponse> {
  // Amazon SNS calls whatever it sends text/plain. A browser may send that from any page, which only a token tells apart.
  const contentTypes = ["application/json", ...(deps.tokens.length > 0 ? ["text/plain"] : [])];
  const body = await request.readJson(webhookBodyLimitBytes, { contentTypes });
  if (!body.ok) {
    if (body.problem.status === 503) return unavailable(body.problem.detail);
    const problem = body.problem.status === 415 ? aProblem("malformed-body", describeType(body.problem.detail, request)) : body.problem;
    return reject(deps, problem, body.text ?? "");
  }
  if (request.headers[runHeader] !== undefined)
    return reject(deps, aProblem("invalid-request", "A run may not start a run: this notification says that a run sent it."), body.text);
  const parsed = parseNotification(body.value, deps.clock.now());
  if (!parsed.ok) {
    return reject(deps, aProblem("invalid-request", refusalOf(body.value), parsed.issues), body.text);
  }
  const { notification } = parsed;
  const decisions = await deps.intake.accept(notification);
  if (notification.truncatedAlerts > 0) {
    deps.log.warn({ truncated: notification.truncatedAlerts }, "The sender left alerts out (max_alerts); they are asked for.");
    deps.onTruncated?.();
  }
  return accepted(decisions);
}

/** Why a body of this content type is not read, and what a user of Amazon SNS does about it. */
function describeType(fault: string, { headers }: EndpointRequest): string {
  if (headers["content-type"]?.startsWith("text/plain") !== true) return fault;
  return `${fault} Amazon SNS sends text/plain: it is read once RUNBOOKD_WEBHOOK_TOKEN is set, and with raw message delivery turned on for the subscription.`;
}

/** What somebody who set a sender up has to know: what is accepted, and what to do about a sender that is known to differ. */
function refusalOf(body: unknown): string {
  if (Array.isArray(body))
    return "This is the list that Prometheus and vmalert send to an Alertmanager. Put an Alertmanager between, with a webhook receiver that calls this address.";
  if (typeof body === "object" && body !== null && "Type" in body && "TopicArn" in body)
    return body.Type === "SubscriptionConfirmation"
      ? "This is Amazon SNS asking to confirm a subscription: open the SubscribeURL of this message, and turn raw message delivery on for the subscription."
      : "This is a message of Amazon SNS around a notification: turn raw message delivery on for the subscription.";
  return 'Expected what Alertmanager\'s webhook sends (version "4"), or Grafana Alerting\'s (version "1" with orgId). Other senders are not read.';
}

/** What a webhook answers once every decision is durable. */
export function accepted(decisions: Shape<typeof decisionsSchema>["decisions"]): HttpResponse {
  return { kind: "json", status: 202, body: { decisions } };
}

function reject(deps: WebhookDeps, problem: ReturnType<typeof aProblem>, text: string): HttpResponse {
  const { status, detail, issues = [] } = problem;
  deps.samples.add({ at: deps.clock.now(), status, detail, issues, body: text });
  deps.log.warn({ status, detail, issues: issues.length }, "A notification was refused.");
  return { kind: "problem", problem };
}
