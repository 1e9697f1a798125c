import { openFlagSwitches } from "../../app/open-flag-switches.ts";
import { openKeySwitches } from "../../app/open-key-switches.ts";
import { type Finding, fault, fine } from "../../core/diagnosis.ts";
import { createClosers } from "../../platform/closers.ts";
import type { Config } from "../../platform/config/config.ts";
import type { CommandContext } from "../context.ts";

/** A flag and a key that there are not: asking for them shows that the system answers, and takes our tokens. */
const noFlag = "runbookd-doctor";
const noKey = "0".repeat(64);

/** Whether each configured system that keeps flags or keys answers; nothing of one that is not configured. Nothing is changed there. */
export async function examineSwitches(
  config: Config,
  { clock, random }: Pick<CommandContext, "clock" | "random">,
): Promise<readonly Finding[]> {
  const closers = createClosers(() => undefined, clock);
  try {
    const flags = openFlagSwitches({ config, clock, random, closers });
    const keys = openKeySwitches({ config, clock, closers });
    const checks = [
      ...(config.unleash === undefined
        ? []
        : [
            check("Unleash", "its Admin API answers", async () => flags.unleash.read(noFlag)),
            check("Unleash", "its Frontend API answers", async () => flags.unleash.evaluate(noFlag, noFlag)),
          ]),
      ...(config.flagd === undefined
        ? []
        : [
            check("flagd", `${config.flagd.file} can be read`, async () => flags.flagd.read(noFlag)),
            check("flagd", "its OFREP service answers", async () => flags.flagd.evaluate(noFlag, noFlag)),
          ]),
      ...(config.litellm === undefined ? [] : [check("LiteLLM", "it takes our key", async () => keys.litellm.read(noKey))]),
    ];
    return await Promise.all(checks);
  } finally {
    await closers.close();
  }
}

async function check(name: string, detail: string, ask: () => Promise<unknown>): Promise<Finding> {
  try {
    await ask();
    return fine(name, detail);
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return fault(
      name,
      said,
      "Correct its address and tokens; docs/flags-elsewhere.md lists the permissions. Until then it cannot be switched.",
    );
  }
}
