import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { aCommandContext } from "../../../test/builders/command-context.ts";
import { runCli } from "../run-cli.ts";

const rule = (runbookd: string, grafana = "http://localhost:3000") =>
  `# a comment\n- runbook_url: ${runbookd}/runbooks/a\n  runbook_url: ${runbookd}/runbooks/a\n  dashboard_url: "${grafana}/d/a"\n`;
const first = (text: string) => text.replace("- runbook_url", "- url");

let workingDirectory: string;
beforeEach(() => {
  workingDirectory = mkdtempSync(join(tmpdir(), "rb-rules-"));
  mkdirSync(join(workingDirectory, "alerts/rules"), { recursive: true });
  writeFileSync(join(workingDirectory, "alerts/rules/a.rules.yml"), first(rule("http://localhost:9097")));
  writeFileSync(join(workingDirectory, "alerts/note.txt"), "runbook_url: http://localhost:9097/x\n");
});
afterEach(() => rmSync(workingDirectory, { recursive: true }));

const read = (path: string) => readFileSync(join(workingDirectory, path), "utf8");
const call = async (args: readonly string[], env: Record<string, string> = {}) => {
  const context = aCommandContext({ env, workingDirectory });
  return { code: await runCli(["rules", ...args], context, "1"), ...context.printed };
};

it("writes the public address into the rules, and touches nothing else", async () => {
  const { code, out } = await call(["--public-url", "https://runbookd.example/"]);
  expect([code, out]).toEqual([0, "alerts/rules/a.rules.yml\n"]);
  expect(read("alerts/rules/a.rules.yml")).toBe(
    first(rule("https://runbookd.example")).replace("- url: https://runbookd.example", "- url: http://localhost:9097"),
  );
  expect(read("alerts/note.txt")).toContain("localhost");
  expect((await call([], { RUNBOOKD_PUBLIC_URL: "https://runbookd.example" })).out).toContain("nothing was changed");
});

it("writes copies with the address of Grafana elsewhere, and leaves the files as they are", async () => {
  const grafana = ["--grafana-url", "https://grafana.example", "--out", "built"];
  expect(await call(["--public-url", "https://runbookd.example", ...grafana])).toMatchObject({ code: 0, out: "built/rules/a.rules.yml\n" });
  expect(read("built/rules/a.rules.yml")).toContain('dashboard_url: "https://grafana.example/d/a"');
  expect(read("alerts/rules/a.rules.yml")).toContain("runbook_url: http://localhost:9097/runbooks/a");
});

it("only says what it would change when it checks", async () => {
  expect(await call(["--public-url", "https://runbookd.example", "--check", "--json"])).toMatchObject({ code: 1 });
  expect(read("alerts/rules/a.rules.yml")).toContain("runbook_url: http://localhost:9097/runbooks/a");
});

it.each([
  [[], "RUNBOOKD_PUBLIC_URL"],
  [["nothing", "--public-url", "https://runbookd.example"], "does not exist"],
  [["--public-url", "javascript:alert(1)"], "--public-url must be an http(s) address"],
  [["--public-url", "https://user:secret@runbookd.example"], "--public-url must be"],
  [["--public-url", "https://runbookd.example/?a"], "--public-url must be"],
  [["--public-url", "https://runbookd.example", "--from", "localhost"], "--from must be"],
  [["--public-url", "https://runbookd.example", "--grafana-url", "x"], "--grafana-url must be"],
])("refuses %j", async (args, message) => {
  const { code, err } = await call(args);
  expect([code, err]).toEqual([2, expect.stringContaining(message)]);
});
