import { type IncomingHttpHeaders } from "node:http";
import { z } from "zod";
import { serveLoopback } from "../../demo/simulators/serve-loopback.ts";

/** One request that a receiver took. */
export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** A receiver of notifications on this machine. */
export interface NotificationReceiver extends AsyncDisposable {
  readonly url: string;
  /** What it took, in the order of arrival. */
  readonly received: readonly Received[];
  /** From now on answers every request so; `undefined` takes them again. */
  answerWith(answer: ReceiverAnswer | undefined): void;
}

/** An answer as it goes over the wire. */
export interface ReceiverAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

type Judge = (path: string, text: string) => ReceiverAnswer & { readonly body: string };

/** Takes any JSON object with 204. */
export async function startWebhookReceiver(): Promise<NotificationReceiver> {
  return startReceiver("/hook", (_path, text) => (parse(text) === undefined ? { status: 400, body: "" } : { status: 204, body: "" }));
}

const slackSchema = z.looseObject({ text: z.string() });

/** Answers as Slack's incoming webhooks do: a word in plain text. https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/ */
export async function startSlackReceiver(): Promise<NotificationReceiver> {
  return startReceiver("/services/T0/B0/secret", (path, text) => {
    if (path !== "/services/T0/B0/secret") return { status: 404, body: "no_service" };
    const message = slackSchema.safeParse(parse(text));
    if (!message.success) return { status: 400, body: "invalid_payload" };
    return message.data.text === "" ? { status: 400, body: "no_text" } : { status: 200, body: "ok" };
  });
}

const eventSchema = z.looseObject({
  routing_key: z.string().length(32),
  event_action: z.enum(["trigger", "acknowledge", "resolve"]),
  dedup_key: z.string().max(255).optional(),
  payload: z.looseObject({
    summary: z.string().min(1).max(1024),
    source: z.string().min(1),
    severity: z.enum(["critical", "error", "warning", "info"]),
    timestamp: z.iso.datetime().optional(),
  }),
});

/** Answers as the Events API v2 does. https://developer.pagerduty.com/docs/send-alert-event */
export async function startPagerDutyReceiver(): Promise<NotificationReceiver & { readonly incidents: ReadonlySet<string> }> {
  const incidents = new Set<string>();
  const receiver = await startReceiver("/v2/enqueue", (path, text) => {
    if (path !== "/v2/enqueue") return { status: 404, body: "" };
    const event = eventSchema.safeParse(parse(text));
    if (!event.success) {
      const errors = event.error.issues.map((issue) => `'${issue.path.join(".")}' ${issue.message}`);
      return { status: 400, body: JSON.stringify({ status: "invalid event", message: "Event object is invalid", errors }) };
    }
    const key = event.data.dedup_key ?? `made-${incidents.size}`;
    incidents.add(key);
    return { status: 202, body: JSON.stringify({ status: "success", message: "Event processed", dedup_key: key }) };
  });
  return { ...receiver, incidents };
}

async function startReceiver(path: string, judge: Judge): Promise<NotificationReceiver> {
  const received: Received[] = [];
  let forced: ReceiverAnswer | undefined;
  const server = await serveLoopback((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString("utf8");
      const answer = forced ?? (request.method === "POST" ? judge(request.url ?? "", text) : { status: 405, body: "" });
      if (answer.status < 300) received.push({ headers: request.headers, body: parse(text) });
      response.writeHead(answer.status, answer.headers).end(answer.body);
    });
  });
  return {
    url: `${server.url}${path}`,
    received,
    answerWith(answer) {
      forced = answer;
    },
    [Symbol.asyncDispose]: async () => server[Symbol.asyncDispose](),
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
