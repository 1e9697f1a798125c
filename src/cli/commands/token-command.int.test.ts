import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { aCommandContext } from "../../../test/builders/command-context.ts";
import { runCli } from "../run-cli.ts";

let workingDirectory = "";
beforeEach(() => {
  workingDirectory = mkdtempSync(join(tmpdir(), "runbookd-token-"));
});
afterEach(() => rmSync(workingDirectory, { recursive: true }));

async function token(...args: readonly string[]) {
  const context = aCommandContext({ workingDirectory });
  return { code: await runCli(["token", ...args], context, "1"), ...context.printed };
}

it("prints a token once and keeps it out of the list", async () => {
  const created = await token("create", "anna", "--role", "operator");
  expect(created.code).toBe(0);
  expect(created.out).toMatch(/^rbd_[\w-]{43}\n$/);
  const listed = await token("list");
  expect(listed.out).toMatch(/^NAME {2}ROLE {6}CREATED\nanna {2}operator {2}/);
  expect(listed.out).not.toContain(created.out.trim());
});

it("writes a file that others cannot read", async () => {
  await token("create", "anna");
  expect(statSync(join(workingDirectory, ".runbookd/tokens.json")).mode & 0o777).toBe(0o600);
});

it("answers 1 to a name that is taken and 2 to one that is none", async () => {
  await token("create", "anna");
  expect((await token("create", "anna")).code).toBe(1);
  expect((await token("create", "an na")).code).toBe(2);
  expect((await token("create", "bert", "--role", "king")).code).toBe(2);
});

it("revokes", async () => {
  await token("create", "anna");
  expect((await token("revoke", "anna")).code).toBe(0);
  expect((await token("revoke", "anna")).code).toBe(1);
  expect((await token("list")).out).toBe("No tokens.\n");
});
