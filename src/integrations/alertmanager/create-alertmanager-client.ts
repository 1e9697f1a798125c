import { parseDocument } from "yaml";
import { z } from "zod";
import type { Labels } from "../../../packages/sdk/src/wire/alerts.ts";
import type { AlertmanagerStatus, StandingAlerts } from "../../alerts/standing-alert.ts";
import type { Clock, Instant } from "../../core/clock.ts";
import { createBoundedSender, defaultRequestLimits, type RequestLimits } from "../../platform/requests/bounded-request.ts";

/** Asks one Alertmanager over its API v2; sends only test alerts. */
export interface AlertmanagerClient {
  /** Every alert, or with `labels` only those that carry all of them. */
  alerts(signal: AbortSignal, labels?: Labels): Promise<StandingAlerts>;
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
const alertsSchema = z.array(
  z.object({
    fingerprint: z.string().min(1),
    labels: z.record(z.string(), z.string()),
    annotations: z.record(z.string(), z.string()),
    startsAt: instant,
    endsAt: instant,
    generatorURL: z.string().default(""),
    receivers: z.array(z.object({ name: z.string() })).default([]),
    status: z.object({
      state: z.enum(["active", "suppressed", "unprocessed"]),
      silencedBy: z.array(z.string()),
      inhibitedBy: z.array(z.string()),
    }),
  }),
);

const statusSchema = z.object({ uptime: instant, config: z.object({ original: z.string() }).optional() });
const configSchema = z.object({
  receivers: z.array(z.object({ name: z.string(), webhook_configs: z.array(z.object({ url: z.string().optional() })).nullish() })).min(1),
});

/** Every alert of a big installation is larger than a usual answer. */
const alertLimits: RequestLimits = { ...defaultRequestLimits, maxBytes: 16 * 1_048_576 };

/** Whatever goes wrong is `unavailable`: cannot see is not the same as gone. */
export function createAlertmanagerClient(options: AlertmanagerOptions): AlertmanagerClient {
  const sender = createBoundedSender(options.limits ?? alertLimits, options);
  const base = options.url.replace(/\/+$/, "");

  async function read(path: string, signal: AbortSignal) {
    const headers = { ...options.headers, accept: "application/json" };
    const answer = await sender.send({ method: "GET", url: `${base}${path}`, headers, signal });
    if (answer.kind === "failed") return { kind: "unavailable", reason: answer.failure.message } as const;
    if (answer.status !== 200) return { kind: "unavailable", reason: `Alertmanager answered ${answer.status}` } as const;
    if (answer.truncated) return { kind: "unavailable", reason: "the list of alerts is too large" } as const;
    return { kind: "body", body: answer.body } as const;
  }

  return {
    async alerts(signal, labels = {}) {
      const answer = await read(`/api/v2/alerts${filterOf(labels)}`, signal);
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

function filterOf(labels: Labels): string {
  let query = "";
  for (const [name, value] of Object.entries(labels)) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) continue;
    const filter = `filter=${encodeURIComponent(`${name}=${JSON.stringify(value)}`)}`;
    if (query.length + filter.length < filterCharacters) query += `${query === "" ? "?" : "&"}${filter}`;
  }
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
  // From 0.26 on addresses are shown as <secret>.
  const callsUs = (url: string) => url === "<secret>" || url.replace(/\/$/, "").endsWith("/webhooks/alertmanager");
  return parsed.data.receivers
    .filter(({ webhook_configs: hooks }) => hooks?.some(({ url }) => callsUs(url ?? "<secret>")))
    .map(({ name }) => name);
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}

/** Reads the body of `GET /api/v2/alerts`. */
export function parseStandingAlerts(body: string): StandingAlerts {
  const json = parseJson(body);
  if (json === undefined) return { kind: "unavailable", reason: "Alertmanager answered no JSON" };
  const parsed = alertsSchema.safeParse(json);
  if (!parsed.success) return { kind: "unavailable", reason: "Alertmanager answered JSON that is no list of alerts" };
  return {
    kind: "alerts",
    alerts: parsed.data.map(({ status, generatorURL, receivers, endsAt: _soon, ...alert }) => ({
      // Its endsAt is when it would be forgotten, not when it ended.
      alert: { ...alert, status: "firing", generatorUrl: generatorURL },
      ...status,
      receivers: receivers.map(({ name }) => name),
    })),
  };
}
