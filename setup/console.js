// Builds the console's page into dist/src/console: hashed files with their compressed forms, the shell that loads them, a manifest for
// the server and the licenses of what is inside. `--watch` builds again after each change; `--report` prints the sizes.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { parseArgs } from "node:util";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build, context } from "esbuild";

const root = join(import.meta.dirname, "..");
const source = join(root, "src/console");
const types = { ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

const { values } = parseArgs({
  options: { watch: { type: "boolean", default: false }, report: { type: "boolean", default: false }, out: { type: "string" } },
});
const out = values.out ?? join(root, "dist/src/console");

/** Where the server answers a file of the build. */
const addressOf = (file) => `/console/${file}`;

const options = {
  absWorkingDir: root,
  entryPoints: { main: join(source, "main.tsx"), style: join(source, "styles/console.css"), icon: join(source, "icon.svg") },
  tsconfig: join(source, "tsconfig.json"),
  outdir: out,
  bundle: true,
  // A copy of the project may link to the packages of another place.
  preserveSymlinks: true,
  splitting: true,
  format: "esm",
  // The first versions with light-dark().
  target: ["chrome123", "firefox120", "safari17.5"],
  loader: { ".svg": "copy" },
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  minify: true,
  metafile: true,
  write: false,
  logLevel: "warning",
  plugins: [{ name: "files", setup: (esbuild) => esbuild.onEnd((result) => void (result.errors.length === 0 && writeBuild(result))) }],
};

if (values.watch) await (await context(options)).watch();
else await build(options);

function writeBuild({ outputFiles, metafile }) {
  const strangers = Object.keys(metafile.inputs).filter((path) => !/^(src\/console|node_modules\/(preact|@preact))\//.test(path));
  if (strangers.length > 0)
    throw new Error(`The console's page may bundle only itself and Preact, and it imports ${strangers.join(", ")}.`);
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  const files = outputFiles.map(({ path, contents }) => writeAsset(basename(path), contents));
  const named = (start, extension) => files.find(({ file }) => file.startsWith(start) && file.endsWith(extension)).file;
  const shell = readFileSync(join(source, "shell.html"), "utf8")
    .replace("{{icon}}", addressOf(named("icon-", ".svg")))
    .replace("{{style}}", addressOf(named("style-", ".css")))
    .replace("{{script}}", addressOf(named("main-", ".js")));
  writeFileSync(join(out, "shell.html"), shell);
  writeFileSync(join(out, "licenses.txt"), licensesOf(metafile));
  // Last, so that it names no file that is not there yet.
  writeFileSync(join(out, "manifest.json"), `${JSON.stringify({ shell: "shell.html", files }, null, 2)}\n`);
  const sum = (extension) => files.filter(({ file }) => file.endsWith(extension)).reduce((total, { gzipBytes }) => total + gzipBytes, 0);
  process.stdout.write(`built the console: ${files.length} files, ${sum(".js")} B of script and ${sum(".css")} B of style in gzip\n`);
  if (values.report) for (const { file, bytes, gzipBytes, brotliBytes } of files) console.log(file, bytes, gzipBytes, brotliBytes);
}

/** One file in three forms; the server picks one by Accept-Encoding. */
function writeAsset(file, contents) {
  const gzip = gzipSync(contents, { level: 9 });
  const brotli = brotliCompressSync(contents, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
  writeFileSync(join(out, file), contents);
  writeFileSync(join(out, `${file}.gz`), gzip);
  writeFileSync(join(out, `${file}.br`), brotli);
  const sizes = { bytes: contents.length, gzipBytes: gzip.length, brotliBytes: brotli.length };
  return { path: addressOf(file), file, type: types[extname(file)], ...sizes };
}

/** The notices that the licenses of the bundled packages ask for. */
function licensesOf({ inputs }) {
  const packages = new Set(Object.keys(inputs).flatMap((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []));
  return [...packages]
    .sort()
    .map((name) => `${name}\n\n${readFileSync(join(root, "node_modules", name, "LICENSE"), "utf8")}\n`)
    .join("\n");
}
