import { z } from "zod";
import { createApiClient, reportFailure } from "../api-client.ts";
import { runReplySchema } from "../api-shapes.ts";
import { exitCodes, oneLine, writeJson } from "../context.ts";
import { flagOption, listOption, textOption, type CommandDefinition } from "../define-command.ts";
import type { Json } from "../../core/json.ts";

/** `runbookd run <id>`: start a run by hand. */
export const runCommand: CommandDefinition = {
  usage: "run <runbook>",
  summary: "Start a runbook by hand",
  examples: [
    "runbookd run cost-incident-response --param budget=checkout",
    "runbookd run cost-incident-response --param budget=checkout --mode observe",
  ],
  remote: true,
  options: [
    { flags: "--param <name=value>", description: "a parameter; JSON values keep their type; may be given several times", collect: true },
    {
      flags: "--mode <mode>",
      description: "how far it may go by itself; at most the runbook's own mode",
      choices: ["observe", "approve", "auto"],
    },
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
    const mode = textOption(invocation, "mode");
    const client = await createApiClient(invocation);
    const answer = await client.post("/api/runs", { runbook, params, ...(mode === undefined ? {} : { mode }) }, runReplySchema);
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    if (flagOption(invocation, "json")) writeJson(invocation.context, answer.body);
    else invocation.context.write(`Run ${answer.body.runId} was accepted. Follow it: runbookd runs show ${answer.body.runId}\n`);
    return exitCodes.ok;
  },
};

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
