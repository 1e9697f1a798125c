import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, relative } from "node:path";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { findExecutable } from "./find-executable.ts";

let root: string;
const program = (folder: string, name: string, mode = 0o755) => {
  const file = join(root, folder, name);
  mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(file, "");
  chmodSync(file, mode);
  return file;
};

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "runbookd-find-"));
});
afterAll(() => rmSync(root, { recursive: true }));

it("takes the first folder, then the first name, then the further places", () => {
  const valkey = program("one", "valkey-server");
  const redis = program("two", "redis-server");
  const own = program("own", "promtool");
  const path = [join(root, "one"), join(root, "two")].join(delimiter);
  expect(findExecutable(["redis-server", "valkey-server"], path)).toBe(valkey);
  expect(findExecutable(["redis-server"], path)).toBe(redis);
  expect(findExecutable(["promtool"], path, [join(root, "own")])).toBe(own);
  expect(findExecutable(["promtool"], path, [])).toBeUndefined();
});

it("passes over what may not be executed, is a folder, or lies in a folder that depends on where the process runs", () => {
  program("plain", "git", 0o644);
  mkdirSync(join(root, "folder", "git"), { recursive: true });
  const git = program("last", "git");
  expect(findExecutable(["git"], [join(root, "plain"), join(root, "folder"), join(root, "last")].join(delimiter))).toBe(git);
  expect(findExecutable(["git"], relative(process.cwd(), join(root, "last")), [])).toBeUndefined();
});

it("finds what the system keeps, whatever PATH says", () => {
  expect(findExecutable(["env"], "")).toBe("/usr/bin/env");
});
