import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { actionCatalogue } from "../actions/registry.ts";

const root = join(import.meta.dirname, "../..");
const folders = ["packages/sdk/src", "src", "workers", "bench", "test"];
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
const sources = () => folders.flatMap((folder) => filesBelow(folder)).filter((file) => file.endsWith(".ts") && !file.endsWith(".d.ts"));
const placeOf = (file: string, specifier: string) => (specifier.startsWith(".") ? join(dirname(file), specifier) : specifier);
/** The first row is the highest. */
const rowOf = (file: string) => rows.findIndex((row) => row.some((folder) => file.startsWith(`${folder}/`)));
const rows = [
  ["packages/sdk/src/wire"],
  ["src/core"],
  ["src/runbook", "src/analysis", "src/workload"],
  ["src/intake", "src/guardrails", "src/actions", "src/engine"],
  ["src/config", "src/telemetry"],
  ["src/redis", "src/queue", "src/adapters", "src/simulators"],
  ["src/reports", "src/http"],
  ["workers"],
  ["src/cli", "src/demo"],
];

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

  it("let a port of a lower row be named by type only", () => {
    const offenders = sources()
      .filter((file) => !isTest(file))
      .flatMap((file) =>
        runtimeImports(file)
          .map((specifier) => placeOf(file, specifier))
          .filter((place) => place.endsWith("/ports.ts") && rowOf(place) > rowOf(file) && rowOf(file) >= 0)
          .map((place) => `${file} → ${place}`),
      );
    expect(offenders).toEqual([]);
  });

  it("let wiring name a library's types only", () => {
    const homes: { readonly [library: string]: RegExp } = {
      bullmq: /^workers\//,
      ioredis: /^src\/cli\//,
      express: /^$/,
      nodemailer: /^$/,
      "prom-client": /^$/,
      undici: /^$/,
    };
    const offenders = sources()
      .filter((file) => !isTest(file) && /^(workers|src\/cli|src\/demo)\//.test(file))
      .flatMap((file) => runtimeImports(file).map((specifier) => ({ file, specifier })))
      .filter(({ file, specifier }) => homes[specifier]?.test(file) === false);
    expect(offenders).toEqual([]);
  });

  it("let the demonstration's workload take nothing that runs from us but the small client", () => {
    const offenders = filesBelow("src/demo/workload")
      .filter((file) => file.endsWith(".ts") && !isTest(file))
      .flatMap((file) => runtimeImports(file).map((specifier) => placeOf(file, specifier)))
      .filter((place) => /^(packages|src|workers)\//.test(place) && !/^(packages\/sdk\/src|src\/demo\/workload)\//.test(place));
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

const actionFiles = () =>
  filesBelow("src/actions").filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && /= defineAction\b/.test(read(file)));

it("registers every action, under the name of its file", () => {
  const names = actionFiles().map((file) => file.replace(/^.*\/|\.ts$/g, ""));
  expect(names.length).toBeGreaterThan(5);
  expect([...actionCatalogue.names].sort()).toEqual(names.sort());
});

it("calls no file by what says nothing", () => {
  const vague = /(^|[-/])(utils?|helpers?|common|misc|manager)\.ts$|\/(lib|index)\.ts$/;
  expect(folders.flatMap((folder) => filesBelow(folder)).filter((file) => vague.test(file))).toEqual([]);
});

it("locks the optional packages of every platform, without which `npm ci` refuses; setup/complete-lock.js adds them", () => {
  const { packages }: { packages: { readonly [path: string]: { readonly optionalDependencies?: object } } } = JSON.parse(
    read("package-lock.json"),
  );
  const locked = new Set(Object.keys(packages).map((path) => path.replace(/^.*node_modules\//, "")));
  const optional = Object.values(packages).flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies));
  expect(optional.length).toBeGreaterThan(50);
  expect(optional.filter((name) => !locked.has(name))).toEqual([]);
});
