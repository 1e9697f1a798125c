import { oneLine } from "../../core/one-line.ts";
import { roles } from "../../core/role.ts";
import { tokenFilePath } from "../../platform/config/data-folder.ts";
import { createTokenFile, tokenNamePattern } from "../../platform/http/token-file.ts";
import { type CommandContext, exitCodes, renderTable, writeJson } from "../context.ts";
import { type CommandDefinition, flagOption, textOption } from "../define-command.ts";
import { readLocalSettings } from "../local-settings.ts";
import { formatInstant } from "../render-run.ts";

/** `runbookd token …`: tokens for people and for the workload, in the data folder of this machine. */
export function tokenCommands(): readonly CommandDefinition[] {
  return [create, list, revoke];
}

function openTokens(context: CommandContext) {
  return createTokenFile(tokenFilePath(readLocalSettings(context).dataFolder), context);
}

const create: CommandDefinition = {
  usage: "create <name>",
  summary: "Create a token and print it, for the only time; its name stands in journals and reports",
  examples: ["runbookd token create anna --role operator", "runbookd token create checkout-workers --role workload"],
  options: [{ flags: "--role <role>", description: "what its holder may do", choices: roles, default: "viewer" }],
  async run([name = ""], invocation) {
    const { context } = invocation;
    const given = textOption(invocation, "role");
    const role = roles.find((candidate) => candidate === given) ?? "viewer";
    if (!tokenNamePattern.test(name)) {
      context.warn(
        `${oneLine(name)} is no name of a token; accepted: letters, digits and . _ @ - up to 64, beginning with a letter or digit\n`,
      );
      return exitCodes.usage;
    }
    const token = await openTokens(context).create(name, role);
    if (token === undefined) {
      context.warn(`There is a token ${name} already; revoke it first or take another name.\n`);
      return exitCodes.no;
    }
    if (flagOption(invocation, "json")) writeJson(context, { name, role, token });
    else context.write(`${token}\n`);
    return exitCodes.ok;
  },
};

const list: CommandDefinition = {
  usage: "list",
  summary: "List tokens by name; the tokens themselves are not kept",
  examples: ["runbookd token list"],
  async run(_args, invocation) {
    const tokens = await openTokens(invocation.context).list();
    if (flagOption(invocation, "json")) writeJson(invocation.context, { items: tokens });
    else if (tokens.length === 0) invocation.context.write("No tokens.\n");
    else {
      const rows = tokens.map((token) => [token.name, token.role, formatInstant(token.createdAt)]);
      invocation.context.write(renderTable([["NAME", "ROLE", "CREATED"], ...rows]));
    }
    return exitCodes.ok;
  },
};

const revoke: CommandDefinition = {
  usage: "revoke <name>",
  summary: "End a token at once",
  examples: ["runbookd token revoke anna"],
  async run([name = ""], invocation) {
    const { context } = invocation;
    const revoked = await openTokens(context).revoke(name);
    if (flagOption(invocation, "json")) writeJson(context, { name, revoked });
    else if (revoked) context.write(`${name} was revoked.\n`);
    else context.warn(`There is no token ${oneLine(name)}.\n`);
    return revoked ? exitCodes.ok : exitCodes.no;
  },
};
