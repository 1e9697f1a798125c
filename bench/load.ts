import { Agent, request } from "node:http";
import { monotonicMs } from "./observer.ts";

/** One answered POST. Times are monotonic milliseconds. */
export interface Acknowledgement {
  readonly ids: readonly string[];
  readonly sentAt: number;
  readonly acknowledgedAt: number;
  /** Answers 503 before this one: overload, tried again as Alertmanager does. */
  readonly refused: number;
}

/** Where the webhooks go. */
export interface Target {
  readonly port: number;
  readonly token?: string;
}

const startsAt = "2026-01-01T00:00:00.000Z";
const zeroTime = "0001-01-01T00:00:00Z";

/** A webhook body as Alertmanager sends it, with one firing alert per id; the id is fingerprint and label `instance`. */
export function webhookBody(ids: readonly string[]): Buffer {
  const common = { alertname: "BenchFiveSteps", severity: "warning", service: "bench", runbook: "five-steps" };
  return Buffer.from(
    JSON.stringify({
      version: "4",
      groupKey: `{}:{alertname="BenchFiveSteps"}`,
      truncatedAlerts: 0,
      status: "firing",
      receiver: "runbookd",
      groupLabels: { alertname: "BenchFiveSteps" },
      commonLabels: common,
      commonAnnotations: { summary: "A measured alert" },
      externalURL: "http://alertmanager.example:9093",
      alerts: ids.map((id) => ({
        status: "firing",
        labels: { ...common, instance: id },
        annotations: { summary: "A measured alert", description: "Sent by the bench to measure the way from an alert to its last step." },
        startsAt,
        endsAt: zeroTime,
        generatorURL: "http://prometheus.example:9090/graph?g0.expr=vector%281%29",
        fingerprint: id,
      })),
    }),
  );
}

/** Sends all groups of ids over `connections` keep-alive connections, each the next group as soon as its last was answered. */
export async function sendAll(
  target: Target,
  groups: readonly (readonly string[])[],
  connections: number,
): Promise<readonly Acknowledgement[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const pending = groups.map((ids) => ({ ids, body: webhookBody(ids) })).values();
  const answered: Acknowledgement[] = [];
  const lane = async (): Promise<void> => {
    for (const { ids, body } of pending) answered.push(await deliver(target, agent, ids, body));
  };
  await Promise.all(Array.from({ length: connections }, lane));
  agent.destroy();
  return answered;
}

/** Sends the groups at a steady rate, whether or not earlier ones were answered (an open loop, so that a stall is seen by all it delays). */
export async function sendPaced(
  target: Target,
  groups: readonly (readonly string[])[],
  perSecond: number,
): Promise<readonly Acknowledgement[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const began = monotonicMs();
  const answers = groups.map(async (ids, index) => {
    const body = webhookBody(ids);
    const due = began + (index * 1000) / perSecond;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - monotonicMs())));
    return deliver(target, agent, ids, body);
  });
  const answered = await Promise.all(answers);
  agent.destroy();
  return answered;
}

async function deliver(target: Target, agent: Agent, ids: readonly string[], body: Buffer): Promise<Acknowledgement> {
  const sentAt = monotonicMs();
  for (let refused = 0; ; refused += 1) {
    const status = await post(target, agent, body);
    if (status === 202) return { ids, sentAt, acknowledgedAt: monotonicMs(), refused };
    if (status !== 503 || refused > 200) throw new Error(`the webhook was answered ${status}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function post({ port, token }: Target, agent: Agent, body: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        agent,
        host: "127.0.0.1",
        port,
        method: "POST",
        path: "/webhooks/alertmanager",
        headers: {
          "content-type": "application/json",
          "content-length": body.length,
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
      },
      (response) => {
        response.resume();
        response.on("end", () => resolve(response.statusCode ?? 0)).on("error", reject);
      },
    );
    sent.on("error", reject);
    sent.end(body);
  });
}
