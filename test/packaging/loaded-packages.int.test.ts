import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "@jest/globals";
import { z } from "zod";
import { readManifest } from "./manifest.ts";

const root = join(import.meta.dirname, "../..");
const manifest = readManifest(root);
const direct = new Set([...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)]);
const coverageShape = z.looseObject({ result: z.array(z.looseObject({ url: z.string() })) });

/** Names of the packages of which the command loaded a file, imported or required: V8 reports every script that it ran. Needs the build. */
function packagesLoadedBy(...args: readonly string[]): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), "rb-loaded-"));
  try {
    const env = { PATH: process.env["PATH"], NODE_V8_COVERAGE: folder };
    const { status, stderr } = spawnSync(process.execPath, ["bin/runbookd.js", ...args], { cwd: root, encoding: "utf8", env });
    if (status !== 0) throw new Error(stderr);
    const scripts = readdirSync(folder).flatMap((file) => coverageShape.parse(JSON.parse(readFileSync(join(folder, file), "utf8"))).result);
    if (!scripts.some(({ url }) => url.endsWith("/dist/src/cli/main.js"))) throw new Error("V8 reported no script of the program.");
    const names = scripts.map(({ url }) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1] ?? "");
    return [...new Set(names)].filter((name) => direct.has(name)).toSorted();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

it("loads for --version and --help nothing but the parser of command lines", () => {
  expect(packagesLoadedBy("--version")).toEqual(["commander"]);
  expect(packagesLoadedBy("--help")).toEqual(["commander"]);
});

it("loads for lint what reads documents, rules and expressions, and nothing that talks to others", () => {
  expect(packagesLoadedBy("lint")).toEqual([
    "@lezer/common",
    "@marcbachmann/cel-js",
    "@prometheus-io/lezer-promql",
    // The catalog of actions holds the one that decides a severity, and this computes a score and nothing else.
    "commander",
    "mdast-util-from-markdown",
    "mdast-util-frontmatter",
    "mdast-util-gfm",
    "mdast-util-to-string",
    "micromark-extension-frontmatter",
    "micromark-extension-gfm",
    "re2js",
    "yaml",
    "zod",
  ]);
});

it("loads for doctor the client of Redis, so that the two tests above would see it", () => {
  expect(packagesLoadedBy("doctor", "--help")).toContain("ioredis");
});
