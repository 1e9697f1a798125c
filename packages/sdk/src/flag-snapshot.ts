import { hash } from "node:crypto";
import { constants } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { z } from "zod";
import { type Flag, flagSchema } from "./wire/flags.ts";
import { tolerant } from "./wire/tolerant.ts";
import { instantSchema } from "./wire/units.ts";

const maxBytes = 1024 * 1024;
const maxEntries = 500;

/** A flag as it was when runbookd confirmed it last. */
export interface SavedFlag {
  readonly flag: Flag;
  /** When runbookd confirmed it, UTC milliseconds. */
  readonly at: number;
}

/** What reading a snapshot came to. `ignored`: it is damaged, unsafe or another runbookd's; `why` is one sentence. */
export type SnapshotReading =
  | { readonly kind: "read"; readonly flags: readonly SavedFlag[] }
  | { readonly kind: "none" }
  | { readonly kind: "ignored"; readonly why: string };

/** A file that keeps the last flags over a restart. */
export interface FlagSnapshot {
  /** Never rejects. */
  read(): Promise<SnapshotReading>;
  /** Replaces the file as a whole. When it cannot, it removes the file and rejects with the sentence why: an old file may name a flag on that is off now. */
  write(flags: readonly SavedFlag[]): Promise<void>;
}

const contentSchema = z.object({
  url: z.string(),
  flags: z.array(z.object({ at: instantSchema, flag: z.unknown() })).max(maxEntries),
});
const readFlag = tolerant(flagSchema);

/**
 * The file has two lines: the SHA-256 of the second one, and JSON. `url` is the runbookd whose flags they are: another one's are not read. `suffix` must
 * be random for each process, because several may name the same file.
 */
export function createFlagSnapshot({
  file,
  url,
  suffix,
}: {
  readonly file: string;
  readonly url: string;
  readonly suffix: string;
}): FlagSnapshot {
  return {
    async read() {
      try {
        const text = await readBounded(file);
        return text === undefined ? { kind: "none" } : { kind: "read", flags: parse(text, url) };
      } catch (error) {
        return { kind: "ignored", why: `${file}: ${error instanceof Error ? error.message : String(error)}` };
      }
    },
    async write(flags) {
      const content = JSON.stringify({ url, flags: flags.slice(-maxEntries).map(({ at, flag }) => ({ at, flag })) });
      const text = `${hash("sha256", content)}\n${content}\n`;
      const bytes = Buffer.byteLength(text);
      const draft = `${file}.${suffix}.tmp`;
      try {
        if (bytes > maxBytes)
          throw new Error(`the flags take ${bytes} bytes and a snapshot holds ${maxBytes}; make the values of the flags smaller.`);
        const handle = await open(draft, "wx", 0o600);
        try {
          await handle.writeFile(text);
          await handle.sync();
        } finally {
          await handle.close();
        }
        await rename(draft, file);
      } catch (error) {
        for (const path of [draft, file]) await rm(path, { force: true }).catch(() => undefined);
        throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      }
    },
  };
}

/** Undefined: there is no such file. */
async function readBounded(file: string): Promise<string | undefined> {
  // Without O_NONBLOCK a pipe in the file's place would hold the process up.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (handle === undefined) return undefined;
  try {
    const { size, mode } = await handle.stat().then((stats) => {
      if (!stats.isFile()) throw new Error("it is not a file.");
      return stats;
    });
    if ((mode & 0o002) !== 0) throw new Error("every user of the machine can write it; make its mode 0600.");
    if (size > maxBytes) throw new Error(`it has ${size} bytes, a snapshot has at most ${maxBytes}.`);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size), 0, size, 0);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** Throws when the text is not what was written. A flag that this version cannot read is left out. */
function parse(text: string, url: string): readonly SavedFlag[] {
  const [checksum, content, ...others] = text.split("\n");
  if (content === undefined || others.join("") !== "" || checksum !== hash("sha256", content)) {
    throw new Error("it is damaged: its content does not have its checksum.");
  }
  const parsed = contentSchema.parse(JSON.parse(content));
  if (parsed.url !== url) throw new Error("its flags come from another runbookd.");
  return parsed.flags.flatMap(({ at, flag }) => {
    const read = readFlag.safeParse(flag);
    return read.success ? [{ at, flag: read.data }] : [];
  });
}
