import { readFile } from "node:fs/promises";
import type { IncomingHttpHeaders } from "node:http";
import { join } from "node:path";
import { z } from "zod";
import { sha256 } from "../../core/json.ts";
import { readRegularFile } from "../read-regular-file.ts";

/** Paths of pages. Each answers the same shell, which holds no data: a page asks the API for what it shows. */
export const consolePages = [
  "/",
  "/runs",
  "/runs/{id}",
  "/runbooks",
  "/runbooks/{id}",
  "/approvals",
  "/alerts",
  "/questions/{id}",
  "/doctor",
] as const;

/**
 * What the shell may load and do: scripts and styles of this server, requests to it, and nothing else. With Trusted Types and no policy, no script can
 * turn text into markup.
 */
export const consolePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; " +
  "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/** A request for a page or for one of its files. */
export interface FileRequest {
  /** As it was sent, without the query. */
  readonly path: string;
  readonly headers: Pick<IncomingHttpHeaders, "accept-encoding" | "if-none-match">;
}

/** What is sent. `body` is empty with 304. */
export interface FileAnswer {
  readonly status: 200 | 304;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** The console as it was built. */
export interface ConsoleFiles {
  /** Undefined: the path is neither a page nor a file of the build. `absent`: it is a page, and the console was not built. */
  answer(request: FileRequest): Promise<FileAnswer | "absent" | undefined>;
}

const maxManifestBytes = 1024 * 1024;

/** The parts of `manifest.json` that the server needs; setup/console.js writes it last, so that it names no file that is not there yet. */
const manifestSchema = z.object({
  shell: z.string(),
  files: z.array(z.object({ path: z.string().startsWith("/console/"), file: z.string().regex(/^\w[\w.-]*$/), type: z.string() })),
});

interface StoredFile {
  readonly headers: Readonly<Record<string, string>>;
  readonly etag: string;
  readonly plain: Buffer;
  /** The compressed forms, best first. */
  readonly compressed: readonly { readonly encoding: "br" | "gzip"; readonly body: Buffer }[];
}

interface Build {
  readonly stamp: string;
  readonly shell: StoredFile;
  readonly files: ReadonlyMap<string, StoredFile>;
}

const isPage = new RegExp(`^(?:${consolePages.map((path) => path.replaceAll(/\{\w+\}/g, "[^/]+")).join("|")})$`, "u");

/** The build in `folder`, kept in memory and read again when its manifest has changed. */
export function createConsoleFiles(folder: string): ConsoleFiles {
  let build: Build | undefined;

  async function load(): Promise<void> {
    const manifestPath = join(folder, "manifest.json");
    const read = await readRegularFile(manifestPath, { maxBytes: maxManifestBytes, previousStamp: build?.stamp });
    if (read.kind !== "read") return;
    // A build that is being replaced cannot be read whole; the one before is served until it can.
    build = await readBuild(folder, read).catch(() => build);
  }

  return {
    async answer({ path, headers }) {
      if (isPage.test(path)) {
        await load();
        return build === undefined ? "absent" : answerWith(build.shell, headers);
      }
      if (!path.startsWith("/console/")) return undefined;
      if (build?.files.has(path) !== true) await load();
      const file = build?.files.get(path);
      return file === undefined ? undefined : answerWith(file, headers);
    },
  };
}

async function readBuild(folder: string, { bytes, stamp }: { readonly bytes: Uint8Array; readonly stamp: string }): Promise<Build> {
  const manifest = manifestSchema.parse(JSON.parse(Buffer.from(bytes).toString("utf8")));
  const shell = await readStored(join(folder, "shell.html"), {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": consolePolicy,
    "Cross-Origin-Opener-Policy": "same-origin",
    // Asked for again each time, so that a new version is loaded with the next page.
    "Cache-Control": "no-cache",
    "X-Robots-Tag": "noindex, nofollow",
  });
  const files = await Promise.all(
    manifest.files.map(async ({ path, file, type }) => {
      const headers = { "Content-Type": `${type}; charset=utf-8`, "Cache-Control": "public, max-age=31536000, immutable" };
      return [path, await readStored(join(folder, file), headers)] as const;
    }),
  );
  return { stamp, shell, files: new Map(files) };
}

async function readStored(path: string, headers: StoredFile["headers"]): Promise<StoredFile> {
  const plain = await readFile(path);
  const forms = await Promise.all(
    (
      [
        ["br", ".br"],
        ["gzip", ".gz"],
      ] as const
    ).map(async ([encoding, extension]) => {
      const body = await readFile(`${path}${extension}`).catch(() => undefined);
      return body === undefined ? [] : [{ encoding, body }];
    }),
  );
  return { headers, etag: `"${sha256(plain).slice(0, 32)}"`, plain, compressed: forms.flat() };
}

function answerWith({ headers, etag, plain, compressed }: StoredFile, asked: FileRequest["headers"]): FileAnswer {
  const always = { ...headers, ETag: etag, Vary: "Accept-Encoding" };
  if (asked["if-none-match"] === etag) return { status: 304, headers: always, body: Buffer.alloc(0) };
  const accepted = acceptedEncodings(asked["accept-encoding"]);
  const form = compressed.find(({ encoding }) => accepted.has(encoding));
  const encoded = form === undefined ? {} : { "Content-Encoding": form.encoding };
  return { status: 200, headers: { ...always, ...encoded }, body: form?.body ?? plain };
}

/** The codings that a client takes; one with `q=0` is one that it does not take. */
function acceptedEncodings(header: string | readonly string[] | undefined): ReadonlySet<string> {
  const entries = String(header ?? "")
    .toLowerCase()
    .split(",")
    .map((entry) => entry.split(";").map((part) => part.trim()));
  return new Set(entries.flatMap(([coding = "", quality = ""]) => (/^q=0(?:\.0*)?$/u.test(quality) ? [] : [coding])));
}
