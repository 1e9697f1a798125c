import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openRuntime, type Runtime } from "../../src/app/runtime.ts";
import { startServer } from "../../src/app/start-server.ts";
import { createSystemClock } from "../../src/core/clock.ts";
import { createSystemRandom } from "../../src/core/random.ts";
import { loadConfig } from "../../src/platform/config/load-config.ts";
import { startWorker } from "../../workers/start-worker.ts";
import { webhookToken } from "./post-alerts.ts";

/** How the product is started. */
export interface ProductOptions {
  /** Settings beside the usual ones. */
  readonly env: Readonly<Record<string, string>>;
  /** Text of runbookd.yml. */
  readonly yaml?: string;
  /** False: alerts are taken, and nobody works on the runs. */
  readonly worker?: boolean;
  /** What secret files hold, by path; every other file is empty. */
  readonly files?: Readonly<Record<string, string>>;
  /** Default: where `npm run build` puts the console. */
  readonly consoleFolder?: string;
}

/** Server and worker as they ship, in this process. */
export interface RunningProduct extends AsyncDisposable {
  readonly url: string;
  readonly runtime: Runtime;
}

/** A folder with runbooks and data. Disposing removes it. */
export interface ProductFolder extends AsyncDisposable {
  readonly path: string;
}

/** A folder with these runbooks (file name → text), where the product keeps its data too. */
export async function aProductFolder(runbooks: Readonly<Record<string, string>>): Promise<ProductFolder> {
  const path = await mkdtemp(join(tmpdir(), "rb-product-"));
  for (const [name, text] of Object.entries(runbooks)) await writeFile(join(path, name), text);
  return { path, [Symbol.asyncDispose]: async () => rm(path, { recursive: true, force: true }) };
}

/** Starts it over a folder of {@link aProductFolder}, where its data stays when it is disposed. */
export async function startProduct(
  folder: string,
  { env, yaml, files = {}, worker = true, consoleFolder }: ProductOptions,
): Promise<RunningProduct> {
  const usual = {
    RUNBOOKD_PORT: "0",
    RUNBOOKD_RUNBOOKS: folder,
    RUNBOOKD_DATA: folder,
    RUNBOOKD_WEBHOOK_TOKEN: webhookToken,
    RUNBOOKD_LOG_LEVEL: "silent",
  };
  const loaded = loadConfig({ env: { ...usual, ...env }, ...(yaml !== undefined && { yaml }), readFile: (path) => files[path] ?? "" });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  const sources = {
    version: "0.0.0",
    workingDirectory: folder,
    path: "",
    consoleFolder: consoleFolder ?? join(import.meta.dirname, "../../dist/src/console"),
    clock: createSystemClock(),
    random: createSystemRandom(),
    cpuMs: () => 0,
    exitStuck: () => undefined,
    signal: new AbortController().signal,
  };
  const runtime = await openRuntime(loaded.config, sources);
  if (worker) await startWorker(runtime);
  const { server } = await startServer(runtime, sources);
  return {
    url: `http://127.0.0.1:${server.address.port}`,
    runtime,
    async [Symbol.asyncDispose]() {
      runtime.ending.abort();
      await runtime.closers.close();
    },
  };
}

/** A runbook that alert `alertname` starts and that changes nothing: its one step waits ten milliseconds. */
export function aWaitingRunbook(alertname: string): string {
  return `---
triggers: [${alertname}]
target: thing/\${{ alert.labels.thing }}
mode: auto
---
# Runbook: Wait

## Scenario
Something is the matter.

## Procedure

1. **Wait a moment**: Nothing else.
   - Action: \`wait\`
     \`\`\`yaml
     for: 10ms
     \`\`\`
`;
}
