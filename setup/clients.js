// The real client libraries against a provider on loopback: what each hands to its user must be what test/clients/fixtures recorded, on which the
// unit tests of usage and the table in docs/client-libraries.md are based. `--write` records anew, for another version of a library.
// Exits with 75 where the libraries or their Node cannot be installed: without a network, or on a platform without such a package.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root, say } from "./install.js";
import { findNode24 } from "./node24.js";

const folder = join(root, "test/clients");
const record = join(folder, "fixtures/recorded.jsonl");
const notInstalled = 75;

const node = findNode24();
if (node === undefined || !install()) {
  say("The client libraries or their Node could not be installed; what they were recorded to hand out was not checked.");
  process.exit(notInstalled);
}
const { status, stdout, stderr } = spawnSync(node, [join(folder, "record-usage-objects.js")], {
  encoding: "utf8",
  maxBuffer: 1 << 26,
  timeout: 120_000,
});
if (status !== 0) fail(`The calls failed: ${stderr.slice(-2000)}`);
if (process.argv.includes("--write")) writeFileSync(record, stdout);
else compare(stdout.split("\n"), readFileSync(record, "utf8").split("\n"));

/** npm leaves a record of what it installed. */
function install() {
  const { packages } = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8"));
  if (isInstalled(packages)) return true;
  say("installing the client libraries (npm ci in test/clients) …");
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--loglevel=error"];
  spawnSync("npm", ["ci", ...flags], { cwd: folder, stdio: ["ignore", 2, 2], shell: process.platform === "win32" });
  return isInstalled(packages);
}

function isInstalled(packages) {
  const installed = join(folder, "node_modules/.package-lock.json");
  if (!existsSync(installed)) return false;
  const { packages: present } = JSON.parse(readFileSync(installed, "utf8"));
  return Object.entries(packages).every(
    ([path, { version, optional, peer }]) =>
      path === "" || present[path]?.version === version || (present[path] === undefined && (optional || peer) === true),
  );
}

function compare(lines, recorded) {
  const differing = lines.findIndex((line, index) => line !== recorded[index]);
  if (differing === -1 && lines.length === recorded.length) {
    say(`${lines.length - 1} calls of client libraries handed out what was recorded.`);
    return;
  }
  fail(
    `Call ${differing + 1} handed out\n  ${lines[differing]}\nand recorded was\n  ${recorded[differing]}\n` +
      "If the library has changed, record it with `node setup/clients.js --write`, and read what the tests say of it.",
  );
}

function fail(text) {
  say(text);
  process.exit(1);
}
