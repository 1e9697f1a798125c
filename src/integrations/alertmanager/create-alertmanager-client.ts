import { parseDocument } from "yaml";
import { z } from "zod";
import type { Labels } from "../../../packages/sdk/src/wire/alerts.ts";
import type { Matcher } from "../../../packages/sdk/src/wire/runbooks.ts";
import { type UnreadableAlert, unreadableAlert } from "../../alerts/notification.ts";
import type { AlertmanagerStatus, AlertQuestion, StandingAlert, StandingAlerts } from "../../alerts/standing-alert.ts";
import type { Clock, Instant } from "../../core/clock.ts";
import { webhookAddress } from "../../core/webhook-address.ts";
import { createBoundedSender, defaultRequestLimits, type RequestLimits } from "../../platform/requests/bounded-request.ts";
import { readJsonList } from "./read-json-list.ts";

/** Asks one Alertmanager over its API v2; sends only test alerts. */
export interface AlertmanagerClient {
  /** Every alert, or those that are asked for. */
  alerts(signal: AbortSignal, question?: AlertQuestion): Promise<StandingAlerts>;
  /** Undefined when it does not say. */
  status(signal: AbortSignal): Promise<AlertmanagerStatus | undefined>;
  /** Hands an alert in, as Prometheus would. */
  send(
    alert: SentAlert,
    signal: AbortSignal,
  ): Promise<{ readonly kind: "sent" } | { readonly kind: "unavailable"; readonly reason: string }>;
  close(): Promise<void>;
}

/** What is handed in; `endsAt` is when Alertmanager forgets it unless it is sent again. */
export interface SentAlert {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly startsAt: Instant;
  readonly endsAt: Instant;
}

/** Where Alertmanager is and how it is reached. */
export interface AlertmanagerOptions {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly ca?: string | undefined;
  readonly clock: Clock;
  readonly limits?: RequestLimits;
}

const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
/** What decides nothing must not cost an alert; its endsAt is when it would be forgotten, not when it ended. */
const alertSchema = z.object({
  fingerprint: z.string().min(1),
  labels: z.record(z.string(), z.string()),
  annotations: z.record(z.string(), z.string()).nullish(),
  startsAt: instant,
  generatorURL: z.string().catch(""),
  receivers: z.array(z.object({ name: z.string() })).default([]),
  status: z.object({
    state: z.enum(["active", "suppressed", "unprocessed"]),
    silencedBy: z.array(z.string()).nullish(),
    inhibitedBy: z.array(z.string()).nullish(),
  }),
});

const statusSchema = z.object({ uptime: instant, config: z.object({ original: z.string() }).optional() });
const configSchema = z.object({ receivers: z.array(z.unknown()).min(1) });
const receiverSchema = z.object({ name: z.string(), webhook_configs: z.array(z.unknown()).nullish() });
const hookSchema = z.object({ url: z.string() });

/** Every alert of a big installation is larger than a usual answer: this is about 90,000. */
const alertLimits: RequestLimits = { ...defaultRequestLimits, maxBytes: 64 * 1_048_576 };

/** Whatever goes wrong is `unavailable`: cannot see is not the same as gone. */
export function createAlertmanagerClient(options: AlertmanagerOptions): AlertmanagerClient {
  const sender = createBoundedSender(options.limits ?? alertLimits, options);
  const base = options.url.replace(/\/+$/, "");

  async function read(path: string, signal: AbortSignal) {
    const headers = { ...options.headers, accept: "application/json" };
    const answer = await sender.send({ method: "GET", url: `${base}${path}`, headers, signal });
    if (answer.kind === "failed") return { kind: "unavailable", reason: answer.failure.message } as const;
    if (answer.status !== 200) return { kind: "unavailable", reason: `Alertmanager answered ${answer.status}` } as const;
    if (answer.truncated) return { kind: "unavailable", reason: "the list of alerts is too large", tooLarge: true } as const;
    return { kind: "body", body: answer.body } as const;
  }

  return {
    async alerts(signal, question = {}) {
      const answer = await read(`/api/v2/alerts${queryOf(question)}`, signal);
      return answer.kind === "unavailable" ? answer : parseStandingAlerts(answer.body);
    },
    async status(signal) {
      const answer = await read("/api/v2/status", signal);
      return answer.kind === "unavailable" ? undefined : parseStatus(answer.body);
    },
    async send(alert, signal) {
      const body = JSON.stringify([
        { ...alert, startsAt: new Date(alert.startsAt).toISOString(), endsAt: new Date(alert.endsAt).toISOString() },
      ]);
      const headers = { ...options.headers, "content-type": "application/json" };
      const answer = await sender.send({ method: "POST", url: `${base}/api/v2/alerts`, headers, body, signal });
      if (answer.kind === "failed") return { kind: "unavailable", reason: answer.failure.message };
      if (answer.status !== 200) return { kind: "unavailable", reason: `Alertmanager answered ${answer.status}` };
      return { kind: "sent" };
    },
    close: () => sender.close(),
  };
}

/** Longer queries are not understood everywhere; fewer matchers only mean a longer answer. */
const filterCharacters = 2000;

function queryOf({ labels = {}, receivers = [], matchers = [] }: AlertQuestion): string {
  const wanted: readonly Matcher[] = [...Object.entries(labels).map(([label, value]) => ({ label, op: "=" as const, value })), ...matchers];
  const parts = wanted
    .filter(({ label }) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(label))
    .map(({ label, op, value }) => `filter=${encodeURIComponent(`${label}${op}${JSON.stringify(value)}`)}`);
  // One expression for all of them: a part of it would leave receivers out.
  const names = receivers.map((name) => name.replaceAll(/[\\^$.|?*+()[\]{}]/gu, "\\$&")).join("|");
  const receiver = `receiver=${encodeURIComponent(names)}`;
  if (receivers.length > 0 && receiver.length < filterCharacters) parts.unshift(receiver);
  let query = "";
  for (const part of parts) if (query.length + part.length < filterCharacters) query += `${query === "" ? "?" : "&"}${part}`;
  return query;
}

/** Reads the body of `GET /api/v2/status`. */
export function parseStatus(body: string): AlertmanagerStatus | undefined {
  const parsed = statusSchema.safeParse(parseJson(body));
  if (!parsed.success) return undefined;
  const { uptime, config } = parsed.data;
  return { startedAt: uptime, receivers: receiversOf(config?.original ?? "") };
}

function receiversOf(yaml: string): readonly string[] | undefined {
  const parsed = configSchema.safeParse(parseDocument(yaml, { logLevel: "silent" }).toJS({ maxAliasCount: 20 }));
  if (!parsed.success) return undefined;
  return (
    parsed.data.receivers
      .flatMap((receiver) => receiverSchema.safeParse(receiver).data ?? [])
      // A hook whose address cannot be read may be ours: to ask for a receiver too many costs nothing, one too few costs its alerts.
      .filter(({ webhook_configs: hooks }) =>
        hooks?.some((hook) => webhookAddress(hookSchema.safeParse(hook).data?.url ?? "<secret>") !== "other"),
      )
      .map(({ name }) => name)
  );
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}

/** Reads the body of `GET /api/v2/alerts`, alert by alert. */
export async function parseStandingAlerts(body: string): Promise<StandingAlerts> {
  const alerts: StandingAlert[] = [];
  const unreadable: UnreadableAlert[] = [];
  const isList = await readJsonList(body, (item) => {
    const parsed = alertSchema.safeParse(item);
    if (parsed.success) alerts.push(standingOf(parsed.data));
    else unreadable.push(unreadableAlert(item, parsed.error));
  });
  return isList ? { kind: "alerts", alerts, unreadable } : { kind: "unavailable", reason: "Alertmanager answered no JSON list of alerts" };
}

function standingOf({ status, generatorURL, receivers, annotations, ...alert }: z.output<typeof alertSchema>): StandingAlert {
  return {
    alert: { ...alert, annotations: annotations ?? {}, status: "firing", generatorUrl: generatorURL },
    state: status.state,
    silencedBy: status.silencedBy ?? [],
    inhibitedBy: status.inhibitedBy ?? [],
    receivers: receivers.map(({ name }) => name),
  };
}
