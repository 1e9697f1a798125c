import { createAttackCorpusFolder } from "../../llm/attacks/attack-corpus-folder.ts";
import { exitCodes, renderTable, writeJson } from "../context.ts";
import { type CommandDefinition, flagOption } from "../define-command.ts";
import { readConfigOrExplain } from "../read-config.ts";

/** `runbookd attacks list`. */
export const listAttacks: CommandDefinition = {
  usage: "list",
  summary: "List the recorded attacks of each feature; every fault of a corpus has file:line:column",
  examples: ["runbookd attacks list", "runbookd attacks list --json"],
  async run(_args, invocation) {
    const { context } = invocation;
    const config = readConfigOrExplain(context);
    if (config === undefined) return exitCodes.refused;
    const folder = createAttackCorpusFolder(config.attacks);
    const files = (await folder.list()) ?? [];
    const names = [...new Set([...config.features.map(({ name }) => name), ...files])].toSorted();
    const rows = await Promise.all(
      names.map(async (name) => {
        const feature = config.features.find((one) => one.name === name);
        const parsed = await folder.parse(name);
        const faults = (parsed?.diagnostics ?? []).map(
          ({ file, position, message, accepted }) => `${file}:${position.line}:${position.column}: ${message} Accepted: ${accepted}.`,
        );
        return {
          feature: name,
          described: feature !== undefined,
          command: feature?.attacks?.name ?? null,
          attacks: parsed?.corpus?.attacks.map(({ id, owasp }) => ({ id, owasp: [...owasp] })) ?? null,
          harmless: parsed?.corpus?.harmless.length ?? null,
          faults,
        };
      }),
    );
    const hasFaults = rows.some(({ faults, described }) => faults.length > 0 || !described);
    if (flagOption(invocation, "json")) writeJson(context, { folder: config.attacks, features: rows });
    else {
      for (const line of rows.flatMap(({ faults }) => faults)) context.warn(`${line}\n`);
      for (const { feature } of rows.filter(({ described }) => !described))
        context.warn(`${feature}.yml is the corpus of no feature: runbookd.yml describes none of this name.\n`);
      context.write(
        rows.length === 0
          ? "runbookd.yml describes no feature, and there is no corpus.\n"
          : renderTable([
              ["FEATURE", "COMMAND", "ATTACKS", "HARMLESS"],
              ...rows.map(({ feature, command, attacks, harmless }) => [
                feature,
                command ?? "none",
                String(attacks?.length ?? "none"),
                String(harmless ?? "none"),
              ]),
            ]),
      );
    }
    return hasFaults ? exitCodes.no : exitCodes.ok;
  },
};
