import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { createMemoryCanaries, createMemoryPrompts } from "../simulators/memory-prompts.ts";
import { aNewVersion } from "../testing/describe-prompt-store.ts";
import { createFakeClock } from "../testing/fake-clock.ts";
import { bucketOf, isInCanary } from "./canary.ts";
import { assignPrompt, readServed } from "./served-prompt.ts";

describe("a ticket's bucket", () => {
  it("is the first four bytes of the hash, the same in every language", () => {
    // printf 'run-1:TICKET-7' | sha256sum | head -c 8
    expect(bucketOf("run-1", "TICKET-7")).toBe(0xe162c6a8 / 2 ** 32);
  });

  it("never leaves a canary that grows", () => {
    fc.assert(
      fc.property(fc.string(), fc.float({ min: 0, max: 1, noNaN: true }), fc.float({ min: 0, max: 1, noNaN: true }), (ticket, a, b) => {
        const of = (share: number) => isInCanary({ share, salt: "s" }, ticket);
        expect(of(Math.min(a, b)) && !of(Math.max(a, b))).toBe(false);
      }),
    );
  });

  it("is in a canary about as often as its share says, in all of it at 1 and in none at 0", () => {
    const tickets = Array.from({ length: 2000 }, (_, index) => `TICKET-${index}`);
    const count = (share: number) => tickets.filter((ticket) => isInCanary({ share, salt: "s" }, ticket)).length;
    expect(Math.abs(count(0.1) - 200)).toBeLessThan(45);
    expect([count(0), count(1)]).toEqual([0, 2000]);
  });
});

describe("what is served", () => {
  async function aStore() {
    const prompts = createMemoryPrompts(createFakeClock());
    const canaries = createMemoryCanaries();
    await prompts.create("implement", aNewVersion("one"), "ada");
    await prompts.create("implement", aNewVersion("two"), "ada");
    return { prompts, canaries };
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
    await stores.canaries.compareAndSet("implement", null, { version: 2, share: 0.5, salt: "s" });
    const served = await readServed("implement", stores);
    const assigned = ["T-1", "T-2", "T-3", "T-4", "T-5", "T-6"].map((ticket) => served && assignPrompt(served, ticket));
    expect(new Set(assigned.map((one) => `${one?.version.version} ${one?.variant}`))).toEqual(new Set(["1 baseline", "2 canary"]));
    await stores.canaries.compareAndSet("implement", { version: 2, share: 0.5, salt: "s" }, { version: 9, share: 1, salt: "s" });
    expect(await readServed("implement", stores)).not.toHaveProperty("canary");
  });
});
