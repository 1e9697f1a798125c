import type { StandingAlerts } from "../../alerts/standing-alert.ts";
import type { Clock } from "../../core/clock.ts";
import type { AlertStanding, StandingResult } from "../../runs/engine/alert-standing.ts";
import type { AlertmanagerClient } from "./create-alertmanager-client.ts";

/** What one Alertmanager answered about one alert. `settled`: it has been up for so long that what it does not hold does not fire. */
export type StandingView =
  | (Extract<StandingAlerts, { kind: "alerts" }> & { readonly settled: boolean })
  | Extract<StandingAlerts, { kind: "unavailable" }>;

/** Prometheus tells Alertmanager of a firing alert once a minute; it is told of any within this time of its start. */
export const alertmanagerSettlesMs = 5 * 60_000;

/** Binds the question to the configured Alertmanagers; `settlesMs` see `alertmanagerSettlesMs`. */
export function createAlertStanding(
  clients: readonly Pick<AlertmanagerClient, "alerts" | "status">[],
  { clock, settlesMs }: { readonly clock: Clock; readonly settlesMs: number },
): AlertStanding {
  return {
    async ask({ fingerprint, labels }, signal) {
      const views = await Promise.all(
        clients.map(async (client): Promise<StandingView> => {
          const result = await client.alerts(signal, { labels });
          if (result.kind === "unavailable") return result;
          if (result.alerts.some(({ alert }) => alert.fingerprint === fingerprint)) return { ...result, settled: true };
          // What cannot be read may be this alert.
          if (result.unreadable.some((one) => one.fingerprint === fingerprint || one.fingerprint === ""))
            return { ...result, settled: false };
          return { ...result, settled: await isSettled(client, { clock, settlesMs }, signal) };
        }),
      );
      signal.throwIfAborted();
      return judgeStanding(fingerprint, views);
    },
  };
}

/** Whether an Alertmanager has been up for long enough. One that does not say has not. */
async function isSettled(
  client: Pick<AlertmanagerClient, "status">,
  { clock, settlesMs }: { readonly clock: Clock; readonly settlesMs: number },
  signal: AbortSignal,
): Promise<boolean> {
  const status = await client.status(signal);
  return status !== undefined && clock.now() - status.startedAt >= settlesMs;
}

/** One that says "firing" decides; a silence counts when none does. An inhibited alert fires: another alert only speaks for it. */
export function judgeStanding(fingerprint: string, views: readonly StandingView[]): StandingResult {
  const matches = views.flatMap((view) =>
    view.kind === "alerts" ? view.alerts.filter(({ alert }) => alert.fingerprint === fingerprint) : [],
  );
  if (matches.some(({ silencedBy }) => silencedBy.length === 0)) return { kind: "firing", detail: "the alert fires" };
  if (matches.length > 0) {
    const silences = [...new Set(matches.flatMap(({ silencedBy }) => silencedBy))].slice(0, 5);
    return { kind: "silenced", detail: `the alert is silenced (${silences.join(", ")})` };
  }
  const reached = views.filter((view) => view.kind === "alerts");
  if (reached.length === 0) {
    const reasons = views.flatMap((view) => (view.kind === "unavailable" ? [view.reason] : []));
    return { kind: "unknown", detail: `no Alertmanager could be asked: ${[...new Set(reasons)].join("; ").slice(0, 300)}` };
  }
  if (reached.some(({ settled }) => !settled)) {
    return {
      kind: "unknown",
      detail: "an Alertmanager does not hold the alert, but it started only a short while ago, or lists one that cannot be read",
    };
  }
  return { kind: "gone", detail: "no Alertmanager holds the alert any more" };
}
