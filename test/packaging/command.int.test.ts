import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";

const root = join(import.meta.dirname, "../..");

describe("the command of the package", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "rb-command-"));
    for (const path of ["package.json", "bin"]) cpSync(join(root, path), join(folder, path), { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const put = (file: string, text: string) => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
  };
  const start = () => spawnSync(process.execPath, [join(folder, "bin/runbookd.js"), "--version"], { encoding: "utf8" });

  it("says in a clone what to run before it can start, and exits with 78", () => {
    put("src/cli/main.ts", "");
    const { status, stderr } = start();
    expect(status).toBe(78);
    expect(stderr).toContain("npm ci && npm run build");
  });

  it("says the same when the modules are gone and the build is not", () => {
    put("src/cli/main.ts", "");
    put("dist/src/cli/main.js", "");
    expect(start()).toMatchObject({ status: 78, stderr: expect.stringContaining("npm ci && npm run build") });
  });

  it("says that an installation without the program is incomplete", () => {
    expect(start()).toMatchObject({ status: 78, stderr: expect.stringContaining("Install the package again.") });
  });

  it("is the built program once it is there", () => {
    put("dist/src/cli/main.js", "process.stdout.write(process.argv[2]); process.exitCode = 3;");
    expect(start()).toMatchObject({ status: 3, stdout: "--version", stderr: "" });
  });

  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  it.each([
    [`${major + 1}.0`, 78],
    [`${major}.${minor + 1}`, 78],
    [`${major}.${minor}`, 0],
    [`${major - 1}.99`, 0],
  ])("on this Node, when %s is needed, ends with %d", (needed, status) => {
    put("package.json", JSON.stringify({ engines: { node: `>=${needed}` } }));
    put("dist/src/cli/main.js", "");
    const said = start();
    expect(said.status).toBe(status);
    expect(said.stderr.includes(`runbookd needs Node ${needed} or newer; this is ${process.versions.node}.`)).toBe(status === 78);
  });
});
