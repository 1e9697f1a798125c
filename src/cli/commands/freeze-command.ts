import { type Freeze, freezeSchema } from "../../../packages/sdk/src/wire/freezes.ts";
import { listSchema } from "../../../packages/sdk/src/wire/page.ts";
import { createApiClient, reportFailure } from "../api-client.ts";
import { exitCodes, renderTable, writeJson } from "../context.ts";
import { type CommandBody, flagOption, textOption } from "../define-command.ts";
import { formatInstant } from "../render-run.ts";

/** `runbookd freeze`: the kill switch. */
export const freezeCommand: CommandBody = {
  examples: [
    "runbookd freeze --reason 'a release'",
    "runbookd freeze target:budget/checkout --reason 'finance is looking' --no-undo",
    "runbookd freeze --list",
  ],
  remote: true,
  options: [
    { flags: "--reason <text>", description: "why; shown wherever something is held back" },
    { flags: "--no-undo", description: "hold back undo as well" },
    { flags: "--list", description: "show what is frozen" },
  ],
  async run([scope = "all"], invocation) {
    const { context } = invocation;
    const client = await createApiClient(invocation);
    if (flagOption(invocation, "list")) {
      const answer = await client.get("/api/freeze", listSchema(freezeSchema));
      if (answer.kind !== "ok") return reportFailure(invocation, answer);
      if (flagOption(invocation, "json")) writeJson(context, answer.body);
      else context.write(renderFreezes(answer.body.items));
      return exitCodes.ok;
    }
    const reason = textOption(invocation, "reason");
    if (reason === undefined) {
      context.warn("A freeze needs --reason; accepted: a sentence that tells others why.\n");
      return exitCodes.usage;
    }
    const answer = await client.put("/api/freeze", { scope, reason, undo: invocation.options["undo"] !== false }, freezeSchema);
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    if (flagOption(invocation, "json")) writeJson(context, answer.body);
    else context.write(`Frozen: ${answer.body.scope}. Nothing in it is changed until \`runbookd unfreeze ${answer.body.scope}\`.\n`);
    return exitCodes.ok;
  },
};

/** `runbookd unfreeze`. */
export const unfreezeCommand: CommandBody = {
  examples: ["runbookd unfreeze", "runbookd unfreeze target:budget/checkout"],
  remote: true,
  async run([scope = "all"], invocation) {
    const { context } = invocation;
    const client = await createApiClient(invocation);
    const answer = await client.delete(`/api/freeze?${new URLSearchParams({ scope }).toString()}`, listSchema(freezeSchema));
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    if (flagOption(invocation, "json")) writeJson(context, answer.body);
    else {
      context.write(`${scope} is not frozen any more.\n`);
      if (answer.body.items.length > 0) context.write(`Still frozen:\n${renderFreezes(answer.body.items)}`);
    }
    return exitCodes.ok;
  },
};

function renderFreezes(freezes: readonly Freeze[]): string {
  if (freezes.length === 0) return "Nothing is frozen.\n";
  const rows = freezes.map(({ scope, by, at, undo, reason }) => [scope, by, formatInstant(at), undo ? "permitted" : "held back", reason]);
  return renderTable([["SCOPE", "BY", "SINCE", "UNDO", "REASON"], ...rows]);
}
