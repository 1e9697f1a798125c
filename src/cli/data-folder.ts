import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { CommandContext } from "./context.ts";

/** Where the embedded default keeps Redis' data and the first admin token: RUNBOOKD_DATA, else a folder of this user. */
export function dataFolder(context: Pick<CommandContext, "env" | "workingDirectory">): string {
  const configured = context.env["RUNBOOKD_DATA"];
  if (configured !== undefined && configured !== "") return resolve(context.workingDirectory, configured);
  const base = context.env["XDG_DATA_HOME"] ?? join(context.env["HOME"] ?? homedir(), ".local", "share");
  return join(base, "runbookd");
}
