import { describe, expect, it } from "@jest/globals";
import { assignPrompt } from "../../../packages/sdk/src/assignment.ts";
import { aNewVersion } from "../../../test/contracts/describe-prompt-store.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createMemoryPromptRollouts, createMemoryPrompts } from "../../rehearsal/memory-prompts.ts";
import { readServed } from "./served-prompt.ts";

describe("what is served", () => {
  async function aStore() {
    const prompts = createMemoryPrompts(createFakeClock());
    const rollouts = createMemoryPromptRollouts();
    await prompts.create("implement", aNewVersion("one"), "ada");
    await prompts.create("implement", aNewVersion("two"), "ada");
    return { prompts, rollouts };
  }

  it("is nothing until a version is labelled production", async () => {
    const stores = await aStore();
    expect(await readServed("implement", stores)).toBeUndefined();
    await stores.prompts.moveLabel({ prompt: "implement", label: "production", expected: null, to: 1, by: "ada" });
    expect(await readServed("implement", stores)).toMatchObject({ production: { version: 1 } });
  });

  it("gives the canary's tickets its version and everybody else the one labelled production", async () => {
    const stores = await aStore();
    await stores.prompts.moveLabel({ prompt: "implement", label: "production", expected: null, to: 1, by: "ada" });
    await stores.rollouts.compareAndSet("implement", null, { version: 2, share: 0.5, salt: "s" });
    const served = await readServed("implement", stores);
    const assigned = ["T-1", "T-2", "T-3", "T-4", "T-5", "T-6"].map((ticket) => served && assignPrompt(served, ticket));
    expect(new Set(assigned.map((one) => `${one?.version.version} ${one?.variant}`))).toEqual(new Set(["1 baseline", "2 canary"]));
    const ofRollout = { version: 2, share: 0.5, salt: "s", rollout: "r_1" };
    await stores.rollouts.compareAndSet("implement", { version: 2, share: 0.5, salt: "s" }, ofRollout);
    expect(await readServed("implement", stores)).toMatchObject({ canary: ofRollout });
    await stores.rollouts.compareAndSet("implement", ofRollout, { version: 9, share: 1, salt: "s" });
    expect(await readServed("implement", stores)).not.toHaveProperty("canary");
  });
});
