import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { type CheckoutRegistry, startCheckoutRegistry } from "./checkout-registry.ts";
import { copyOfCheckout } from "./copy-of-checkout.ts";
import { readManifest } from "./manifest.ts";

const root = join(import.meta.dirname, "../..");
const manifest = readManifest(join(root, "packages/sdk"));
const packsShape = z.array(
  z.looseObject({ name: z.string(), filename: z.string(), size: z.int(), files: z.array(z.looseObject({ path: z.string() })) }),
);
type Pack = z.output<typeof packsShape>[number];

describe("the tarballs of runbookd and its client", () => {
  let scratch: string;
  let registry: CheckoutRegistry;
  let packs: readonly Pack[];
  /** Standard output. Rejects when the command fails. The registry is in this process, so waiting must not block it. */
  const run = async (command: string, args: readonly string[], cwd: string): Promise<string> => {
    const { NODE_OPTIONS: _, ...env } = process.env;
    const ownRegistry = { npm_config_registry: registry.url, npm_config_cache: join(scratch, "cache") };
    const { stdout } = await promisify(execFile)(command, args, { cwd, env: { ...env, ...ownRegistry }, maxBuffer: 1 << 26 });
    return stdout;
  };
  beforeAll(async () => {
    scratch = mkdtempSync(join(tmpdir(), "rb-sdk-"));
    registry = await startCheckoutRegistry(root);
    const checkout = join(scratch, "checkout");
    mkdirSync(checkout);
    copyOfCheckout(root, checkout);
    packs = packsShape.parse(JSON.parse(await run("npm", ["pack", "--workspaces", "--include-workspace-root", "--json"], checkout)));
  }, 180_000);
  afterAll(async () => {
    await registry[Symbol.asyncDispose]();
    rmSync(scratch, { recursive: true, force: true });
  });

  const packOf = (name: string): Pack => {
    const pack = packs.find((one) => one.name === name);
    if (pack === undefined) throw new Error(`npm packed ${packs.map((one) => one.name).join(", ")} and no ${name}.`);
    return pack;
  };
  /** A folder with nothing but the package and what it depends on. */
  const install = async (name: string): Promise<string> => {
    const folder = join(scratch, `use-${name.replace(/\W/g, "-")}`);
    mkdirSync(folder);
    writeFileSync(join(folder, "package.json"), '{ "type": "module", "private": true }');
    const tarball = join(scratch, "checkout", packOf(name).filename);
    await run("npm", ["install", tarball, "--ignore-scripts", "--no-audit", "--no-fund"], folder);
    return folder;
  };
  /** A client that nobody answers, a prefix, and a provider of flags; what came of each. */
  const use = async (folder: string, client: string): Promise<unknown> => {
    writeFileSync(
      join(folder, "use.js"),
      `import { createRunbookdClient } from "${client}";
import { createFlagProvider } from "${client}/openfeature";
import { describeAnthropicRequest } from "${client}/prefix";
const runbookd = createRunbookdClient({ url: "http://127.0.0.1:1", token: "t" });
const gate = await runbookd.admit({ ticketId: "t", budget: "b", estimateMicroUsd: 1 });
const isOn = await runbookd.flags.enabled("export");
const provider = createFlagProvider(runbookd.flags).metadata.name;
await runbookd.close();
const { role } = describeAnthropicRequest({ system: "s", messages: [] }).blocks[0];
console.log(JSON.stringify([gate.kind, gate.reason, role, isOn, provider]));
`,
    );
    return JSON.parse(await run(process.execPath, ["use.js"], folder));
  };

  it("of the client holds its own modules with declarations, and no test, no map and no source", () => {
    const paths = packOf("@runbookd/sdk").files.map(({ path }) => path);
    expect(paths.filter((path) => !/^(LICENSE|README\.md|package\.json|dist\/[\w/-]+\.(js|d\.ts))$/.test(path))).toEqual([]);
    expect(paths).toEqual(expect.arrayContaining(["LICENSE", "README.md", "dist/client.js", "dist/describe-request.d.ts"]));
    expect(packOf("@runbookd/sdk").size).toBeLessThan(80_000);
  });

  it("of the client says whose it is, and depends on zod only", () => {
    const read = (folder: string) => JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
    const [ours, theirs] = [read("packages/sdk"), read(".")];
    expect(ours).toMatchObject({ version: theirs.version, license: theirs.license, engines: theirs.engines });
    expect(ours.repository).toEqual({ ...theirs.repository, directory: "packages/sdk" });
    expect(Object.keys(manifest.dependencies)).toEqual(["zod"]);
    expect(manifest.peerDependencies).toEqual({});
    expect(readFileSync(join(root, "packages/sdk/LICENSE"), "utf8")).toBe(readFileSync(join(root, "LICENSE"), "utf8"));
  });

  it("of the client installs alone into an empty folder, and works there", async () => {
    const folder = await install("@runbookd/sdk");
    const modules = join(folder, "node_modules");
    expect(readdirSync(modules).filter((name) => !name.startsWith("."))).toEqual(["@runbookd", "zod"]);
    expect(await use(folder, "@runbookd/sdk")).toEqual(["wait", "unreachable", "system", false, "runbookd"]);
    const built = join(modules, "@runbookd/sdk/dist");
    const imported = readdirSync(built, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".js"))
      .flatMap((file) =>
        [...readFileSync(join(built, file), "utf8").matchAll(/^(?:import|export)[^;"']*\sfrom\s+"([^"]+)"/gm)].map(([, name = ""]) =>
          name.startsWith(".") ? join(dirname(file), name) : name,
        ),
      );
    const known = new Set([
      "zod",
      "node:crypto",
      "node:fs",
      "node:fs/promises",
      "node:timers/promises",
      ...readdirSync(built, { recursive: true, encoding: "utf8" }),
    ]);
    expect(imported.length).toBeGreaterThan(20);
    expect(imported.filter((name) => !known.has(name))).toEqual([]);
  }, 60_000);

  it("of the client type-checks for an importer with NodeNext", async () => {
    const folder = join(scratch, "use--runbookd-sdk");
    writeFileSync(
      join(folder, "use.ts"),
      `import { createRunbookdClient, type RunbookdClient } from "@runbookd/sdk";
import { createFlagProvider } from "@runbookd/sdk/openfeature";
import { describeOpenAiRequest } from "@runbookd/sdk/prefix";
const client: RunbookdClient = createRunbookdClient({ url: "http://127.0.0.1:9097", token: "t" });
const gate = await client.admit({ ticketId: "t", budget: "b", estimateMicroUsd: 1 });
export const kind: "admitted" | "wait" | "stop" = gate.kind;
export const succeeded: number | undefined = (await client.readBatch("b"))?.counts.succeeded;
export const isOn: boolean = await client.flags.enabled("export", { ticketId: "t" });
export const resolved: boolean = (await createFlagProvider(client.flags).resolveBooleanEvaluation("export", false, {})).value;
export const roles = describeOpenAiRequest({})?.blocks.map(({ role }) => role);
// @ts-expect-error the types are not any
client.unknownFunction();
`,
    );
    const compilerOptions = { noEmit: true, strict: true, target: "ES2023", module: "NodeNext", types: ["node"] };
    const typeRoots = [join(root, "node_modules/@types")];
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions: { ...compilerOptions, typeRoots }, files: ["use.ts"] }));
    expect(await run(process.execPath, [join(root, "node_modules/typescript/bin/tsc")], folder)).toBe("");
  }, 60_000);

  it("of runbookd installs alone into an empty folder, and has the command and the client without a registry that knows either", async () => {
    const folder = await install("runbookd");
    expect(await use(folder, "runbookd/sdk")).toEqual(["wait", "unreachable", "system", false, "runbookd"]);
    expect(await run(join(folder, "node_modules/.bin/runbookd"), ["--version"], folder)).toBe(`${manifest.version}\n`);
    expect([...registry.asked].filter((name) => name.includes("runbookd"))).toEqual([]);
    expect(registry.asked.size).toBeGreaterThan(20);
  }, 180_000);
});
