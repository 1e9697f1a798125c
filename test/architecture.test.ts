import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { actionCatalogue } from "../src/app/action-registry.ts";

const root = join(import.meta.dirname, "..");
const folders = ["packages/sdk/src", "src", "workers", "demo", "bench", "test"];
const filesBelow = (folder: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((file) => join(folder, file));
const read = (file: string) => readFileSync(join(root, file), "utf8");

interface Module {
  readonly source: string;
  readonly dependencies: readonly { readonly resolved: string }[];
}
interface Cruise {
  readonly modules: readonly Module[];
  readonly summary: {
    readonly violations: readonly { readonly from: string; readonly to: string; readonly rule: { readonly name: string } }[];
  };
}

/** What a file imports to run, as written; `import type` is not among it. */
const runtimeImports = (file: string) =>
  [...read(file).matchAll(/^(?:import|export)\s+(?!type\b)(?:[^;"]*?\sfrom\s+)?"([^"]+)"/gm)].map((match) => match[1] ?? "");

const isTest = (file: string) => file.endsWith(".test.ts") || /^(src\/testing|test)\//.test(file);
const sources = () =>
  folders
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => filesBelow(folder))
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"));
const placeOf = (file: string, specifier: string) => (specifier.startsWith(".") ? join(dirname(file), specifier) : specifier);

describe("the layers", () => {
  let report: Cruise;
  beforeAll(() => {
    const text = execFileSync(
      process.execPath,
      [
        "node_modules/dependency-cruiser/bin/dependency-cruise.mjs",
        ...folders.filter((folder) => existsSync(join(root, folder))),
        "--config",
        ".dependency-cruiser.cjs",
        "--output-type",
        "json",
      ],
      { cwd: root, encoding: "utf8", maxBuffer: 1 << 26 },
    );
    report = JSON.parse(text);
  }, 60_000);

  it("were checked for every source file, not for an empty set", () => {
    const cruised = new Set(report.modules.map(({ source }) => source));
    expect(sources().length).toBeGreaterThan(100);
    expect(sources().filter((file) => !cruised.has(file))).toEqual([]);
  });

  it("hold", () => {
    expect(report.summary.violations.map(({ from, to, rule }) => `${rule.name}: ${from} → ${to}`)).toEqual([]);
  });

  it("let only a library's home run it; elsewhere its types are named", () => {
    const homes: { readonly [library: string]: RegExp } = {
      bullmq: /^(src\/(platform\/)?queue|workers)\//,
      ioredis: /^src\/(platform\/)?redis\//,
      express: /^src\/platform\/http\//,
      nodemailer: /\/smtp\//,
      "prom-client": /telemetry\//,
      undici: /^src\/(adapters|platform\/requests)\//,
    };
    const offenders = sources()
      .filter((file) => !isTest(file) && /^(src\/(?!demo|simulators)|workers)/.test(file))
      .flatMap((file) => runtimeImports(file).map((specifier) => ({ file, specifier })))
      .filter(({ file, specifier }) => homes[specifier]?.test(file) === false);
    expect(offenders).toEqual([]);
  });

  it("let the demonstration's workload take nothing that runs from us but the small client", () => {
    const workload = sources().filter((file) => /^(src\/)?demo\/workload\//.test(file) && !isTest(file));
    expect(workload.length).toBeGreaterThan(5);
    const offenders = workload
      .flatMap((file) => runtimeImports(file).map((specifier) => placeOf(file, specifier)))
      .filter((place) => /^(packages|src|workers|demo)\//.test(place) && !/^(packages\/sdk\/src|(src\/)?demo\/workload)\//.test(place));
    expect(offenders).toEqual([]);
  });

  it("keep actions strangers to each other", () => {
    const actions = new Set(actionFiles());
    const between = [...actions].flatMap((file) =>
      runtimeImports(file)
        .map((specifier) => placeOf(file, specifier))
        .filter((place) => actions.has(place))
        .map((place) => `${file} → ${place}`),
    );
    expect(between).toEqual([]);
  });
});

const actionFiles = () => sources().filter((file) => file.startsWith("src/") && !isTest(file) && /= defineAction\b/.test(read(file)));

it("registers every action, under the name of its file", () => {
  const names = actionFiles().map((file) => file.replace(/^.*\/|\.ts$/g, ""));
  expect(names.length).toBeGreaterThan(5);
  expect([...actionCatalogue.names].sort()).toEqual(names.sort());
});

it("calls no file by what says nothing", () => {
  const vague = /(^|[-/])(utils?|helpers?|common|misc|manager)\.ts$|\/(lib|index)\.ts$/;
  expect(sources().filter((file) => vague.test(file))).toEqual([]);
});

it("names in .git-blame-ignore-revs only commits of this history", () => {
  const hashes = read(".git-blame-ignore-revs")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
  expect(hashes.length).toBeGreaterThan(20);
  expect(hashes.filter((hash) => !/^[0-9a-f]{40}$/.test(hash))).toEqual([]);
  // A tree that was exported, or cloned without its history, has nothing to look them up in.
  const git = (...args: readonly string[]) => spawnSync("git", args, { cwd: root, encoding: "utf8" });
  if (git("rev-parse", "--is-shallow-repository").stdout.trim() !== "false") return;
  expect(hashes.filter((hash) => git("merge-base", "--is-ancestor", hash, "HEAD").status !== 0)).toEqual([]);
});
