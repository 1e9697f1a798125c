import type { Decision } from "../../packages/sdk/src/wire/alerts.ts";
import type { Intake } from "../../src/alerts/create-intake.ts";
import { parseNotification } from "../../src/alerts/notification.ts";
import { pickOf } from "./operations.ts";
import type { TimedProcess, WorldTime } from "./process-clock.ts";
import type { Schedule } from "./schedule.ts";
import type { SimulatedAlert } from "./simulated-alerts.ts";

/** A decision as a server has answered it. */
export interface AnsweredDecision {
  readonly decision: Decision;
  /** Place of the alert in the list of all. */
  readonly alert: number;
  /** The firing that was notified, by the start that the sender knows. */
  readonly from: number;
  readonly isFiring: boolean;
}

/** Two Alertmanagers, and what they were answered. */
export interface Alertmanagers {
  readonly decisions: readonly AnsweredDecision[];
  /** Every end has been notified and answered. */
  isQuiet(): boolean;
}

/** What they reach of the world. */
export interface NotifiedWorld {
  readonly alerts: readonly SimulatedAlert[];
  readonly time: WorldTime;
  readonly note: (line: string) => void;
  readonly servers: () => readonly (TimedProcess & { readonly intake: Intake })[];
}

const groupIntervalMs = 10_000;
const repeatIntervalMs = 120_000;
/** After this long a sender takes a request as failed, and sends the same again. */
const answerWithinMs = 10_000;
const retryMs = 5000;

interface Told {
  /** The start of the firing that was told last, and whether its end was. */
  from: number;
  isEnded: boolean;
  at: number;
}

/**
 * Two Alertmanagers that do not know of each other, as when their gossip is cut: each sends every group, repeats what still fires, and sends again what is
 * not answered. They may give one alert two fingerprints, see its start seconds apart, list it in another order, and their requests overtake each other.
 */
export function startAlertmanager(schedule: Schedule, { alerts, time, note, servers }: NotifiedWorld): Alertmanagers {
  const begun = time.now();
  const decisions: AnsweredDecision[] = [];
  const hasOneFingerprint = schedule.pick(2) === 0;
  const delays = pickOf(schedule, [[0], [0, 0, 3000], [0, 20_000]]);
  const told = new Map<string, Told>();
  let onTheWay = 0;

  const send = (sender: number, body: Readonly<Record<string, unknown>>, about: readonly Omit<AnsweredDecision, "decision">[]): void => {
    const alive = servers().filter(({ dead }) => !dead);
    const server = alive[schedule.pick(2) % Math.max(1, alive.length)];
    let isAnswered = false;
    const again = (): void => {
      if (isAnswered) return;
      isAnswered = true;
      time.plan(retryMs, () => send(sender, body, about));
    };
    if (server === undefined) {
      again();
      return;
    }
    time.plan(answerWithinMs, again);
    const parsed = parseNotification(body, time.now());
    if (!parsed.ok) throw new Error(parsed.issues.join("; "));
    server.intake.accept(parsed.notification).then((answers) => {
      for (const one of about) {
        const decision = answers.find(({ fingerprint }) => fingerprint === fingerprintOf(sender, one.alert));
        if (decision !== undefined) decisions.push({ ...one, decision });
      }
      note(`sender ${sender} is answered ${answers.map(({ fingerprint, decision }) => `${fingerprint} ${decision}`).join()}`);
      if (isAnswered) return;
      isAnswered = true;
      onTheWay -= 1;
    }, again);
  };

  const fingerprintOf = (sender: number, alert: number): string => (hasOneFingerprint ? `f${alert}` : `f${alert}-${sender}`);

  const flush = (sender: number): void => {
    const now = time.elapsed();
    const about: Omit<AnsweredDecision, "decision">[] = [];
    const list = alerts.flatMap(({ name, thing, firings }, alert) => {
      // The two replicas of Prometheus evaluate some seconds apart.
      const lateMs = sender * 4000;
      const firing = firings.findLast(({ from }) => from + lateMs <= now);
      if (firing === undefined) return [];
      const key = `${sender} ${alert}`;
      const before = told.get(key);
      const isEnded = firing.to + lateMs <= now;
      const isNew = before?.from !== firing.from;
      if (isNew && isEnded) return [];
      const isChange = isNew || before.isEnded !== isEnded;
      if (!isChange && (isEnded || now - before.at < repeatIntervalMs)) return [];
      told.set(key, { from: firing.from, isEnded, at: now });
      about.push({ alert, from: firing.from, isFiring: !isEnded });
      const iso = (at: number): string => new Date(begun + at).toISOString();
      return [
        {
          status: isEnded ? "resolved" : "firing",
          labels: { alertname: name, thing, ...(!hasOneFingerprint && { replica: String(sender) }) },
          annotations: {},
          startsAt: iso(firing.from + lateMs),
          ...(isEnded && { endsAt: iso(firing.to + lateMs) }),
          generatorURL: "",
          fingerprint: fingerprintOf(sender, alert),
        },
      ];
    });
    if (list.length > 0) {
      const body = {
        version: "4",
        receiver: "runbookd",
        groupKey: "all",
        truncatedAlerts: 0,
        alerts: sender === 0 ? list : list.toReversed(),
      };
      onTheWay += 1;
      time.plan(pickOf(schedule, [delays[0] ?? 0, ...delays.slice(1)]), () => send(sender, body, about));
    }
    time.plan(groupIntervalMs, () => flush(sender));
  };
  time.plan(0, () => flush(0));
  time.plan(2000, () => flush(1));

  return {
    decisions,
    isQuiet: () => onTheWay === 0 && [...told.values()].every(({ isEnded }) => isEnded),
  };
}
