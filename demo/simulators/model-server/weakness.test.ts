import { expect, it } from "@jest/globals";
import { createWeaknesses } from "./weakness.ts";

const usersOf = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}-${index}`);

it("lets a model fail at exactly the share of users, spread evenly, and at every request of the same ones", () => {
  const weaknesses = createWeaknesses();
  weaknesses.set({ model: "bad", users: "", share: 0.1 });
  weaknesses.set({ model: "bad", users: "TICKET", share: 0.3 });
  const tickets = usersOf("TICKET", 100);
  const fails = tickets.map((user) => weaknesses.fails("bad", user));
  expect(Array.from({ length: 10 }, (_, tenth) => fails.slice(10 * tenth, 10 * tenth + 10).filter(Boolean).length)).toEqual(
    Array.from({ length: 10 }, () => 3),
  );
  expect([3, 3, 0].map((index) => weaknesses.fails("bad", tickets[index] ?? ""))).toEqual([true, true, false]);
  expect(usersOf("SAMPLE", 100).filter((user) => weaknesses.fails("bad", user))).toHaveLength(10);
  expect(tickets.filter((user) => weaknesses.fails("good", user))).toEqual([]);
});

it("changes the share for users that come later, and goes on where it was", () => {
  const weaknesses = createWeaknesses();
  weaknesses.set({ model: "old", users: "T", share: 0.5 });
  expect(weaknesses.fails("old", "T1")).toBe(false);
  weaknesses.set({ model: "old", users: "T", share: 0.25 });
  expect(["T2", "T3", "T1"].map((user) => weaknesses.fails("old", user))).toEqual([false, true, false]);
});
