import { describe, expect, it } from "@jest/globals";
import type { RouteTargets } from "../../packages/sdk/src/wire/routing.ts";
import type { ModelRoutingStore, RouteChange } from "../../src/llm/routing/model-route.ts";

/** Everything goes to one model. */
export function someTargets(change: Partial<RouteTargets> = {}): RouteTargets {
  return { baseline: { provider: "anthropic", model: "claude-sonnet-4-5" }, candidate: null, fallback: [], ...change };
}

/** A model on trial for a tenth of the tickets. */
export const aCandidate = { provider: "anthropic", model: "claude-haiku-4-5", share: 0.1, salt: "run_1" };

/** The specification of every store of routes. */
export function describeModelRoutes(name: string, open: () => Promise<ModelRoutingStore>): void {
  const aChange = (change: Partial<RouteChange> = {}): RouteChange => ({
    id: "implement",
    expected: 0,
    targets: someTargets(),
    by: "anna",
    reason: "first",
    ...change,
  });
  describe(`${name} as a store of routes`, () => {
    it("keeps routes by id, each with its version and whoever set it", async () => {
      const store = await open();
      expect(await store.read("implement")).toBeUndefined();
      const reply = await store.set(aChange({ id: "review" }));
      expect(reply).toMatchObject({ kind: "set", route: { id: "review", version: 1, ...someTargets(), by: "anna", reason: "first" } });
      await store.set(aChange());
      const targets = someTargets({ candidate: aCandidate, fallback: [{ provider: "openai", model: "gpt-5" }] });
      const next = await store.set(aChange({ expected: 1, targets, by: "run:1" }));
      expect(next).toMatchObject({ kind: "set", route: { version: 2, ...targets, by: "run:1" } });
      expect((await store.list()).map(({ id, version }) => [id, version])).toEqual([
        ["implement", 2],
        ["review", 1],
      ]);
      expect(await store.read("implement")).toEqual(next.route);
    });

    it("writes only from the version that was expected", async () => {
      const store = await open();
      await store.set(aChange());
      const targets = someTargets({ candidate: aCandidate });
      for (const expected of [0, 2, 7])
        expect(await store.set(aChange({ expected, targets }))).toMatchObject({ kind: "conflict", route: { version: 1 } });
      expect(await store.set(aChange({ id: "other", expected: 1 }))).toEqual({ kind: "conflict", route: undefined });
      expect(await store.read("implement")).toMatchObject({ version: 1, candidate: null });
    });

    it("answers that the same targets are set already, and leaves whose they are", async () => {
      const store = await open();
      await store.set(aChange());
      expect(await store.set(aChange({ by: "run:2" }))).toMatchObject({ kind: "set", route: { version: 1, by: "anna" } });
    });

    it("lets one of many at once win", async () => {
      const store = await open();
      const replies = await Promise.all(
        Array.from({ length: 8 }, async (_, nth) =>
          store.set(aChange({ targets: someTargets({ candidate: { ...aCandidate, share: nth / 8 } }) })),
        ),
      );
      expect(replies.filter(({ kind }) => kind === "set")).toHaveLength(1);
    });
  });
}
