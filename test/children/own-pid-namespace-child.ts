/**
 * Loaded before a program (`node --import`): the program sees what it would see as process 1 of a PID namespace of its own. For machines that permit no
 * namespaces. Environment: RB_NAMESPACE, the namespace's name, e.g. `pid:[1]`.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

const { readFileSync, readlinkSync } = fs;
const namespace = process.env["RB_NAMESPACE"] ?? "";
const own = process.pid;

Object.defineProperty(process, "pid", { value: 1 });
fs.readlinkSync = Object.assign(
  (...args: Parameters<typeof readlinkSync>) => (args[0] === "/proc/self/ns/pid" ? namespace : readlinkSync(...args)),
  readlinkSync,
);
fs.readFileSync = Object.assign((...args: Parameters<typeof readFileSync>) => {
  const [, pid] = /^\/proc\/(\d+)\/stat$/.exec(String(args[0])) ?? [];
  // Process 1 of the namespace is this one, and no other process of the machine is seen.
  return pid === undefined ? readFileSync(...args) : readFileSync(pid === "1" ? `/proc/${own}/stat` : "/proc/none/stat", args[1]);
}, readFileSync);
syncBuiltinESMExports();
