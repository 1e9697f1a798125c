import { expect, it } from "@jest/globals";
import { sendToAll } from "./event.ts";

it("passes every event to each sink, in the order of the sinks", () => {
  const received: string[] = [];
  const publish = sendToAll<{ readonly kind: "opened" | "closed" }>([
    ({ kind }) => void received.push(`first ${kind}`),
    ({ kind }) => void received.push(`second ${kind}`),
  ]);
  publish({ kind: "opened" });
  publish({ kind: "closed" });
  expect(received).toEqual(["first opened", "second opened", "first closed", "second closed"]);
});
