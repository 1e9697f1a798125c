import { queueNameSchema } from "../../../packages/sdk/src/wire/names.ts";
import { startTicketWork } from "../../../workers/start-ticket-work.ts";
import { startWorker, type WorkerProcess } from "../../../workers/start-worker.ts";
import { openRuntime, type Runtime, type RuntimeSources } from "../../app/runtime.ts";
import { defaultMetricsPorts, startMetrics } from "../../app/start-metrics.ts";
import { startServer } from "../../app/start-server.ts";
import type { Finding } from "../../core/diagnosis.ts";
import { oneUsd } from "../../core/money.ts";
import type { WakeQueue } from "../../core/wake-queue.ts";
import { ProviderSdkMissing } from "../../llm/batches/provider/load-provider-sdk.ts";
import { FolderInUse } from "../../platform/redis/embedded-server.ts";
import { type CommandContext, type ExitCode, exitCodes, writeJson } from "../context.ts";
import { type CommandBody, type CommandInvocation, flagOption, textOption } from "../define-command.ts";
import { readVersion } from "../process-context.ts";
import { readConfigOrExplain } from "../read-config.ts";

/** What makes the store unfit, told with what to change. A Redis that does not answer is no fault: the server says 503 until it does. */
function unsafeStore({ store }: Runtime): readonly Finding[] {
  const judgement = store.judgement();
  return judgement.kind === "unfit" ? judgement.faults : [];
}

/** Opens a runtime, lets `start` tell where things are, and stays until it is told to end. */
async function serve(
  invocation: CommandInvocation,
  start: (runtime: Runtime, sources: RuntimeSources) => Promise<Readonly<Record<string, unknown>>>,
): Promise<ExitCode> {
  const { context } = invocation;
  const config = readConfigOrExplain(context);
  if (config === undefined) return exitCodes.refused;
  const sources: RuntimeSources = {
    version: readVersion(),
    workingDirectory: context.workingDirectory,
    path: context.env["PATH"] ?? "",
    clock: context.clock,
    random: context.random,
    cpuMs: () => context.cpuMs(),
    exitStuck: () => context.exitNow(exitCodes.stuck),
    signal: context.signal,
  };
  let runtime: Runtime;
  try {
    runtime = await openRuntime(config, sources);
  } catch (error) {
    context.warn(`runbookd did not start: ${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof FolderInUse ? exitCodes.refused : exitCodes.no;
  }
  let code: ExitCode = exitCodes.ok;
  try {
    const unsafe = unsafeStore(runtime);
    if (unsafe.length > 0) {
      for (const { name, detail, fix } of unsafe) context.warn(`${name}: ${detail}. ${fix ?? ""}\n`);
      runtime.ending.abort();
      await runtime.closers.close();
      return exitCodes.refused;
    }
    const places = await start(runtime, sources);
    if (flagOption(invocation, "json")) writeJson(context, places);
    else for (const [name, place] of Object.entries(places)) context.warn(`${name}: ${String(place)}\n`);
    await untilEnded(runtime.ending.signal);
    if (!context.signal.aborted) code = exitCodes.no;
  } catch (error) {
    // Told to end while it waited for a fit store: nothing had begun.
    if (!context.signal.aborted) {
      context.warn(`runbookd did not start: ${error instanceof Error ? error.message : String(error)}\n`);
      code = error instanceof ProviderSdkMissing ? exitCodes.refused : exitCodes.no;
    }
  }
  runtime.ending.abort();
  await closeWithinGrace(runtime, context);
  // A connection that looks for a Redis that is away would keep the process; nothing is left to do for it.
  context.clock.after(lingerMs, () => context.exitNow(code));
  return code;
}

/** The sender of SIGTERM sends SIGKILL at the end of the grace period; the process exits before that, even when something hangs (BullMQ waits long for a Redis that is away). */
const exitBeforeMs = 3000;
const lingerMs = 500;

async function closeWithinGrace(runtime: Runtime, context: CommandContext): Promise<void> {
  const grace = context.clock.after(runtime.config.graceMs - exitBeforeMs, () => {
    runtime.log.error({}, "Not everything closed within the grace; unfinished runs are taken over when their lease ends.");
    context.exitNow(exitCodes.no);
  });
  try {
    await runtime.closers.close();
  } finally {
    grace.stop();
  }
}

async function untilEnded(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolveEnd) => signal.addEventListener("abort", () => resolveEnd(), { once: true }));
}

function urlOf({ host, port }: { readonly host: string; readonly port: number }): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** `runbookd server`. */
export const serverCommand: CommandBody = {
  examples: ["REDIS_URL=redis://127.0.0.1:6379 runbookd server"],
  run: async (_args, invocation) =>
    serve(invocation, async (runtime, sources) => {
      const { server, adminTokenFile } = await startServer(runtime, sources);
      const metrics = await startMetrics(runtime, runtime.config.metricsPort ?? defaultMetricsPorts.server);
      return {
        api: urlOf(server.address),
        metrics: `${urlOf(metrics.address)}/metrics`,
        ...(adminTokenFile !== undefined && { "admin token": adminTokenFile }),
      };
    }),
};

/** `runbookd worker`. */
export const workerCommand: CommandBody = {
  examples: ["REDIS_URL=redis://127.0.0.1:6379 runbookd worker"],
  run: async (_args, invocation) =>
    serve(invocation, async (runtime) => {
      // First, so that a worker that waits for a fit store shows that it does.
      const metrics = await startMetrics(runtime, runtime.config.metricsPort ?? defaultMetricsPorts.worker);
      const { name } = await startWorker(runtime);
      return { worker: name, metrics: `${urlOf(metrics.address)}/metrics` };
    }),
};

/** `runbookd work`. */
export const workCommand: CommandBody = {
  examples: ["runbookd work code --command implement", "runbookd work code --command implement --concurrency 4 --stage-usd 0.5"],
  options: [
    { flags: "--command <name>", description: "a command of runbookd.yml; it runs in the ticket's workspace, once for each stage" },
    { flags: "--concurrency <n>", description: "tickets at once, 1 to 100", default: "1" },
    { flags: "--stage-usd <n>", description: "what one stage costs at most; reserved before it", default: "1" },
  ],
  async run([queue = ""], invocation) {
    const [command, concurrency, phaseUsd] = [
      textOption(invocation, "command") ?? "",
      Number(textOption(invocation, "concurrency")),
      Number(textOption(invocation, "stageUsd")),
    ];
    const faults = [
      ...(queueNameSchema.safeParse(queue).success ? [] : ["<queue> must be a name of 1 to 40 letters a-z, digits and -."]),
      ...(command === "" ? ["--command must name a command of runbookd.yml."] : []),
      ...(Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= 100
        ? []
        : ["--concurrency must be a whole number from 1 to 100."]),
      ...(phaseUsd > 0 && phaseUsd <= 10_000 ? [] : ["--stage-usd must be a number above 0, at most 10000."]),
    ];
    if (faults.length > 0) {
      for (const fault of faults) invocation.context.warn(`${fault}\n`);
      return exitCodes.usage;
    }
    return serve(invocation, async (runtime) => {
      startTicketWork(runtime, { queue, command, concurrency, phaseMicroUsd: Math.round(phaseUsd * oneUsd) });
      const metrics = await startMetrics(runtime, runtime.config.metricsPort ?? 0);
      return { queue, command, metrics: `${urlOf(metrics.address)}/metrics` };
    });
  },
};

/** Runs are dispatched by the queue until the worker of this process has started, and by the worker from then on. */
function dispatchOnce(worker: Promise<WorkerProcess>): (queue: WakeQueue) => WakeQueue {
  return (queue) => {
    let current = queue;
    worker.then(({ dispatch }) => (current = dispatch(queue))).catch(() => undefined);
    return { enqueue: (runId) => current.enqueue(runId) };
  };
}

/** `runbookd up`. */
export const upCommand: CommandBody = {
  examples: ["runbookd up", "RUNBOOKD_PORT=0 runbookd up --json"],
  run: async (_args, invocation) =>
    serve(invocation, async (runtime, sources) => {
      const metrics = await startMetrics(runtime, runtime.config.metricsPort ?? defaultMetricsPorts.server);
      // The server answers 503 while the worker waits for a fit store.
      const worker = startWorker(runtime);
      const [{ name }, { server, adminTokenFile }] = await Promise.all([worker, startServer(runtime, sources, dispatchOnce(worker))]);
      return {
        api: urlOf(server.address),
        metrics: `${urlOf(metrics.address)}/metrics`,
        worker: name,
        ...(adminTokenFile !== undefined && { "admin token": adminTokenFile }),
      };
    }),
};
