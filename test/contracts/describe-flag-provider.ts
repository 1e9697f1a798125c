import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { type Client, OpenFeature, type Provider } from "@openfeature/server-sdk";
import { isInCanary } from "../../packages/sdk/src/assignment.ts";
import type { Flag, FlagDefinition } from "../../packages/sdk/src/wire/flags.ts";
import { aFlag } from "../builders/a-flag.ts";

/** A runbookd with flags, and a provider of OpenFeature that asks it. */
export interface FlagProviderBench extends AsyncDisposable {
  readonly provider: Provider;
  set(key: string, definition: FlagDefinition): Promise<void>;
  /** Until the provider must have read what was set last. */
  refreshed(): Promise<void>;
  /** Ends the server, or breaks every connection to it. */
  stop(): Promise<void>;
  /** Statuses that the server answered, in order. */
  readonly statuses: readonly number[];
}

/** A definition as {@link aFlag} has it. */
export function aFlagDefinition(more: Partial<Flag> = {}): FlagDefinition {
  const { type, variants, state, offVariant, defaultVariant, rollout } = aFlag(more);
  return { type, variants, state, offVariant, defaultVariant, rollout };
}

const ticket = { targetingKey: "T-1" };

/**
 * What every provider of runbookd's flags does under the real SDK of OpenFeature. The default in the code is `true` in all of it, because that is the case in
 * which a flag that is read wrongly stays on. `whenAway`: what an evaluation is while the server is away and the flag was off before.
 */
export function describeFlagProvider(
  name: string,
  open: () => Promise<FlagProviderBench>,
  { whenAway }: { readonly whenAway: "last value" | "default of the code" },
): void {
  describe(`OpenFeature with ${name}`, () => {
    let bench: FlagProviderBench;
    let client: Client;
    beforeEach(async () => {
      bench = await open();
      const domain = `${name} ${expect.getState().currentTestName}`;
      await OpenFeature.setProviderAndWait(domain, bench.provider);
      client = OpenFeature.getClient(domain);
    });
    afterEach(async () => {
      await OpenFeature.close();
      await bench[Symbol.asyncDispose]();
      expect(bench.statuses).not.toContain(429);
    });

    it("reads a flag that is off as false, although the default in the code is true", async () => {
      await bench.set("export", aFlagDefinition({ state: "off" }));
      expect(await client.getBooleanDetails("export", true, ticket)).toMatchObject({
        value: false,
        variant: "off",
        reason: "DISABLED",
        flagMetadata: { version: 1 },
      });
    });

    it("reads a flag that was switched off as false, with and without a targeting key", async () => {
      const rollout = { variant: "on", share: 0.5, salt: "s" };
      await bench.set("export", aFlagDefinition());
      expect(await client.getBooleanValue("export", false, ticket)).toBe(true);
      await bench.set("export", aFlagDefinition({ state: "off", defaultVariant: "off", rollout }));
      await bench.refreshed();
      expect(await client.getBooleanValue("export", true, ticket)).toBe(false);
      expect(await client.getBooleanDetails("export", true)).toMatchObject({ value: false, reason: "DISABLED" });
    });

    it("reads values of every type, and their off values", async () => {
      const definitions = {
        text: aFlagDefinition({ type: "string", variants: { on: "long", off: "" } }),
        count: aFlagDefinition({ type: "number", variants: { on: 7.5, off: 0 } }),
        limits: aFlagDefinition({ type: "object", variants: { on: { max: 9 }, off: { max: 0 } } }),
      };
      for (const [key, definition] of Object.entries(definitions)) {
        await bench.set(key, definition);
        await bench.set(`${key}.off`, { ...definition, state: "off" });
      }
      expect(await client.getStringValue("text", "code", ticket)).toBe("long");
      expect(await client.getStringValue("text.off", "code", ticket)).toBe("");
      expect(await client.getNumberValue("count", 1, ticket)).toBe(7.5);
      expect(await client.getNumberValue("count.off", 1, ticket)).toBe(0);
      expect(await client.getObjectValue("limits", { max: 1 }, ticket)).toEqual({ max: 9 });
      expect(await client.getObjectValue("limits.off", { max: 1 }, ticket)).toEqual({ max: 0 });
    });

    it("has the default of the code for a flag that does not exist, with FLAG_NOT_FOUND", async () => {
      for (const value of [true, false]) {
        expect(await client.getBooleanDetails("nothing", value, ticket)).toMatchObject({ value, errorCode: "FLAG_NOT_FOUND" });
      }
    });

    it("has the default of the code for a value of another type, with TYPE_MISMATCH", async () => {
      await bench.set("export", aFlagDefinition());
      expect(await client.getStringDetails("export", "code", ticket)).toMatchObject({ value: "code", errorCode: "TYPE_MISMATCH" });
    });

    it("puts a ticket into the share that its hash names, and names the arm of a rollout", async () => {
      const rollout = { variant: "on", share: 0.3, salt: "s", rollout: "r1" };
      await bench.set("export", aFlagDefinition({ defaultVariant: "off", rollout }));
      const keys = Array.from({ length: 100 }, (_, nth) => `T-${nth}`);
      const details = await Promise.all(keys.map(async (targetingKey) => client.getBooleanDetails("export", true, { targetingKey })));
      expect(details.map(({ value }) => value)).toEqual(keys.map((key) => isInCanary(rollout, key)));
      const on = details.filter(({ value }) => value);
      expect(on.length).toBeGreaterThan(15);
      expect(on.length).toBeLessThan(45);
      expect(on[0]).toMatchObject({ reason: "SPLIT", flagMetadata: { rollout: "r1", arm: "canary" } });
    });

    it("needs a targeting key for a share only, with TARGETING_KEY_MISSING", async () => {
      const rollout = { variant: "on", share: 0.3, salt: "s" };
      await bench.set("export", aFlagDefinition({ defaultVariant: "off", rollout }));
      await bench.set("import", aFlagDefinition());
      for (const context of [{}, { targetingKey: "" }]) {
        expect(await client.getBooleanDetails("export", false, context)).toMatchObject({
          value: false,
          errorCode: "TARGETING_KEY_MISSING",
        });
      }
      expect(await client.getBooleanValue("import", false)).toBe(true);
    });

    it(`has the ${whenAway} while the server is away`, async () => {
      await bench.set("export", aFlagDefinition({ state: "off" }));
      expect(await client.getBooleanValue("export", true, ticket)).toBe(false);
      await bench.stop();
      await bench.refreshed();
      expect(await client.getBooleanValue("export", true, ticket)).toBe(whenAway === "default of the code");
      expect(await client.getBooleanDetails("other", false, ticket)).toMatchObject({ value: false, reason: "ERROR" });
    });

    it("gets an answer to every one of many evaluations at once, none of them 429", async () => {
      await bench.set("export", aFlagDefinition({ state: "off" }));
      const values = await Promise.all(Array.from({ length: 60 }, async () => client.getBooleanDetails("export", true, ticket)));
      expect(values.filter(({ value, errorCode }) => value || errorCode !== undefined)).toEqual([]);
    });
  });
}
