import { spawnSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import dockerignore from "@balena/dockerignore";
import { z } from "zod";
import { type Copy, type Instruction, parseDockerfile, readCopy } from "./dockerfile.ts";

/** Where the checkout is and where an image's tree is laid out. */
export interface ImagePlaces {
  readonly root: string;
  /** An empty folder. */
  readonly scratch: string;
}

/** What a build of the image left behind. */
export interface ImageTree {
  /** The work folder of the last stage. */
  readonly folder: string;
  /** The files that `.dockerignore` lets in, relative. */
  readonly context: readonly string[];
  /** `COPY` sources that do not exist where they are looked for. */
  readonly missing: readonly string[];
}

/**
 * Lays out what `docker build` would, without Docker: the context that `.dockerignore` leaves, then every stage of the Dockerfile. `npm ci` becomes
 * links to the checkout's modules, and the system's packages are left out; everything else runs as written. Throws when an instruction fails.
 */
export function buildImageTree({ root, scratch }: ImagePlaces): ImageTree {
  const contextFolder = join(scratch, "context");
  const context = layOutContext(root, contextFolder);
  const missing: string[] = [];
  const stages = parseDockerfile(readFileSync(join(root, "Dockerfile"), "utf8"));
  const folders = new Map<string | undefined, string>([[undefined, contextFolder]]);
  let folder = contextFolder;
  for (const [index, { name = `stage ${index}`, instructions }] of stages.entries()) {
    folder = join(scratch, name);
    mkdirSync(folder);
    folders.set(name, folder);
    for (const instruction of instructions) {
      if (instruction.name === "RUN") carryOut(instruction, { root, folder });
      if (instruction.name !== "COPY") continue;
      const copy = readCopy(instruction);
      missing.push(...copyInto(folder, copy, folders.get(copy.from) ?? ""));
    }
  }
  return { folder, context, missing };
}

function layOutContext(root: string, folder: string): readonly string[] {
  const ignore = dockerignore.default().add(readFileSync(join(root, ".dockerignore"), "utf8"));
  const entries = readdirSync(root, { withFileTypes: true }).filter(
    ({ name }) => ![".git", "node_modules", "dist", ".tools"].includes(name),
  );
  const files = entries
    .flatMap((entry) => (entry.isDirectory() ? filesBelow(join(root, entry.name)) : [join(root, entry.name)]))
    .map((file) => relative(root, file));
  const left = files.filter((file) => !ignore.ignores(file));
  for (const file of left) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    copyFileSync(join(root, file), join(folder, file));
  }
  return left;
}

function carryOut({ text }: Instruction, { root, folder }: { readonly root: string; readonly folder: string }): void {
  if (text.startsWith("apt-get ")) return;
  if (text.startsWith("npm ci")) installModules(root, folder);
  // The owner of files is Docker's concern.
  else run(text.replace(/ && chown .*$/, ""), folder);
}

const lockShape = z.looseObject({
  packages: z.record(z.string(), z.looseObject({ link: z.boolean().optional(), resolved: z.string().optional() })),
});

/** `npm ci` links no workspace whose manifest was not copied yet. */
function installModules(root: string, folder: string): void {
  linkModules(join(root, "node_modules"), join(folder, "node_modules"));
  const { packages } = lockShape.parse(JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8")));
  for (const [path, { link, resolved = "" }] of Object.entries(packages))
    if (link === true && !existsSync(join(folder, resolved, "package.json"))) rmSync(join(folder, path), { force: true });
}

/** npm's own record is copied, because it is written in place. */
function linkModules(from: string, to: string): void {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) linkModules(source, target);
    else {
      mkdirSync(to, { recursive: true });
      if (entry.isSymbolicLink()) cpSync(source, target, { verbatimSymlinks: true });
      else if (entry.name === ".package-lock.json") copyFileSync(source, target);
      else linkOrCopy(source, target);
    }
  }
}

/** A link costs nothing; another file system permits none. */
function linkOrCopy(source: string, target: string): void {
  try {
    linkSync(source, target);
  } catch {
    copyFileSync(source, target);
  }
}

function run(script: string, folder: string): void {
  const { status, stdout, stderr } = spawnSync("sh", ["-c", script], { cwd: folder, encoding: "utf8", env: offline() });
  if (status !== 0) throw new Error(`RUN ${script} failed:\n${stdout}${stderr}`);
}

/** What jest sets for its own process is not for others, and no build step may need the network once the modules are there. */
function offline(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, ...env } = process.env;
  return { ...env, npm_config_offline: "true" };
}

/** Copies as `COPY` does, and answers which sources do not exist. */
function copyInto(folder: string, { sources, target }: Copy, from: string): readonly string[] {
  const isFolder = target.endsWith("/") || sources.length > 1;
  const missing: string[] = [];
  for (const source of sources) {
    const path = join(from, source.replace(/^\/app\//, ""));
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) missing.push(source);
    else if (stats.isDirectory()) cpSync(path, join(folder, target), { recursive: true, verbatimSymlinks: true });
    else {
      const place = join(folder, target, ...(isFolder ? [basename(path)] : []));
      mkdirSync(dirname(place), { recursive: true });
      copyFileSync(path, place);
    }
  }
  return missing;
}

/** Every file below a folder, whole paths; module folders are left out. */
export function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === "node_modules") return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}
