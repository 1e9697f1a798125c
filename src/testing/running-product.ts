import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { openRuntime, type Runtime } from "../cli/runtime.ts";
import { startServer } from "../cli/start-server.ts";
import { startWorker } from "../cli/start-worker.ts";
import { loadConfig } from "../config/load-config.ts";

/** Server and worker as they ship, in this process, with one runbook `on-call` that alert OnCall starts. */
export interface RunningProduct extends AsyncDisposable {
  readonly url: string;
  readonly runtime: Runtime;
  /** One webhook with one firing alert on `thing`. */
  post(thing: string): Promise<{ readonly status: number; readonly decision?: string | undefined; readonly runId?: string | undefined }>;
  /** As Alertmanager does: again and again until it is taken, for at most ten seconds. */
  postUntilAccepted(thing: string): Promise<{ readonly decision?: string | undefined; readonly runId?: string | undefined }>;
}

const token = "0123456789abcdef";

const document = `---
triggers: [OnCall]
target: thing/\${{ alert.labels.thing }}
mode: auto
---
# Runbook: On call

## Scenario
Something is the matter.

## Procedure

1. **Wait a moment**: Nothing else.
   - Action: \`wait\`
     \`\`\`yaml
     for: 10ms
     \`\`\`
`;

const replySchema = z.object({ decisions: z.array(z.object({ decision: z.string(), runId: z.string().optional() })).optional() });

/** Starts it with further settings; nothing is left behind when it is disposed. */
export async function startProduct(env: Readonly<Record<string, string>>): Promise<RunningProduct> {
  const folder = await mkdtemp(join(tmpdir(), "rb-product-"));
  await writeFile(join(folder, "on-call.md"), document);
  const usual = {
    RUNBOOKD_PORT: "0",
    RUNBOOKD_RUNBOOKS: folder,
    RUNBOOKD_DATA: folder,
    RUNBOOKD_WEBHOOK_TOKEN: token,
    RUNBOOKD_LOG_LEVEL: "silent",
  };
  const loaded = loadConfig({ env: { ...usual, ...env }, readFile: () => "" });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  const sources = { version: "0.0.0", workingDirectory: folder, path: "", signal: new AbortController().signal };
  const runtime = await openRuntime(loaded.config, sources);
  await startWorker(runtime);
  const { server } = await startServer(runtime, sources);
  const url = `http://127.0.0.1:${server.address.port}`;

  const post: RunningProduct["post"] = async (thing) => {
    const times = { startsAt: new Date().toISOString(), endsAt: "0001-01-01T00:00:00Z" };
    const alert = {
      status: "firing",
      labels: { alertname: "OnCall", thing },
      annotations: {},
      ...times,
      generatorURL: "",
      fingerprint: `f${thing}`,
    };
    const common = { groupLabels: {}, commonLabels: {}, commonAnnotations: {}, externalURL: "", truncatedAlerts: 0 };
    const reply = await fetch(`${url}/webhooks/alertmanager`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify({ version: "4", groupKey: "{}", status: "firing", receiver: "r", ...common, alerts: [alert] }),
    });
    const decided = replySchema.parse(await reply.json()).decisions?.[0];
    return { status: reply.status, ...decided };
  };
  return {
    url,
    runtime,
    post,
    async postUntilAccepted(thing) {
      for (let tries = 0; tries < 200; tries += 1) {
        const reply = await post(thing);
        if (reply.status === 202) return reply;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      throw new Error(`The alert on ${thing} was never accepted.`);
    },
    async [Symbol.asyncDispose]() {
      runtime.ending.abort();
      await runtime.closers.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
