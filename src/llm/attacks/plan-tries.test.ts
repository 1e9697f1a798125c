import { describe, expect, it } from "@jest/globals";
import { aCorpus, aHarmlessRequest, anAttack } from "../../../test/builders/an-attack.ts";
import { planAttacks, planHarmless } from "./plan-tries.ts";

const three = aCorpus({
  attacks: [anAttack({ id: "a", variants: [["one"], ["two"]] }), anAttack({ id: "b" }), anAttack({ id: "c" })],
  harmless: [aHarmlessRequest({ id: "x" }), aHarmlessRequest({ id: "y" })],
});

describe("the tries of a replay", () => {
  it("are spread evenly over the attacks, and over the variants of each", () => {
    const planned = planAttacks(three, 7, "key");
    expect(planned.map(({ sent }) => sent.id)).toEqual([
      "attack/a/1",
      "attack/b/1",
      "attack/c/1",
      "attack/a/2",
      "attack/b/2",
      "attack/c/2",
      "attack/a/3",
    ]);
    expect(planned.filter(({ attack }) => attack.id === "a").map(({ sent }) => sent.turns)).toEqual([["one"], ["two"], ["one"]]);
  });

  it("give each attack one try at least", () => {
    expect(planAttacks(three, 1, "key")).toHaveLength(3);
    expect(planAttacks(three, 60, "key")).toHaveLength(60);
  });

  it("each have a honeytoken of their own, which is another one in another replay", () => {
    const tokens = [...planAttacks(three, 60, "key"), ...planAttacks(three, 60, "other"), ...planHarmless(three, 10, "key")].map(
      ({ sent }) => sent.honeytoken,
    );
    expect(new Set(tokens).size).toBe(130);
    expect(tokens.filter((token) => !/^[0-9a-f]{32}$/.test(token))).toEqual([]);
    expect(planAttacks(three, 60, "key")).toEqual(planAttacks(three, 60, "key"));
  });
});

describe("harmless requests", () => {
  it("are repeated evenly, each at least once", () => {
    expect(planHarmless(three, 3, "key").map(({ sent }) => sent.id)).toEqual(["harmless/x/1", "harmless/y/1", "harmless/x/2"]);
    expect(planHarmless(three, 1, "key")).toHaveLength(2);
  });

  it("are none where none is asked for or recorded", () => {
    expect(planHarmless(three, 0, "key")).toEqual([]);
    expect(planHarmless(aCorpus({ harmless: [] }), 40, "key")).toEqual([]);
  });
});
