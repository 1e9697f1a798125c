import { expect, it } from "@jest/globals";
import { aCommandContext } from "../../../test/builders/command-context.ts";
import { aNewVersion } from "../../../test/contracts/describe-prompt-store.ts";
import { runCli } from "../run-cli.ts";

const summary = {
  prompt: "implement",
  version: 2,
  hash: "h",
  status: "production",
  labels: ["production"],
  origin: "optimizer",
  note: "better",
  createdAt: 0,
  createdBy: "run:1",
};
const state = {
  name: "implement",
  latest: 2,
  labels: { production: 2 },
  canary: { version: 2, share: 0.1, salt: "s" },
  versions: [summary],
};
const version = {
  ...aNewVersion("You fix tickets."),
  prompt: "implement",
  version: 2,
  hash: "h",
  parent: 1,
  createdAt: 0,
  createdBy: "run:1",
};

it("lists versions with their labels and the canary", async () => {
  const context = aCommandContext({ answers: { "GET /api/prompts/implement": { status: 200, body: state } } });
  expect(await runCli(["prompts", "versions", "implement"], context, "1")).toBe(0);
  expect(context.printed.out).toMatch(/2 +production +production +optimizer +run:1 .* better/);
  expect(context.printed.out).toContain("Version 2 is with 10 % of the tickets.");
});

it("shows the layers and markers of the version labelled production", async () => {
  const answers = {
    "GET /api/prompts/implement": { status: 200, body: state },
    "GET /api/prompts/implement/versions/2": { status: 200, body: version },
  };
  const context = aCommandContext({ answers });
  expect(await runCli(["prompts", "show", "implement"], context, "1")).toBe(0);
  expect(context.printed.out).toMatch(/implement, version 2, made by run:1 \(human\) from version 1/);
  expect(context.printed.out).toMatch(/rules +system +static +no +16 +1h/);
});

it("moves a label from where it was read, and says how to move it back", async () => {
  const answers = {
    "GET /api/prompts/implement": { status: 200, body: state },
    "PUT /api/prompts/implement/labels/production": { status: 200, body: { label: "production", before: 2, after: 1 } },
  };
  const context = aCommandContext({ answers });
  expect(await runCli(["prompts", "label", "implement", "production", "1", "--reason", "worse"], context, "1")).toBe(0);
  expect(context.requests[1]?.body).toEqual({ version: 1, expected: 2, reason: "worse" });
  expect(context.printed.out).toBe("production of implement: 2 -> 1. Undo: runbookd prompts label implement production 2\n");
  expect(await runCli(["prompts", "label", "implement", "production", "soon"], aCommandContext(), "1")).toBe(2);
});

it("prints JSON where that is asked for, with options behind the member's name", async () => {
  const context = aCommandContext({ answers: { "GET /api/prompts/implement": { status: 200, body: state } } });
  expect(await runCli(["prompts", "versions", "implement", "--json"], context, "1")).toBe(0);
  expect(JSON.parse(context.printed.out)).toMatchObject({ latest: 2 });
});
