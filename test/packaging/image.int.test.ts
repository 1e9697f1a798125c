import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { findProgram } from "../../demo/find-program.ts";
import { freePort } from "../../demo/free-ports.ts";
import { startRedisServer } from "../servers/redis-server.ts";
import { isReadyAt, spawnService } from "../servers/spawn-service.ts";
import { buildImageTree, filesBelow, type ImageTree } from "./image-tree.ts";
import { readManifest } from "./manifest.ts";

const root = join(import.meta.dirname, "../..");
const manifest = readManifest(root);

describe("the tree of the container image", () => {
  let scratch: string;
  let tree: ImageTree;
  beforeAll(() => {
    scratch = mkdtempSync(join(tmpdir(), "rb-image-"));
    tree = buildImageTree({ root, scratch });
  }, 180_000);
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  const node = (...args: readonly string[]) =>
    spawnSync(process.execPath, args, { cwd: tree.folder, encoding: "utf8", env: { PATH: process.env["PATH"] } });

  it("copies only what its context or an earlier stage holds", () => {
    expect(tree.missing).toEqual([]);
  });

  it("is built from a context without tests", () => {
    expect(tree.context.length).toBeGreaterThan(500);
    expect(tree.context.filter((file) => /\.test\.ts$|^(bench|test|src\/testing)\//.test(file))).toEqual([]);
  });

  it("holds every Lua script of the product", () => {
    const scripts = (folder: string) => filesBelow(join(folder, "src")).filter((file) => file.endsWith(".lua"));
    expect(scripts(root).length).toBeGreaterThan(20);
    expect(scripts(join(tree.folder, "dist")).length).toBe(scripts(root).length);
  });

  it("answers --version", () => {
    expect(node("bin/runbookd.js", "--version")).toMatchObject({ status: 0, stdout: `${manifest.version}\n`, stderr: "" });
  });

  it.each(Object.keys(manifest.optionalPeers))("loads %s", (name) => {
    const script = `await import(${JSON.stringify(name)})`;
    expect(node("--input-type=module", "--eval", script)).toMatchObject({ status: 0, stderr: "" });
  });

  it("holds no package that only a checkout needs", () => {
    // Types are dependencies of some libraries.
    const tools = Object.keys(manifest.devDependencies).filter((name) => !(name in manifest.optionalPeers) && !name.startsWith("@types/"));
    expect(tools.length).toBeGreaterThan(10);
    expect(tools.filter((name) => existsSync(join(tree.folder, "node_modules", name)))).toEqual([]);
  });

  it("has no link that leads nowhere", () => {
    const entries = readdirSync(join(tree.folder, "node_modules"), { recursive: true, withFileTypes: true });
    const links = entries.filter((entry) => entry.isSymbolicLink()).map((entry) => join(entry.parentPath, entry.name));
    expect(links.length).toBeGreaterThan(5);
    expect(links.filter((link) => !existsSync(link))).toEqual([]);
  });

  it("is labeled with the version of package.json", () => {
    expect(readFileSync(join(root, "Dockerfile"), "utf8")).toContain(`ARG VERSION=${manifest.version}\n`);
  });

  it("carries git, which checkpoints of tickets need", () => {
    expect(readFileSync(join(root, "Dockerfile"), "utf8")).toMatch(/apt-get install [^&]*\bgit\b/);
  });

  it("becomes ready", async () => {
    await using redis = await startRedisServer();
    const port = await freePort();
    const service = await spawnService(
      findProgram("env"),
      [`REDIS_URL=${redis.url}`, `RUNBOOKD_PORT=${port}`, "RUNBOOKD_METRICS_PORT=0", process.execPath, "bin/runbookd.js", "up"],
      async () => isReadyAt(`http://127.0.0.1:${port}/readyz`),
      { cwd: tree.folder, withinMs: 60_000 },
    );
    await service.stop();
    expect(service.output()).toContain("api: http://127.0.0.1:");
  }, 90_000);

  it("names the SDK to install when a provider is configured whose SDK is missing", async () => {
    await using redis = await startRedisServer();
    renameSync(join(tree.folder, "node_modules/openai"), join(tree.folder, "openai"));
    const env = {
      PATH: process.env["PATH"],
      REDIS_URL: redis.url,
      OPENAI_API_KEY: "sk-proj-test",
      RUNBOOKD_PORT: "0",
      RUNBOOKD_METRICS_PORT: "0",
    };
    const said = spawnSync(process.execPath, ["bin/runbookd.js", "up"], { cwd: tree.folder, encoding: "utf8", env, timeout: 60_000 });
    renameSync(join(tree.folder, "openai"), join(tree.folder, "node_modules/openai"));
    expect(said.stderr).toContain(`npm i openai@${manifest.devDependencies["openai"]}\n`);
    expect(said.status).toBe(78);
  }, 90_000);
});
