import { z } from "zod";
import { until } from "./until.ts";

/** What Alertmanager sends as Bearer in tests. */
export const webhookToken = "0123456789abcdef";

/** One alert as Alertmanager sends it: on `thing`, firing since now, unless `change` says otherwise. */
export function aFiringAlert(alertname: string, thing: string, change: object = {}): object {
  return {
    status: "firing",
    labels: { alertname, thing },
    annotations: {},
    startsAt: new Date().toISOString(),
    endsAt: "0001-01-01T00:00:00Z",
    generatorURL: "",
    fingerprint: `f${thing}`,
    ...change,
  };
}

/** The body of one webhook message of Alertmanager. */
export function aWebhookBody(alerts: readonly object[]): string {
  const common = { groupLabels: {}, commonLabels: {}, commonAnnotations: {}, externalURL: "", truncatedAlerts: 0 };
  return JSON.stringify({ version: "4", groupKey: "{}", status: "firing", receiver: "r", ...common, alerts });
}

const bodySchema = z.object({
  decisions: z.array(z.object({ decision: z.string(), runId: z.string().optional(), reason: z.string().optional() })).default([]),
});

/** What our webhook answered; without decisions unless it took the alerts. */
export interface WebhookReply {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly decisions: z.output<typeof bodySchema>["decisions"];
}

/** Sends one webhook message to the server at `url`. Rejects when the connection fails or is cut. */
export async function postAlerts(url: string, alerts: readonly object[], signal?: AbortSignal): Promise<WebhookReply> {
  const reply = await fetch(`${url}/webhooks/alertmanager`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${webhookToken}` },
    body: aWebhookBody(alerts),
    ...(signal !== undefined && { signal }),
  });
  const { decisions } = bodySchema.parse(await reply.json());
  return { status: reply.status, retryAfter: reply.headers.get("retry-after"), decisions };
}

/** As Alertmanager does: again and again, to the server that `url` names at that moment, until it is taken. */
export async function postUntilAccepted(url: () => string, alerts: readonly object[]): Promise<WebhookReply> {
  return until("a webhook message was taken", async () => {
    const reply = await postAlerts(url(), alerts).catch(() => undefined);
    return reply?.status === 202 && reply;
  });
}
