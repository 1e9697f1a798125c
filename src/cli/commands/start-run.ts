import { z } from "zod";
import type { Json } from "../../../packages/sdk/src/wire/json.ts";
import { runReferenceSchema } from "../../../packages/sdk/src/wire/runs.ts";
import { oneLine } from "../../core/one-line.ts";
import { type ApiClient, createApiClient, reportFailure } from "../api-client.ts";
import { type ExitCode, exitCodes, writeJson } from "../context.ts";
import { type CommandBody, type CommandInvocation, flagOption, listOption, textOption } from "../define-command.ts";
import { describeUnfinished, followDryRun, planOf, renderPlan } from "../dry-run.ts";
import { printRun } from "../print-run.ts";

/** `runbookd run <id>`: start a run by hand. */
export const runCommand: CommandBody = {
  examples: [
    "runbookd run cost-incident-response --param budget=checkout",
    "runbookd run cost-incident-response --param budget=checkout --wait",
    "runbookd run cost-incident-response --param budget=checkout --dry-run",
  ],
  remote: true,
  options: [
    { flags: "--param <name=value>", description: "a parameter; JSON values keep their type; may be given several times", collect: true },
    {
      flags: "--mode <mode>",
      description: "how far it may go without a person; at most the runbook's own mode",
      choices: ["observe", "approve", "auto"],
    },
    { flags: "--wait", description: "print what happens until the run ends; exit code 0 when it succeeded, else 1" },
    { flags: "--dry-run", description: "real reads and no change (mode observe); follows the run and prints the plan, before → after" },
  ],
  async run([runbook = ""], invocation) {
    const params: Record<string, Json> = {};
    for (const text of listOption(invocation, "param")) {
      const parsed = parseParam(text);
      if (parsed === undefined) {
        invocation.context.warn(`--param ${oneLine(text)}: accepted is name=value, e.g. budget=checkout\n`);
        return exitCodes.usage;
      }
      params[parsed.name] = parsed.value;
    }
    const dry = flagOption(invocation, "dryRun");
    const mode = dry ? "observe" : textOption(invocation, "mode");
    if (dry && (textOption(invocation, "mode") ?? "observe") !== "observe") {
      invocation.context.warn("--dry-run only observes; accepted beside it is no --mode or --mode observe\n");
      return exitCodes.usage;
    }
    const client = await createApiClient(invocation);
    const answer = await client.post("/api/runs", { runbook, params, ...(mode === undefined ? {} : { mode }) }, runReferenceSchema);
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    if (dry) return showPlan(client, answer.body.runId, invocation);
    const { runId } = answer.body;
    if (flagOption(invocation, "json")) writeJson(invocation.context, answer.body);
    if (flagOption(invocation, "wait")) return printRun(runId, invocation);
    if (!flagOption(invocation, "json")) invocation.context.write(`Run ${runId} was accepted. Follow it: runbookd watch ${runId}\n`);
    return exitCodes.ok;
  },
};

async function showPlan(client: ApiClient, runId: string, invocation: CommandInvocation): Promise<ExitCode> {
  const { context } = invocation;
  const followed = await followDryRun(client, runId, context);
  if (followed.kind === "problem" || followed.kind === "unreachable") return reportFailure(invocation, followed);
  if (followed.kind === "unfinished") {
    context.warn(describeUnfinished(followed.summary));
    return exitCodes.no;
  }
  const plan = planOf(followed.journal);
  const { outcome, note = "" } = followed.summary;
  if (flagOption(invocation, "json")) writeJson(context, { runId, outcome, reason: note, plan });
  else context.write(renderPlan(plan, note));
  // An observed run that comes through stands down; anything else could not see all of it.
  return outcome === "stood_down" ? exitCodes.ok : exitCodes.no;
}

/** `name=value`; a value that is a JSON number, boolean, null, list or object keeps that type, everything else is text. */
export function parseParam(text: string): { readonly name: string; readonly value: Json } | undefined {
  const equals = text.indexOf("=");
  const name = text.slice(0, equals);
  if (equals < 1 || !/^[A-Za-z_]\w*$/.test(name)) return undefined;
  const value = text.slice(equals + 1);
  try {
    return { name, value: z.json().parse(JSON.parse(value)) };
  } catch {
    return { name, value };
  }
}
