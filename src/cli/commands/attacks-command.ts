import type { CommandDefinition } from "../define-command.ts";
import { importAttacks } from "./import-attacks.ts";
import { listAttacks } from "./list-attacks.ts";
import { replayAttacksHere } from "./replay-attacks-here.ts";

/** `runbookd attacks …`: recorded attacks of the features in runbookd.yml, on this machine. */
export function attacksCommands(): readonly CommandDefinition[] {
  return [listAttacks, importAttacks, replayAttacksHere];
}
