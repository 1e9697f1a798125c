import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { actionCatalogue } from "../src/app/action-registry.ts";

const root = join(import.meta.dirname, "..");
const folders = ["packages/sdk/src", "src", "workers", "demo", "bench", "test"];
const filesBelow = (folder: string) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    // What a folder of tests has installed for itself.
    .filter((file) => !file.includes("node_modules/"))
    .map((file) => join(folder, file));
const read = (file: string) => readFileSync(join(root, file), "utf8");

interface Module {
  readonly source: string;
  readonly dependencies: readonly { readonly resolved: string }[];
}
interface Cruise {
  readonly modules: readonly Module[];
  readonly summary: {
    readonly ruleSetUsed: { readonly forbidden: readonly { readonly name: string; readonly from: { readonly path?: string } }[] };
    readonly violations: readonly { readonly from: string; readonly to: string; readonly rule: { readonly name: string } }[];
  };
}

/** What a file imports to run, as written; `import type` is not among it. */
const runtimeImports = (file: string) =>
  [...read(file).matchAll(/^(?:import|export)\s+(?!type\b)(?:[^;"]*?\sfrom\s+)?"([^"]+)"/gm)].map((match) => match[1] ?? "");

const isTest = (file: string) => /\.test\.tsx?$/.test(file) || file.startsWith("test/");
const isSource = (file: string) => /\.tsx?$/.test(file) && !file.endsWith(".d.ts");
const sources = () => folders.flatMap((folder) => filesBelow(folder)).filter(isSource);
const placeOf = (file: string, specifier: string) => (specifier.startsWith(".") ? join(dirname(file), specifier) : specifier);

describe("the layers", () => {
  let report: Cruise;
  beforeAll(() => {
    const text = execFileSync(
      process.execPath,
      [
        "node_modules/dependency-cruiser/bin/dependency-cruise.mjs",
        ...folders,
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

  it("are the folders of the sources: none is missing from the order, and none in it is empty", () => {
    const top = readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !/^(\..*|node_modules|dist|coverage)$/.test(entry.name))
      .filter(({ name }) => filesBelow(name).some((file) => isSource(file)));
    expect(new Set(top.map(({ name }) => name))).toEqual(new Set(folders.map((folder) => folder.split("/")[0])));
    const order = report.summary.ruleSetUsed.forbidden
      .filter(({ name }) => name.endsWith("-imports-what-comes-before-it"))
      .map(({ from }) => new RegExp(from.path ?? ""));
    // The client has a rule of its own.
    const ordered = sources().filter((file) => !/^packages\/sdk\/src\/(?!wire\/)/.test(file));
    expect(ordered.filter((file) => !order.some((folder) => folder.test(file)))).toEqual([]);
    expect(order.filter((folder) => !ordered.some((file) => folder.test(file)))).toEqual([]);
  });

  it("let only the home of ioredis run it; a store names the type of its connection", () => {
    const running = sources().filter((file) => /^(src|workers)\//.test(file) && !isTest(file) && runtimeImports(file).includes("ioredis"));
    expect(running.filter((file) => !file.startsWith("src/platform/redis/"))).toEqual([]);
  });

  it("let the demonstration's workload take nothing that runs from us but the small client", () => {
    const workload = sources().filter((file) => file.startsWith("demo/workload/") && !isTest(file));
    expect(workload.length).toBeGreaterThan(5);
    const offenders = workload
      .flatMap((file) => runtimeImports(file).map((specifier) => placeOf(file, specifier)))
      .filter((place) => /^(packages|src|workers|demo)\//.test(place) && !/^(packages\/sdk\/src|demo\/workload)\//.test(place));
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

it("gives a name to one file only, but for the names that every slice has", () => {
  const fixed = new Set(["store.ts", "redis-store.ts", "redis-scripts.ts", "routes.ts", "metrics.ts", "jobs.ts"]);
  // The wire names the shapes of what the folders of the product are named after.
  const names = sources()
    .filter((file) => /^(src|workers)\//.test(file) && !isTest(file))
    .map((file) => file.replace(/^.*\//, ""))
    .filter((name) => !fixed.has(name));
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
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
