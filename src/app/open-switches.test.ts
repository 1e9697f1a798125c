import { expect, it } from "@jest/globals";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { StepFailure } from "../core/failure.ts";
import { createSystemRandom } from "../core/random.ts";
import { createClosers } from "../platform/closers.ts";
import { loadConfig } from "../platform/config/load-config.ts";
import { openFlagSwitches } from "./open-flag-switches.ts";
import { openKeySwitches } from "./open-key-switches.ts";

const clock = createFakeClock();

function opened() {
  const loaded = loadConfig({ env: {}, readFile: () => "" });
  if (!loaded.ok) throw new Error("The defaults are refused.");
  const closers = createClosers(() => undefined, clock);
  const deps = { config: loaded.config, clock, random: createSystemRandom(), closers };
  return { closers, flags: openFlagSwitches(deps), keys: openKeySwitches(deps) };
}

async function refusalOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof StepFailure) || error.failure.reason !== "invalid_parameters") throw new Error("It was not refused.");
  return error.message;
}

it("refuses every question about a flag of a system that is not configured, and names the settings", async () => {
  const { flags, closers } = opened();
  const change = { key: "export", state: "off", by: "run:01", reason: "r" } as const;
  for (const [system, settings] of [
    ["unleash", ["UNLEASH_URL", "UNLEASH_ADMIN_TOKEN", "UNLEASH_FRONTEND_TOKEN"]],
    ["flagd", ["FLAGD_FILE", "FLAGD_URL"]],
  ] as const) {
    const { [system]: switched } = flags;
    const asked = [switched.read("export"), switched.setState(change), switched.evaluate("export", "t"), switched.followers("export")];
    for (const refusal of await Promise.all(asked.map(refusalOf))) {
      expect(refusal).toContain("The flag export is kept in");
      for (const setting of settings) expect(refusal).toContain(setting);
    }
  }
  await closers.close();
});

it("refuses every question about a key of a system that is not configured, and repeats no key", async () => {
  const { keys, closers } = opened();
  for (const [system, setting] of [
    ["anthropic", "ANTHROPIC_ADMIN_KEY"],
    ["litellm", "LITELLM_MASTER_KEY"],
  ] as const) {
    const { [system]: switched } = keys;
    for (const refusal of await Promise.all(
      [switched.read("sk-x1"), switched.disable("sk-x1"), switched.isRefused("sk-x1")].map(refusalOf),
    )) {
      expect(refusal).toContain(setting);
      expect(refusal).not.toContain("sk-x1");
    }
  }
  await closers.close();
});
