import { expect, it } from "@jest/globals";
import { externalIdSchema } from "../../../packages/sdk/src/wire/names.ts";
import { ticketIdOf } from "./ticket-id.ts";

it("is readable, different for different references, and never longer than an id may be", () => {
  expect(ticketIdOf("nightly", "acme/shop#7")).toBe("nightly/acme/shop#7");
  const long = ["a", "b"].map((end) => ticketIdOf("n".repeat(100), "r".repeat(127) + end));
  expect(new Set(long).size).toBe(2);
  for (const id of long) expect(externalIdSchema.safeParse(id).success).toBe(true);
});
