import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { oneLine } from "../../core/one-line.ts";
import { exitCodes, writeJson } from "../context.ts";
import { type CommandBody, flagOption } from "../define-command.ts";
import { runbookTemplate } from "../runbook-template.ts";

/** `runbookd new <id>`: a document, its alert, the alert's test and a rehearsal, all passing. */
export const newCommand: CommandBody = {
  examples: ["runbookd new payment-backlog"],
  run([id = ""], invocation) {
    const { context } = invocation;
    if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(id) || id.length > 60) {
      context.warn(`${oneLine(id)} is no id of a runbook; accepted: lower case words joined by hyphens, e.g. payment-backlog\n`);
      return Promise.resolve(exitCodes.usage);
    }
    const files = Object.entries(runbookTemplate(id));
    const taken = files.map(([path]) => path).filter((path) => existsSync(resolve(context.workingDirectory, path)));
    if (taken.length > 0) {
      context.warn(`${taken.join(", ")} exists already; nothing was written\n`);
      return Promise.resolve(exitCodes.no);
    }
    for (const [path, text] of files) {
      const absolute = resolve(context.workingDirectory, path);
      mkdirSync(dirname(absolute), { recursive: true });
      writeFileSync(absolute, text, { flag: "wx" });
    }
    const written = files.map(([path]) => path);
    if (flagOption(invocation, "json")) writeJson(context, { written });
    else
      context.write(
        `${written.map((path) => `${path}\n`).join("")}Write the steps, then: runbookd lint && runbookd rehearse && runbookd index\n`,
      );
    return Promise.resolve(exitCodes.ok);
  },
};
