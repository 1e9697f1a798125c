import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "@jest/globals";
import { startFlagd } from "../../../test/servers/flagd-server.ts";
import { startLiteLlm } from "../../../test/servers/litellm-server.ts";
import { startUnleash } from "../../../test/servers/unleash-server.ts";
import { createSystemClock } from "../../core/clock.ts";
import { createSystemRandom } from "../../core/random.ts";
import { loadConfig } from "../../platform/config/load-config.ts";
import { examineSwitches } from "./examine-switches.ts";

const context = { clock: createSystemClock(), random: createSystemRandom() };

function configOf(env: { readonly [name: string]: string }, yaml = "") {
  const loaded = loadConfig({ env, yaml, readFile: () => "" });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  return loaded.config;
}

it("says nothing of systems that are not configured", async () => {
  expect(await examineSwitches(configOf({}), context)).toEqual([]);
});

it("asks every configured system, changes nothing there, and says what to correct", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rb-switches-"));
  const file = join(folder, "flags.json");
  await writeFile(file, '{"flags":{}}');
  await using unleash = await startUnleash();
  await using flagd = await startFlagd(file);
  await using litellm = await startLiteLlm();
  const env = {
    UNLEASH_URL: unleash.url,
    UNLEASH_ADMIN_TOKEN: unleash.adminToken,
    UNLEASH_FRONTEND_TOKEN: unleash.frontendToken,
    FLAGD_FILE: file,
    FLAGD_URL: flagd.url,
    LITELLM_URL: litellm.url,
    LITELLM_MASTER_KEY: litellm.masterKey,
  };
  const yaml = "unleash: { environment: production }";
  const verdicts = async (change: object) =>
    (await examineSwitches(configOf({ ...env, ...change }, yaml), context)).map(({ name, verdict }) => `${name} ${verdict}`);
  expect(await verdicts({})).toEqual(["Unleash ok", "Unleash ok", "flagd ok", "flagd ok", "LiteLLM ok"]);
  expect([...unleash.requests, ...litellm.requests].filter((request) => !/^GET |^\/key\/info/.test(request))).toEqual([]);

  expect(await verdicts({ UNLEASH_ADMIN_TOKEN: "user:wrong-0123456789" })).toEqual([
    "Unleash fault",
    "Unleash fault",
    "flagd ok",
    "flagd ok",
    "LiteLLM ok",
  ]);
  expect(await verdicts({ UNLEASH_FRONTEND_TOKEN: "default:production.wrong" })).toContain("Unleash fault");
  expect(await verdicts({ LITELLM_MASTER_KEY: "sk-wrong-0123456789" })).toContain("LiteLLM fault");
  expect(await verdicts({ FLAGD_URL: litellm.url })).toContain("flagd fault");
  await rm(file);
  const findings = await examineSwitches(configOf(env, yaml), context);
  expect(findings.find(({ verdict }) => verdict === "fault")).toMatchObject({ name: "flagd", detail: expect.stringContaining("ENOENT") });
  await rm(folder, { recursive: true });
});
