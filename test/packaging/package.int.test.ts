import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { copyOfCheckout } from "./copy-of-checkout.ts";
import { filesBelow } from "./image-tree.ts";
import { readManifest } from "./manifest.ts";

const root = join(import.meta.dirname, "../..");
const manifest = readManifest(root);
const packShape = z.tuple([
  z.looseObject({ entryCount: z.int(), unpackedSize: z.int(), files: z.array(z.looseObject({ path: z.string(), mode: z.int() })) }),
]);

/** What a package may hold, by place and ending. */
const permitted = [
  /^(package\.json|LICENSE|README\.md|CHANGELOG\.md|SECURITY\.md)$/,
  /^bin\/[\w-]+\.js$/,
  /^dist\/(src|workers|packages)\/.+\.(js|lua|json|html|css|svg)$/,
  /^dist\/src\/console\/([\w.-]+\.(br|gz)|licenses\.txt)$/,
  /^dist\/.+\.d\.ts$/,
  /^docs\/.+\.md$/,
  /^runbooks\/.+\.(md|yml)$/,
  /^alerts\/.+\.yml$/,
  /^grafana\/.+\.(json|yml)$/,
];
/** What serves only a clone, wherever it is. */
const cloneOnly = /\.test\.|\.map$|(^|\/)(tests?|testing|fixtures|bench|demo|setup|node_modules)\//;

describe("the package", () => {
  let folder: string;
  let pack: z.output<typeof packShape>[0];
  let paths: ReadonlySet<string>;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "rb-package-"));
    copyOfCheckout(root, folder);
    // What a build for development leaves must not be packed.
    for (const left of ["dist/bench/bench.js", "dist/test/servers/until.js", "dist/src/cli/main.test.js", "dist/src/cli/main.js.map"]) {
      mkdirSync(dirname(join(folder, left)), { recursive: true });
      writeFileSync(join(folder, left), "");
    }
    const { NODE_OPTIONS: _, ...env } = process.env;
    const { status, stdout, stderr } = spawnSync("npm", ["pack", "--dry-run", "--json"], { cwd: folder, encoding: "utf8", env });
    if (status !== 0) throw new Error(`npm pack failed:\n${stdout}${stderr}`);
    [pack] = packShape.parse(JSON.parse(stdout));
    paths = new Set(pack.files.map(({ path }) => path));
  }, 120_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const read = (path: string) => readFileSync(join(folder, path), "utf8");

  it("holds the product, its data and its documents, and nothing else", () => {
    expect([...paths].filter((path) => !permitted.some((rule) => rule.test(path)) || cloneOnly.test(path))).toEqual([]);
  });

  it("holds every runbook, rehearsal, rule, dashboard, document and script", () => {
    const wanted = [
      ...["runbooks", "alerts/rules", "grafana"].flatMap((place) => filesBelow(join(folder, place))),
      ...filesBelow(join(folder, "docs")).filter((file) => file.endsWith(".md") && !/docs\/(?:adr|console|demo)\//.test(file)),
    ].map((file) => file.slice(folder.length + 1));
    const scripts = filesBelow(join(folder, "src")).filter((file) => file.endsWith(".lua"));
    expect(wanted.length + scripts.length).toBeGreaterThan(100);
    expect(wanted.filter((file) => !paths.has(file))).toEqual([]);
    expect(scripts.map((file) => `dist${file.slice(folder.length)}`).filter((file) => !paths.has(file))).toEqual([]);
  });

  it("is small", () => {
    expect(pack.entryCount).toBeLessThanOrEqual(1550);
    expect(pack.unpackedSize).toBeLessThanOrEqual(5_300_000);
  });

  it("holds what bin and exports name, and a command that can be executed", () => {
    const named = [...Object.values(manifest.bin), ...Object.values(manifest.exports).flatMap((entry) => [entry.types, entry.default])];
    expect(named.map((path) => path.replace(/^\.\//, "")).filter((path) => !paths.has(path))).toEqual([]);
    const command = pack.files.find(({ path }) => path === manifest.bin["runbookd"]);
    expect((command?.mode ?? 0) & 0o111).not.toBe(0);
  });

  it("declares types of what exports reach, and of nothing else", () => {
    const reached = new Set<string>();
    const open = Object.values(manifest.exports).map(({ types }) => types.replace(/^\.\//, ""));
    for (let path = open.pop(); path !== undefined; path = open.pop()) {
      if (reached.has(path)) continue;
      reached.add(path);
      const from = dirname(path);
      open.push(...relativeImports(read(path)).map((specifier) => join(from, specifier.replace(/\.(ts|js)$/, ".d.ts"))));
    }
    expect([...paths].filter((path) => path.endsWith(".d.ts")).toSorted()).toEqual([...reached].toSorted());
  });

  it("imports only what it holds or depends on", () => {
    const known = new Set([...Object.keys(manifest.dependencies), ...Object.keys(manifest.optionalPeers)]);
    const modules = [...paths].filter((path) => path.startsWith("dist/") && path.endsWith(".js") && !path.includes("/page/"));
    const missing = modules.flatMap((path) =>
      [...read(path).matchAll(/(?:^(?:import|export)[^;"']*\sfrom\s+|^import\s+|\bimport\()"([^"]+)"/gm)]
        .map(([, specifier = ""]) => specifier)
        .filter((specifier) => !specifier.startsWith("node:"))
        .filter((specifier) => (specifier.startsWith(".") ? !paths.has(join(dirname(path), specifier)) : !known.has(packageOf(specifier))))
        .map((specifier) => `${path} → ${specifier}`),
    );
    expect(missing).toEqual([]);
  });

  it.each(["NodeNext", "Bundler"])("type-checks for whoever imports the client, with moduleResolution %s", (moduleResolution) => {
    const consumer = join(folder, `consumer-${moduleResolution}`);
    mkdirSync(join(consumer, "node_modules"), { recursive: true });
    symlinkSync(folder, join(consumer, "node_modules/runbookd"));
    const names = Object.keys(manifest.exports).map((path) => `runbookd/${path.replace(/^\.\//, "")}`);
    writeFileSync(join(consumer, "package.json"), '{ "type": "module" }');
    writeFileSync(
      join(consumer, "use.ts"),
      `${names.map((name, index) => `import * as part${index} from "${name}";`).join("\n")}
import { createRunbookdClient } from "runbookd/sdk";
export const parts = [${names.map((_, index) => `part${index}`).join(", ")}];
const client = createRunbookdClient({ url: "http://127.0.0.1:9097", token: "t" });
const gate = await client.admit({ ticketId: "t", budget: "b", turn: 1, estimateMicroUsd: 1 });
export const kind: string = gate.kind;
// @ts-expect-error the types are not any
client.unknownFunction();
`,
    );
    const options = { noEmit: true, strict: true, target: "ES2023", types: ["node"], typeRoots: [join(root, "node_modules/@types")] };
    const module = moduleResolution === "NodeNext" ? "NodeNext" : "ESNext";
    writeFileSync(join(consumer, "tsconfig.json"), JSON.stringify({ compilerOptions: { ...options, module, moduleResolution } }));
    const said = spawnSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc")], { cwd: consumer, encoding: "utf8" });
    expect(said.stdout).toBe("");
    expect(said.status).toBe(0);
  });
});

const relativeImports = (text: string) => [...text.matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)].map(([, specifier = ""]) => specifier);

/** `openai/resources` is part of `openai`. */
function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}
