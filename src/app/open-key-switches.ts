import { createAnthropicKeys } from "../integrations/anthropic/create-anthropic-keys.ts";
import { createLiteLlmKeys } from "../integrations/litellm/create-litellm-keys.ts";
import { type KeySwitches, missingKeySwitch } from "../llm/features/key-switches.ts";
import { createBoundedSender, defaultRequestLimits } from "../platform/requests/bounded-request.ts";
import type { Runtime } from "./runtime.ts";

/** The keys of providers and gateways. A system that is not configured has a switch that says so. */
export function openKeySwitches({ config, clock, closers }: Pick<Runtime, "config" | "clock" | "closers">): KeySwitches {
  const { litellm, providers } = config;
  const { baseUrl, adminKey } = providers.anthropic;
  const sender = createBoundedSender(defaultRequestLimits, { clock });
  closers.add("keys of other systems", async () => sender.close());
  return {
    anthropic:
      adminKey === undefined
        ? missingKeySwitch("Anthropic", ["ANTHROPIC_ADMIN_KEY"])
        : createAnthropicKeys(sender, { baseUrl, apiKey: adminKey }),
    litellm:
      litellm === undefined ? missingKeySwitch("LiteLLM", ["LITELLM_URL", "LITELLM_MASTER_KEY"]) : createLiteLlmKeys(sender, litellm),
  };
}
