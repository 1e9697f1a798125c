import { type ExplainedDecision, explainedDecisionSchema, type Labels } from "../../../packages/sdk/src/wire/alerts.ts";
import { pageSchema } from "../../../packages/sdk/src/wire/page.ts";
import { testAlertLabel } from "../../core/alert.ts";
import { parseDuration } from "../../core/duration.ts";
import { oneLine } from "../../core/one-line.ts";
import { type AlertmanagerClient, createAlertmanagerClient } from "../../integrations/alertmanager/create-alertmanager-client.ts";
import { createApiClient, reportFailure } from "../api-client.ts";
import { type ExitCode, exitCodes, writeJson } from "../context.ts";
import { type CommandDefinition, type CommandInvocation, flagOption, listOption, textOption } from "../define-command.ts";
import { readConfigOrExplain } from "../read-config.ts";

/** `runbookd alert …`. */
export function alertCommands(): readonly CommandDefinition[] {
  return [test];
}

/** Long enough for a group_wait, short enough to leave no trace. */
const testLastsMs = 5 * 60_000;
const pollIntervalMs = 500;

const test: CommandDefinition = {
  usage: "test <alertname>",
  summary: "Send a marked test alert through the configured Alertmanager and show where it went; its run only observes",
  examples: [
    "runbookd alert test LLMBudgetBurnFast --label budget=checkout --label runbook=cost-incident-response",
    "ALERTMANAGER_URL=http://127.0.0.1:9093 runbookd alert test Watchdog --wait 2m",
  ],
  remote: true,
  options: [
    { flags: "--label <name=value>", description: "a label; routes and triggers read them; may be given several times", collect: true },
    { flags: "--wait <duration>", description: "how long to wait for the decision", default: "90s" },
  ],
  async run([alertname = ""], invocation) {
    const { context } = invocation;
    const given = readLabels(listOption(invocation, "label"));
    const waitMs = parseDuration(textOption(invocation, "wait") ?? "90s");
    if (typeof given === "string" || waitMs === undefined) {
      context.warn(typeof given === "string" ? given : "--wait: accepted is a duration such as 30s or 2m\n");
      return exitCodes.usage;
    }
    const config = readConfigOrExplain(context);
    if (config === undefined) return exitCodes.refused;
    if (config.alertmanagers.length === 0) {
      context.warn("No Alertmanager is configured: set ALERTMANAGER_URL, e.g. http://127.0.0.1:9093\n");
      return exitCodes.no;
    }
    // A fingerprint of its own, so that no earlier test is joined.
    const labels: Labels = {
      ...given,
      alertname,
      [testAlertLabel]: "true",
      [`${testAlertLabel}_id`]: context.random.bytes(6).toString("hex"),
    };
    const clients = config.alertmanagers.map((endpoint) => ({
      url: endpoint.url,
      client: createAlertmanagerClient({ ...endpoint, clock: context.clock }),
    }));
    try {
      return await sendAndFollow({ labels, senders: clients }, waitMs, invocation);
    } finally {
      await Promise.all(clients.map(async ({ client }) => client.close()));
    }
  },
};

/** `name=value` each; a sentence for the person when one is not. */
function readLabels(texts: readonly string[]): Labels | string {
  const labels: Record<string, string> = {};
  for (const text of texts) {
    const equals = text.indexOf("=");
    const name = text.slice(0, Math.max(0, equals));
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return `--label ${oneLine(text)}: accepted is name=value, e.g. budget=checkout\n`;
    if (name.startsWith(testAlertLabel)) return `--label ${oneLine(name)}: this label marks tests; the command sets it\n`;
    labels[name] = text.slice(equals + 1);
  }
  return labels;
}

interface Sender {
  readonly url: string;
  readonly client: AlertmanagerClient;
}

/** The labels of a test alert and every Alertmanager that gets it. */
interface TestAlert {
  readonly labels: Labels;
  readonly senders: readonly Sender[];
}

async function sendAndFollow(alert: TestAlert, waitMs: number, invocation: CommandInvocation): Promise<ExitCode> {
  const { labels, senders } = alert;
  const { context } = invocation;
  const report = (text: string) => (flagOption(invocation, "json") ? undefined : context.write(text));
  const now = context.clock.now();
  const annotations = { summary: "A test of `runbookd alert test`; nothing is wrong." };
  let sent = 0;
  for (const { url, client } of senders) {
    const result = await client.send({ labels, annotations, startsAt: now, endsAt: now + testLastsMs }, context.signal);
    if (result.kind === "sent") sent += 1;
    else context.warn(`${url}: ${oneLine(result.reason)}\n`);
    if (result.kind === "sent") report(`Sent to ${url}\n`);
  }
  if (sent === 0) return exitCodes.no;
  const trace = await follow(alert, waitMs, invocation);
  for (const { client } of senders) {
    // Nothing is wrong any more; the people who were notified of the test are notified of its end.
    await client.send({ labels, annotations, startsAt: now, endsAt: context.clock.now() }, context.signal);
  }
  if (trace.failure !== undefined) return reportFailure(invocation, trace.failure);
  const { decision, fingerprint, receivers } = trace;
  if (flagOption(invocation, "json")) writeJson(context, { labels, fingerprint, receivers, decision: decision ?? null });
  else report(describe(decision, receivers));
  return decision?.runId === undefined ? exitCodes.no : exitCodes.ok;
}

interface Trace {
  readonly fingerprint?: string;
  readonly receivers: readonly string[];
  readonly decision?: ExplainedDecision;
  readonly failure?: Parameters<typeof reportFailure>[1];
}

/** Asks Alertmanager for the alert's fingerprint and runbookd for what was decided, until there is a decision or the time is over. */
async function follow({ labels, senders }: TestAlert, waitMs: number, invocation: CommandInvocation): Promise<Trace> {
  const { context } = invocation;
  const api = await createApiClient(invocation);
  const deadline = context.clock.monotonic() + waitMs;
  let trace: Trace = { receivers: [] };
  for (;;) {
    for (const { client } of trace.fingerprint === undefined ? senders : []) {
      const result = await client.alerts(context.signal, { labels });
      const [match] = result.kind === "alerts" ? result.alerts : [];
      if (match !== undefined) trace = { fingerprint: match.alert.fingerprint, receivers: match.receivers };
    }
    if (trace.fingerprint !== undefined) {
      const answer = await api.get(
        `/api/decisions?fingerprint=${encodeURIComponent(trace.fingerprint)}`,
        pageSchema(explainedDecisionSchema),
      );
      if (answer.kind !== "ok") return { ...trace, failure: answer };
      // The oldest is the one that says where the alert went; later ones are repeats.
      const decision = answer.body.items.at(-1);
      if (decision !== undefined) return { ...trace, decision };
    }
    if (context.clock.monotonic() >= deadline || context.signal.aborted) return trace;
    await context.clock.sleep(pollIntervalMs, context.signal).catch(() => undefined);
  }
}

function describe(decision: ExplainedDecision | undefined, receivers: readonly string[]): string {
  const routed =
    receivers.length === 0 ? "Alertmanager does not show it." : `Alertmanager routes it to: ${receivers.map(oneLine).join(", ")}.`;
  if (decision === undefined) return `It did not reach runbookd in time. ${routed} \`runbookd doctor\` looks at the route.\n`;
  const { runId, runbook, why, remedy } = decision;
  const because = [why, ...(remedy === undefined ? [] : [remedy])].map(oneLine).join("\n");
  if (runId === undefined) return `${routed} It reached runbookd by ${decision.source}; decision ${decision.decision}.\n${because}\n`;
  return `${routed} It reached runbookd by ${decision.source}; decision ${decision.decision}, run ${runId} of ${oneLine(runbook ?? "")}.\nFollow it: runbookd runs show ${runId}\n`;
}
