import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { aCommandContext } from "../../../test/builders/command-context.ts";
import { sarifDocument } from "../../../test/builders/finding-documents.ts";
import { runCli } from "../run-cli.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "findings-"));
});
afterAll(async () => rm(folder, { recursive: true }));

/** Runs the import of a file, answered with a result for each finding. */
async function importFile(content: string | Uint8Array, { results = ["created"], args = [] as readonly string[] } = {}) {
  await writeFile(join(folder, "file.json"), content);
  const items = results.map((result, nth) => ({ at: `findings[${nth}]`, result, id: `finding-${nth}`, feature: "export" }));
  const counts = { created: 0, updated: 0, unchanged: 0, older: 0, unreadable: 0, refused: 0, passed_over: 0 };
  const answers = { "POST /api/findings": { status: 200, body: { items, counts, warnings: [] } } };
  const context = aCommandContext({ answers, workingDirectory: folder });
  return { code: await runCli(["findings", "import", "file.json", ...args], context, "1"), ...context };
}

it("sends what it reads of a document, and tells of every item at its place in the file", async () => {
  const results = ["created", "updated", "unchanged", "older", "created"];
  const { code, printed, requests } = await importFile(JSON.stringify(sarifDocument()), {
    results,
    args: ["--repository", "acme/desk", "--json"],
  });
  expect(code).toBe(0);
  expect(requests).toMatchObject([
    {
      url: expect.stringMatching(/\/api\/findings\?format=generic$/),
      body: { findings: [{ source: "codeql", location: { repository: "acme/desk" } }, {}, {}, {}, {}] },
    },
  ]);
  const { items, counts } = JSON.parse(printed.out);
  expect(items.map(({ at, result }: { at: string; result: string }) => `${at} ${result}`)).toEqual([
    "runs[0].results[0] created",
    "runs[0].results[1] updated",
    "runs[0].results[2] unchanged",
    "runs[0].results[3] passed_over",
    "runs[1].results[0] older",
    "runs[2].results[0] created",
  ]);
  expect(counts).toMatchObject({ created: 2, passed_over: 1 });
});

it("passes on that the tool's scan failed, which findings alone do not say", async () => {
  const document = Object(sarifDocument());
  const failed = { ...document, runs: [{ ...Object(document.runs[0]), invocations: [{ executionSuccessful: false }] }] };
  const { code, printed, requests } = await importFile(JSON.stringify(failed), { results: ["created", "created", "created"] });
  expect(code).toBe(1);
  expect(requests).toMatchObject([{ url: expect.stringMatching(/\?format=generic&failed=true$/) }]);
  expect(printed.err).toContain("The tool says that its run failed");
});

it("answers no when an item could not be read, and says which", async () => {
  const { code, printed } = await importFile(JSON.stringify({ findings: [7, { source: "x", ref: "1", title: "One" }] }));
  expect(code).toBe(1);
  expect(printed.out).toContain("findings[0]: unreadable: The item is not an object.");
  expect(printed.out).toContain("2 items: 1 created, 1 unreadable.");
});

it.each([
  ["bytes that are no UTF-8", new Uint8Array([0x7b, 0xff, 0x7d]), "1:2: The byte 0xff is no UTF-8"],
  ["text that is no JSON", "{", "not one JSON document"],
  ["a document of no format", "{}", "none of SARIF"],
])("refuses %s and sends nothing", async (_name, content, reason) => {
  const { code, printed, requests } = await importFile(content);
  expect([code, requests]).toEqual([1, []]);
  expect(printed.err).toContain(reason);
  expect(printed.err).toContain("Nothing was imported.");
});

it("says how far it came when the server no longer answers", async () => {
  await writeFile(join(folder, "file.json"), JSON.stringify([{ source: "x", ref: "1", title: "One" }]));
  const context = aCommandContext({ workingDirectory: folder });
  expect(await runCli(["findings", "import", "file.json"], context, "1")).toBe(1);
  expect(context.printed.err).toContain("0 of 1 items were imported; the same import again goes on.");
  expect(await runCli(["findings", "import", "gone.json"], context, "1")).toBe(1);
  expect(context.printed.err).toContain("gone.json: The file cannot be read.");
});
