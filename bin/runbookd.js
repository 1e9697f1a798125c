#!/usr/bin/env node
// The command `runbookd`. A clone that was not built yet has this file and nothing else to run: npm links it, and it says what to do.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { tooOldNode } from "./node-version.js";

// EX_CONFIG of sysexits.h, as everywhere in runbookd: something must be set up first.
const refused = 78;
const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const program = join(root, "dist/src/cli/main.js");
const hint = tooOldNode(root) || unbuilt();

if (hint === undefined) void import(pathToFileURL(program).href);
else {
  process.stderr.write(`${hint}\n`);
  process.exitCode = refused;
}

function unbuilt() {
  if (existsSync(program) && (existsSync(join(root, "node_modules")) || !existsSync(join(root, "src")))) return undefined;
  if (!existsSync(join(root, "src"))) return `The installation in ${root} is incomplete: ${program} is missing. Install the package again.`;
  return `runbookd is not built yet. Run this in ${root}, then the same command again:\n\n  npm ci && npm run build\n`;
}
