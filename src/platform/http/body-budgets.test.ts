import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { createBodyBudgets } from "./body-budgets.ts";

const application = { name: "shop", role: "workload" } as const;
const person = { name: "ada", role: "operator" } as const;

describe("the memory of bodies", () => {
  it("is never taken from the webhook, nor from people by applications", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom("a", "b", "c", "d"), fc.nat({ max: 400 })), { maxLength: 50 }), (taken) => {
        const budgets = createBodyBudgets(1600);
        for (const [name, bytes] of taken) budgets.ofCaller({ name, role: "workload" }).take(bytes);
        expect(budgets.webhook.take(800)).toBe(true);
        expect(budgets.ofCaller(person).take(200)).toBe(true);
      }),
    );
  });

  it("is never taken whole by one caller, and is given back", () => {
    const budgets = createBodyBudgets(1600);
    expect(budgets.ofCaller(application).take(201)).toBe(false);
    expect(budgets.ofCaller(application).take(200)).toBe(true);
    expect(budgets.ofCaller(application).take(1)).toBe(false);
    expect(budgets.ofCaller({ name: "chat", role: "workload" }).take(200)).toBe(true);
    expect(budgets.ofCaller({ name: "third", role: "workload" }).take(1)).toBe(false);
    budgets.ofCaller(application).give(200);
    expect(budgets.ofCaller({ name: "third", role: "workload" }).take(200)).toBe(true);
  });
});
