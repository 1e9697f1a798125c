import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "@jest/globals";
import { aCommandContext } from "../../../test/builders/command-context.ts";
import { runCli } from "../run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "prices-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, value: unknown) =>
  writeFileSync(join(folder, name), typeof value === "string" ? value : JSON.stringify(value));
const run = async (...args: readonly string[]) => {
  const context = aCommandContext({ workingDirectory: folder });
  const code = await runCli(["prices", ...args], context, "1");
  return { code, ...context.printed };
};

describe("runbookd prices", () => {
  it("shows what a model costs on a day, in USD per million tokens", async () => {
    const { code, out } = await run("show", "openai", "gpt-5.6-terra", "--at", "2026-08-15", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      inputPerMTok: 2,
      cachedInputPerMTok: 0.2,
      outputPerMTok: 12,
      steps: [{ above: 272_000, inputPerMTok: 4 }],
    });
    expect((await run("show", "anthropic", "claude-opus-4-8", "--at", "2026-08-15")).out).toMatch(
      /fast +200 % of it[\s\S]*web_search +10 per thousand/,
    );
  });

  it("says that a model has no price, with exit code 1", async () => {
    const shown = await run("show", "openai", "gpt-9", "--at", "2026-08-15", "--json");
    expect([shown.code, JSON.parse(shown.out).unpriced]).toEqual([1, "unknown_model"]);
    expect((await run("show", "openai", "gpt-9", "--at", "August")).code).toBe(2);
  });

  it("names every wrong row of a table", async () => {
    const row = { provider: "p", model: "m", from: "2026-01-01", input: 1, output: 1 };
    write("good.json", [row]);
    write("bad.json", [row, row, { ...row, from: "2026-02-01", input: -1 }]);
    expect((await run("check", "good.json")).out).toBe("good.json: 1 rows, no faults\n");
    const bad = await run("check", "bad.json");
    expect([bad.code, bad.err]).toEqual([1, expect.stringMatching(/bad\.json: 2\.input/)]);
    write("none.json", "{");
    expect((await run("check", "none.json")).err).toContain("none.json cannot be read");
  });

  it("takes prices of one's own before the shipped ones", async () => {
    write("own.json", [
      { provider: "openai", model: "gpt-5", from: "2026-01-01", input: 1_000_000, output: 2_000_000, source: "contract" },
    ]);
    write("runbookd.yml", "price_overlay: own.json\n");
    const shown = await run("show", "openai", "gpt-5", "--at", "2026-08-15", "--json");
    expect(JSON.parse(shown.out)).toMatchObject({ inputPerMTok: 1, outputPerMTok: 2, source: "contract" });
    expect((await run("list", "--provider", "openai")).out).toMatch(/gpt-5 +2026-01-01 +1 +2 +contract/);
    write("own.json", "[{}]");
    expect((await run("list")).code).toBe(78);
    rmSync(join(folder, "runbookd.yml"));
  });

  it("imports a published list, writes what it can express and names the others", async () => {
    const chat = { litellm_provider: "mistral", mode: "chat", input_cost_per_token: 2e-6, output_cost_per_token: 6e-6 };
    write("list.json", { "mistral/large": chat, other: { ...chat, mode: "rerank" }, "gemini/x": { ...chat, litellm_provider: "gemini" } });
    const args = ["import", "list.json", "--format", "litellm", "--provider", "mistral_ai", "--from", "2026-01-01", "--output", "out.json"];
    const imported = await run(...args);
    expect([imported.code, imported.err]).toEqual([0, expect.stringContaining("left out: other")]);
    expect(JSON.parse(readFileSync(join(folder, "out.json"), "utf8"))).toMatchObject([
      { provider: "mistral_ai", model: "large", input: 2_000_000 },
    ]);
    expect((await run("check", "out.json")).code).toBe(0);
    expect((await run("import", "list.json")).code).toBe(2);
    expect((await run("import", "list.json", "--format", "genai-prices")).err).toContain("is no list of genai-prices");
  });
});
