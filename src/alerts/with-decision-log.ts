import type { Alert, Decision } from "../../packages/sdk/src/wire/alerts.ts";
import { maskSecrets } from "../../packages/sdk/src/wire/mask-secrets.ts";
import type { Clock } from "../core/clock.ts";
import { shortLine } from "../core/one-line.ts";
import { shortLabels } from "../core/short-labels.ts";
import type { Ids } from "../core/ulid.ts";
import type { AlertSource } from "./alert-event.ts";
import type { Intake } from "./create-intake.ts";
import type { DecisionLog, NewDecision } from "./decision-log.ts";

/** What recording decisions needs. */
export interface DecisionRecording {
  readonly decisions: Pick<DecisionLog, "record">;
  readonly clock: Pick<Clock, "now">;
  readonly ids: Ids;
  /** Replaces secrets of the configuration in text that others wrote. */
  readonly redact: (text: string) => string;
}

/**
 * The same intake, whose decisions are on record before they are answered. When they cannot be recorded it rejects with `StoreUnavailable`,
 * and the notification that is sent again joins the runs that it has started.
 */
export function withDecisionLog(intake: Intake, { decisions, clock, ids, redact }: DecisionRecording): Intake {
  return {
    async accept(notification, source = "webhook") {
      const answers = await intake.accept(notification, source);
      const due = answers.filter((decision) => isRecorded(decision, source));
      if (due.length > 0) {
        const alerts = new Map(notification.alerts.map(({ alert }) => [alert.fingerprint, alert]));
        const at = clock.now();
        const recorded = due.map((decision) => {
          const alert = decision.decision === "unreadable" ? undefined : alerts.get(decision.fingerprint);
          return newDecision(decision, alert, { id: ids("dec"), at, source, redact });
        });
        await decisions.record(recorded, { countsRepeats: source === "webhook" });
      }
      return answers;
    },
  };
}

/** A poll reads every alert again and again: of that only what it starts, is refused or cannot read says something new. */
const recordedOfPolls: ReadonlySet<Decision["decision"]> = new Set(["enqueued", "refused", "paused", "unreadable"]);

function isRecorded({ decision }: Decision, source: AlertSource): boolean {
  return source === "webhook" || recordedOfPolls.has(decision);
}

const maxReason = 1000;

function newDecision(
  decision: Decision,
  alert: Alert | undefined,
  { id, at, source, redact }: Pick<NewDecision, "id" | "at" | "source"> & Pick<DecisionRecording, "redact">,
): NewDecision {
  const clean = (text: string, max: number) => maskSecrets(redact(shortLine(text, max)));
  const alertName = alert?.labels["alertname"];
  return {
    ...decision,
    ...(decision.reason !== undefined && { reason: clean(decision.reason, maxReason) }),
    id,
    at,
    source,
    ...(alertName !== undefined && alertName !== "" && { alertName: clean(alertName, 256) }),
    ...(alert !== undefined && { labels: shortLabels(alert.labels, clean), startsAt: alert.startsAt }),
  };
}
