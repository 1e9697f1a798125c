import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { describe, expect, it } from "@jest/globals";
import type { Command } from "commander";
import { z } from "zod";
import { journalEntrySchema } from "../packages/sdk/src/wire/journal.ts";
import { outcomes, runStates } from "../packages/sdk/src/wire/runs.ts";
import { ticketStates } from "../packages/sdk/src/wire/tickets.ts";
import { packageFolder } from "../src/cli/process-context.ts";
import { createProgram } from "../src/cli/run-cli.ts";
import { loadConfig } from "../src/platform/config/load-config.ts";
import { aCommandContext } from "./builders/command-context.ts";

const root = packageFolder();
const manifest = z
  .looseObject({
    scripts: z.record(z.string(), z.string()),
    dependencies: z.record(z.string(), z.string()),
    peerDependencies: z.record(z.string(), z.string()),
  })
  .parse(JSON.parse(readFileSync(join(root, "package.json"), "utf8")));

function filesUnder(folder: string, ending: string): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

const documents = [
  ...readdirSync(root).filter((name) => name.endsWith(".md")),
  ...filesUnder("docs", ".md"),
  ...filesUnder("runbooks", ".md"),
].map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));

function withoutFences(text: string): string {
  return text.replace(/^(`{3,}|~{3,})[^\n]*\n[\s\S]*?^\1[ \t]*$/gm, "");
}

function headingAnchors(text: string): readonly string[] {
  return [...withoutFences(text).matchAll(/^#{1,6} +(.+)$/gm)].map(([, title = ""]) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .trim()
      .replaceAll(" ", "-"),
  );
}

describe.each(documents)("$path", ({ path, text }) => {
  it("has no dead relative link", () => {
    const links = [...withoutFences(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
    const dead = links
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => {
        const [file = "", anchor] = link.split("#");
        const target = file === "" ? path : normalize(join(dirname(path), file));
        if (!existsSync(join(root, target))) return true;
        return anchor !== undefined && !headingAnchors(readFileSync(join(root, target), "utf8")).includes(anchor);
      });
    expect(dead).toEqual([]);
  });

  it("names only npm scripts that exist", () => {
    const named = [...text.matchAll(/npm run (?:-s )?([a-z][a-z:-]*)/g)].map(([, name = ""]) => name);
    expect(named.filter((name) => manifest.scripts[name] === undefined)).toEqual([]);
  });

  it("names only commands that exist", async () => {
    const program = await createProgram(aCommandContext(), { exit: () => undefined, version: "0" });
    const named = [...text.matchAll(/(?:npx |`|\$ )runbookd ((?:[a-z-]+ ?)+)/g)].map(([, words = ""]) => words.trim().split(" "));
    expect(named.filter((words) => !namesCommand(program, words)).map((words) => words.join(" "))).toEqual([]);
  });
});

function namesCommand(program: Command, [name, member]: readonly string[]): boolean {
  const command = program.commands.find((candidate) => candidate.name() === name);
  if (command === undefined || command.commands.length === 0) return command !== undefined;
  // A group with options of its own does something by itself, too.
  if ((member === undefined || member.startsWith("-")) && command.options.length > 0) return true;
  return command.commands.some((candidate) => candidate.name() === member);
}

const relativeLinks = ({ path, text }: { readonly path: string; readonly text: string }) =>
  [...withoutFences(text).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target)
    .filter((link) => !/^[a-z]+:/.test(link) && !link.startsWith("#"))
    .map((link) => normalize(join(dirname(path), link.split("#")[0] ?? "")));

it("leads from docs/README.md to every page of docs in at most two steps", () => {
  const linksOf = (path: string) => documents.filter((document) => document.path === path).flatMap(relativeLinks);
  const first = linksOf("docs/README.md");
  const reached = new Set(["docs/README.md", ...first, ...first.flatMap(linksOf)]);
  const pages = documents.map(({ path }) => path).filter((path) => path.startsWith("docs/"));
  expect(pages.length).toBeGreaterThan(60);
  expect(pages.filter((path) => !reached.has(path))).toEqual([]);
});

it("draws every state of a run and of a ticket, and lists every outcome", () => {
  const text = readFileSync(join(root, "docs/architecture/lives.md"), "utf8");
  const drawn = [...text.matchAll(/^```mermaid\n([\s\S]*?)^```$/gm)].map(([, diagram = ""]) => [
    ...new Set(
      [...diagram.matchAll(/^ {2}(\w+) --> |--> (\w+):/gm)].flatMap(([, from, to]) => [from, to].filter((state) => state !== undefined)),
    ),
  ]);
  expect(drawn.map((states) => states.toSorted())).toEqual([[...runStates].toSorted(), [...ticketStates].toSorted()]);
  expect([...text.matchAll(/^\| `(\w+)` \|/gm)].map(([, outcome]) => outcome)).toEqual([...outcomes]);
});

it("lists each runtime dependency with its reason", () => {
  const text = readFileSync(join(root, "docs/adr/0007-runtime-dependencies.md"), "utf8");
  const listed = [...text.matchAll(/^\| `([^`]+)` \|/gm)].map(([, name = ""]) => name);
  expect(listed.toSorted()).toEqual(Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }).toSorted());
});

it("describes each kind of journal entry", () => {
  const kinds = journalEntrySchema.options.flatMap(({ shape }) => [...shape.kind.values]);
  const text = readFileSync(join(root, "docs/architecture/journal.md"), "utf8");
  const table = text.slice(text.indexOf("## Entries"), text.indexOf("## What is derived"));
  const described = [...table.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell = ""]) =>
    [...cell.matchAll(/`([a-z_]+)`/g)].map(([, kind = ""]) => kind),
  );
  expect(described.toSorted()).toEqual(kinds.toSorted());
});

it("names only folders and functions that exist in ARCHITECTURE.md", () => {
  const text = withoutFences(readFileSync(join(root, "ARCHITECTURE.md"), "utf8"));
  const sources = ["packages/sdk/src", "src", "workers"]
    .flatMap((folder) => filesUnder(folder, ".ts"))
    .map((path) => readFileSync(join(root, path), "utf8"))
    .join("\n");
  const names = [...text.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
  const missingPaths = names.filter(
    (name) => /^(packages|src|docs|workers|alerts|runbooks)\/?[\w./-]*$/.test(name) && !existsSync(join(root, name)),
  );
  const missingFunctions = names.filter(
    (name) =>
      /^[a-z]+[A-Z]\w+$/.test(name) && !new RegExp(`export (?:async )?(?:function\\*?|const|type|interface) ${name}\\b`).test(sources),
  );
  expect({ missingPaths, missingFunctions }).toEqual({ missingPaths: [], missingFunctions: [] });
});

it("lists each decision record", () => {
  const index = readFileSync(join(root, "docs/README.md"), "utf8");
  expect(readdirSync(join(root, "docs/adr")).filter((name) => !index.includes(`adr/${name}`))).toEqual([]);
});

it.each(["commands", "notifications"])("accepts the settings that docs/%s.md shows", (name) => {
  const text = readFileSync(join(root, "docs", `${name}.md`), "utf8");
  const [yaml = ""] = [...text.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, inside = ""]) => inside);
  const secrets: Readonly<Record<string, string>> = {
    "/run/secrets/slack-webhook": "https://hooks.slack.com/services/T/B/x",
    "/run/secrets/pagerduty": "0123456789abcdef0123456789abcdef",
    "/run/secrets/hub": "token",
  };
  const loaded = loadConfig({ env: {}, yaml, readFile: (path) => secrets[path] ?? "" });
  expect(loaded).toMatchObject({ ok: true });
});
