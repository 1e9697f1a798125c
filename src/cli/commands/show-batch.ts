import { type BatchView, batchViewSchema } from "../../../packages/sdk/src/wire/batches.ts";
import { type ApiAnswer, createApiClient, reportFailure } from "../api-client.ts";
import { type ExitCode, eraseLine, exitCodes, writeJson } from "../context.ts";
import { type CommandDefinition, type CommandInvocation, flagOption } from "../define-command.ts";
import { progressBar, progressLine } from "../render-batch.ts";

/** A server that restarts is polled this many times before the command gives up. */
const maxMisses = 30;
const pollIntervalMs = 1000;
const barWidth = 24;

/** `runbookd batches show`: one batch, once or until it is through. */
export const showBatch: CommandDefinition = {
  usage: "show <batch>",
  summary: "Show one batch with its tickets by state, its progress and what it will cost",
  examples: ["runbookd batches show nightly-2026-01-31", "runbookd batches show nightly-2026-01-31 --follow"],
  remote: true,
  options: [{ flags: "--follow", description: "go on until it is through: a bar on a terminal, a line per change elsewhere" }],
  async run([id = ""], invocation) {
    const client = await createApiClient(invocation);
    const getBatch = () => client.get(`/api/batches/${encodeURIComponent(id)}`, batchViewSchema);
    if (flagOption(invocation, "follow")) return follow(getBatch, invocation);
    const answer = await getBatch();
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    const { context } = invocation;
    if (flagOption(invocation, "json")) writeJson(context, answer.body);
    else
      context.write(
        `${answer.body.id} on budget ${answer.body.budget}, queue ${answer.body.queue}\n${progressLine(answer.body, context.clock.now())}\n`,
      );
    return exitCodes.ok;
  },
};

async function follow(getBatch: () => Promise<ApiAnswer<BatchView>>, invocation: CommandInvocation): Promise<ExitCode> {
  const { context } = invocation;
  const asJson = flagOption(invocation, "json");
  const drawsBar = context.isTerminal && !asJson;
  let last = "";
  let misses = 0;
  for (;;) {
    const answer = await getBatch();
    if (answer.kind === "unreachable" && last !== "" && misses < maxMisses) {
      misses += 1;
    } else if (answer.kind !== "ok") {
      if (drawsBar && last !== "") context.write("\n");
      return reportFailure(invocation, answer);
    } else {
      misses = 0;
      const batch = answer.body;
      const line = asJson ? JSON.stringify(batch) : progressLine(batch, context.clock.now());
      const changed = asJson
        ? JSON.stringify({ ...batch, progress: batch.progress.ended })
        : `${batch.progress.ended} ${batch.state} ${batch.gate} ${batch.stop?.hold ?? ""}`;
      if (drawsBar) context.write(`${eraseLine}${progressBar(batch, barWidth)} ${line}`);
      else if (changed !== last) context.write(`${line}\n`);
      last = changed;
      if (isThrough(batch)) {
        if (drawsBar) context.write("\n");
        return exitCodes.ok;
      }
    }
    try {
      await context.clock.sleep(pollIntervalMs, context.signal);
    } catch {
      if (drawsBar) context.write("\n");
      return exitCodes.ok;
    }
  }
}

function isThrough({ state, progress }: BatchView): boolean {
  return state === "done" || (state === "cancelled" && progress.ended === progress.tickets);
}
