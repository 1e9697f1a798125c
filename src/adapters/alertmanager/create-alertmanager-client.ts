import { z } from "zod";
import type { Alert } from "../../core/alert.ts";
import { createBoundedSender, usualLimits, type RequestLimits } from "../bounded-request.ts";

/** One active alert of Alertmanager, with what it does about it. */
export interface StandingAlert {
  readonly alert: Alert;
  readonly state: "active" | "suppressed" | "unprocessed";
  readonly silencedBy: readonly string[];
  readonly inhibitedBy: readonly string[];
}

/** Every alert that Alertmanager holds, or why it could not be asked. */
export type StandingAlerts =
  | { readonly kind: "alerts"; readonly alerts: readonly StandingAlert[] }
  | { readonly kind: "unavailable"; readonly reason: string };

/** How one alert stands now. `gone`: Alertmanager does not hold it any more. */
export type Standing =
  | { readonly kind: "firing" | "silenced" | "inhibited" | "gone" }
  | { readonly kind: "unavailable"; readonly reason: string };

/** Asks one Alertmanager over its API v2. Reads only. */
export interface AlertmanagerClient {
  alerts(signal: AbortSignal): Promise<StandingAlerts>;
  standing(fingerprint: string, signal: AbortSignal): Promise<Standing>;
  close(): Promise<void>;
}

/** Where Alertmanager is and how it is reached. */
export interface AlertmanagerOptions {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly ca?: string | undefined;
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
    status: z.object({
      state: z.enum(["active", "suppressed", "unprocessed"]),
      silencedBy: z.array(z.string()),
      inhibitedBy: z.array(z.string()),
    }),
  }),
);

/** Every alert of a big installation is larger than a usual answer. */
const alertLimits: RequestLimits = { ...usualLimits, maxBytes: 16 * 1_048_576 };

/** Whatever goes wrong is `unavailable`: cannot see is not the same as gone. */
export function createAlertmanagerClient(options: AlertmanagerOptions): AlertmanagerClient {
  const sender = createBoundedSender(options.limits ?? alertLimits, options.ca);
  const base = options.url.replace(/\/+$/, "");

  async function alerts(signal: AbortSignal): Promise<StandingAlerts> {
    const headers = { ...options.headers, accept: "application/json" };
    const answer = await sender.send({ method: "GET", url: `${base}/api/v2/alerts`, headers, signal });
    if (answer.kind === "failed") return { kind: "unavailable", reason: answer.failure.message };
    if (answer.status !== 200) return { kind: "unavailable", reason: `Alertmanager answered ${answer.status}` };
    if (answer.truncated) return { kind: "unavailable", reason: "the list of alerts is too large" };
    return parseStandingAlerts(answer.body);
  }

  return {
    alerts,
    async standing(fingerprint, signal) {
      const all = await alerts(signal);
      if (all.kind === "unavailable") return all;
      const found = all.alerts.find(({ alert }) => alert.fingerprint === fingerprint);
      if (found === undefined) return { kind: "gone" };
      if (found.silencedBy.length > 0) return { kind: "silenced" };
      return { kind: found.inhibitedBy.length > 0 ? "inhibited" : "firing" };
    },
    close: () => sender.close(),
  };
}

/** Reads the body of `GET /api/v2/alerts`. */
export function parseStandingAlerts(body: string): StandingAlerts {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return { kind: "unavailable", reason: "Alertmanager answered no JSON" };
  }
  const parsed = alertsSchema.safeParse(json);
  if (!parsed.success) return { kind: "unavailable", reason: "Alertmanager answered JSON that is no list of alerts" };
  return {
    kind: "alerts",
    alerts: parsed.data.map(({ status, generatorURL, endsAt: _soon, ...alert }) => ({
      // Its endsAt is when it would be forgotten, not when it ended.
      alert: { ...alert, status: "firing", generatorUrl: generatorURL },
      ...status,
    })),
  };
}
