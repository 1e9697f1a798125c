import { createFlagdFlags } from "../integrations/flagd/create-flagd-flags.ts";
import { openFlagFile } from "../integrations/flagd/open-flag-file.ts";
import { createUnleashFlags } from "../integrations/unleash/create-unleash-flags.ts";
import { type FlagSwitches, missingFlagSwitch } from "../llm/flags/flag-switches.ts";
import { createBoundedSender, defaultRequestLimits, type RequestLimits } from "../platform/requests/bounded-request.ts";
import type { Runtime } from "./runtime.ts";

/** Unleash lists every flag that is on for a user: this is about 20,000 of them. */
const flagLimits: RequestLimits = { ...defaultRequestLimits, maxBytes: 8 * 1_048_576 };

/** The flags of other systems. One that is not configured has a switch that says so. */
export function openFlagSwitches({
  config,
  clock,
  random,
  closers,
}: Pick<Runtime, "config" | "clock" | "random" | "closers">): Omit<FlagSwitches, "runbookd"> {
  const { unleash, flagd } = config;
  const sender = createBoundedSender(flagLimits, { clock });
  closers.add("flags of other systems", async () => sender.close());
  return {
    unleash:
      unleash === undefined
        ? missingFlagSwitch("Unleash", ["UNLEASH_URL", "UNLEASH_ADMIN_TOKEN", "UNLEASH_FRONTEND_TOKEN", "unleash in runbookd.yml"])
        : createUnleashFlags(sender, unleash),
    flagd:
      flagd === undefined
        ? missingFlagSwitch("flagd", ["FLAGD_FILE", "FLAGD_URL"])
        : createFlagdFlags({ sender, url: flagd.url, file: openFlagFile(flagd.file, { clock, random }) }),
  };
}
