// Makes a clean clone able to run: Node's version, node modules, and the programs that are not npm packages.
// Runs before anything is installed, so it uses Node alone.
import { spawnSync } from "node:child_process";
import { accessSync, chmodSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { tooOldNode } from "../bin/node-version.js";

export const root = join(import.meta.dirname, "..");
const tools = join(root, ".tools");
const toolsBin = join(tools, "bin");

/**
 * What is not an npm package. `anyOf`: each entry is a list of alternatives of which one must be found.
 * `extracts`: the packages that the root-less way takes in any case; what else they need is asked of apt.
 */
const programs = {
  redis: {
    anyOf: [["redis-server", "valkey-server"]],
    apt: ["redis-server"],
    extracts: ["redis-server", "redis-tools", "libjemalloc2", "liblzf1", "libatomic1"],
    brew: "redis",
  },
  prometheus: { anyOf: [["prometheus"], ["promtool"]], apt: ["prometheus"], extracts: ["prometheus"], brew: "prometheus" },
  alertmanager: {
    anyOf: [["prometheus-alertmanager", "alertmanager"], ["amtool"]],
    apt: ["prometheus-alertmanager"],
    extracts: ["prometheus-alertmanager"],
    brew: "alertmanager",
  },
  browser: {
    anyOf: [["chromium", "chromium-browser", "google-chrome"]],
    apt: ["chromium", "fonts-dejavu-core"],
    extracts: ["chromium", "chromium-common", "fonts-dejavu-core"],
    brew: "--cask chromium",
  },
  curl: { anyOf: [["curl"]], apt: ["curl"], extracts: ["curl"], brew: "curl" },
  // Only as root: unpacked elsewhere, a compiler finds neither its headers nor its assembler.
  spin: { anyOf: [["spin"], ["cc", "gcc", "clang"]], apt: ["spin", "gcc", "libc6-dev"], brew: "spin" },
  python: { anyOf: [["python3"]], apt: ["python3"], extracts: ["python3"], brew: "python" },
};

/**
 * Installs what is missing of the named programs, and the node modules, and answers the environment to run with.
 * Ends the process with one message when something cannot be installed.
 * RUNBOOKD_SETUP=rootless takes the root-less way even where another one is open; RUNBOOKD_SETUP=none installs no programs.
 */
export function prepare(names) {
  requireNode();
  ensureModules();
  const missing = names.filter((name) => !isThere(programs[name], searchPath()));
  const mode = process.env.RUNBOOKD_SETUP ?? "auto";
  const wanted = mode === "rootless" ? names.filter((name) => !isThere(programs[name], [toolsBin])) : missing;
  if (wanted.length > 0 && mode !== "none") installPrograms(wanted, mode);
  const left = names.filter((name) => !isThere(programs[name], searchPath()));
  if (left.length > 0) stop(manual(left));
  return { ...process.env, PATH: searchPath(mode === "rootless").join(delimiter) };
}

/** Prints to standard error, because standard output belongs to the program that is started afterwards. */
export function say(text) {
  process.stderr.write(`${text}\n`);
}

function stop(text) {
  say(text);
  process.exit(78);
}

function requireNode() {
  const hint = tooOldNode(root);
  if (hint !== undefined) stop(hint);
}

function ensureModules() {
  if (modulesFit()) return;
  say("installing node modules (npm ci) …");
  const result = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (result.status !== 0) stop("`npm ci` failed; its own message is above.");
}

/** npm leaves a record of what it installed; every package of our lock file must be in it with the same version. */
function modulesFit() {
  const record = join(root, "node_modules/.package-lock.json");
  if (!existsSync(record)) return false;
  const installed = JSON.parse(readFileSync(record, "utf8")).packages;
  const locked = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages;
  return Object.entries(locked).every(
    ([path, { version, optional, devOptional, peer }]) =>
      path === "" || installed[path]?.version === version || (installed[path] === undefined && (optional || devOptional || peer) === true),
  );
}

function searchPath(ownFirst = false) {
  const system = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "" && folder !== toolsBin);
  return ownFirst ? [toolsBin, ...system] : [...system, toolsBin];
}

function isThere(program, folders) {
  return program.anyOf.every((names) => names.some((name) => folders.some((folder) => isExecutable(join(folder, name)))));
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function installPrograms(names, mode) {
  if (!isExecutable("/usr/bin/apt-get")) stop(manual(names));
  if (mode !== "rootless") {
    const before = process.getuid?.() === 0 ? [] : canSudo() ? ["sudo", "-n"] : undefined;
    if (before !== undefined && installWithApt(names, before)) return;
  }
  const unpacked = names.filter((name) => programs[name].extracts !== undefined);
  if (unpacked.length > 0) extractWithoutRoot(unpacked);
}

function canSudo() {
  return spawnSync("sudo", ["-n", "true"], { stdio: "ignore" }).status === 0;
}

function installWithApt(names, before) {
  const packages = names.flatMap((name) => programs[name].apt);
  say(`installing ${packages.join(", ")} with apt-get …`);
  // The packages would start their services, which nobody asked for; a policy-rc.d of our own prevents that while we install.
  const script = `
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then printf '#!/bin/sh\\nexit 101\\n' > "$policy"; chmod 755 "$policy"; trap 'rm -f "$policy"' EXIT; fi
    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends ${packages.join(" ")}`;
  const [command, ...args] = [...before, "sh", "-c", script];
  return spawnSync(command, args, { stdio: ["ignore", 2, 2] }).status === 0;
}

/** Debian packages are archives: unpacked below .tools they run from there, given the place of their libraries. */
function extractWithoutRoot(names) {
  const wanted = names.flatMap((name) => programs[name].extracts);
  say(`unpacking ${wanted.join(", ")} into .tools (no root needed) …`);
  const debs = join(tools, "debs");
  mkdirSync(debs, { recursive: true });
  mkdirSync(toolsBin, { recursive: true });
  const state = aptState();
  const simulated = run("apt-get", [...state, "-s", "install", "--no-install-recommends", ...wanted]);
  const needed = [...simulated.matchAll(/^Inst (\S+)/gm)].map((match) => match[1]);
  run("apt-get", [...state, "download", ...new Set([...wanted, ...needed])], debs);
  for (const deb of readdirSync(debs)) run("dpkg-deb", ["-x", join(debs, deb), join(tools, "root")]);
  rmSync(debs, { recursive: true });
  writeFileSync(join(tools, "fonts.conf"), fontsConf);
  for (const name of names) for (const binary of programs[name].anyOf.flat()) writeLauncher(binary);
}

/** Where the system has no package lists, or old ones, we keep lists of our own. */
function aptState() {
  if (spawnSync("apt-get", ["download", "--print-uris", "redis-server"], { stdio: "ignore" }).status === 0) return [];
  const lists = join(tools, "apt");
  mkdirSync(join(lists, "lists/partial"), { recursive: true });
  mkdirSync(join(lists, "cache/archives/partial"), { recursive: true });
  const state = ["-o", `Dir::State::lists=${lists}/lists`, "-o", `Dir::Cache=${lists}/cache`];
  run("apt-get", [...state, "update", "-q"]);
  return state;
}

function run(command, args, cwd = root) {
  const result = spawnSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], maxBuffer: 1 << 26 });
  if (result.status === 0) return result.stdout;
  say(`${command} ${args.join(" ")}\n${result.stderr ?? result.error?.message ?? ""}`);
  return stop(manual(Object.keys(programs)));
}

function writeLauncher(binary) {
  // Chromium's own start script expects the system's paths.
  const program = [`usr/lib/${binary}/${binary}`, `usr/bin/${binary}`].find((path) => existsSync(join(tools, "root", path)));
  if (program === undefined) return;
  const path = join(toolsBin, binary);
  writeFileSync(path, launcher(program));
  chmodSync(path, 0o755);
}

const launcher = (program) => `#!/bin/sh
tools=$(dirname "$(dirname "$(readlink -f "$0")")")
libraries=$(find "$tools/root/usr/lib" "$tools/root/lib" -name '*.so*' 2>/dev/null | sed 's,/[^/]*$,,' | sort -u | tr '\\n' ':')
LD_LIBRARY_PATH="$libraries\${LD_LIBRARY_PATH:-}" FONTCONFIG_FILE="\${FONTCONFIG_FILE:-$tools/fonts.conf}" exec "$tools/root/${program}" "$@"
`;

const fontsConf = `<?xml version="1.0"?>
<fontconfig>
  <dir>/usr/share/fonts</dir>
  <dir>${join(tools, "root/usr/share/fonts")}</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`;

function manual(names) {
  const packages = names.flatMap((name) => programs[name].apt).join(" ");
  const brews = names.map((name) => programs[name].brew).filter((brew) => brew !== "alertmanager");
  const alertmanager = names.includes("alertmanager")
    ? "\n            and alertmanager with amtool from https://prometheus.io/download on PATH"
    : "";
  return `
These programs are missing and cannot be installed from here: ${names.join(", ")}.

  Debian, Ubuntu   sudo apt-get update && sudo apt-get install -y ${packages}
  macOS            ${brews.map((brew) => `brew install ${brew}`).join(" && ") || "(nothing from brew)"}${alertmanager}
  Docker           docker run --rm -it -v "$PWD":/work -w /work node:20-bookworm bash -c "apt-get update && apt-get install -y ${packages} && npm test"

Then run the same command again.`;
}
