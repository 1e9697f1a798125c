import { constants } from "node:fs";
import { open, stat } from "node:fs/promises";

/** What reading a file came to. */
export type RegularFile =
  /** Its bytes, with a stamp that changes whenever they do. */
  | { readonly kind: "read"; readonly stamp: string; readonly bytes: Buffer }
  /** Its stamp is the one that was given; nothing was read. */
  | { readonly kind: "unchanged" }
  /** `reason`: an error code of the operating system, or what it is instead of a file of a permitted size. */
  | { readonly kind: "refused"; readonly reason: string };

/** How a file is read. */
export interface ReadRegularFile {
  /** A larger file is refused. */
  readonly maxBytes: number;
  /** Answered by `unchanged` when the file still has it. */
  readonly previousStamp?: string | undefined;
}

/**
 * Reads a file that others may have put there. A pipe, a device, a socket or a folder is refused without being opened, so that none of them can hold up the
 * thread that reads; a file that says nothing of its size (as below `/proc`) is read up to the limit. Never rejects.
 */
export async function readRegularFile(path: string, { maxBytes, previousStamp }: ReadRegularFile): Promise<RegularFile> {
  try {
    const entry = await stat(path, { bigint: true });
    if (!entry.isFile()) return { kind: "refused", reason: kindOf(entry) };
    if (stampOf(entry) === previousStamp) return { kind: "unchanged" };
    // Between the two calls a pipe may have taken its place: opened without waiting, it does no harm.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    try {
      const opened = await file.stat({ bigint: true });
      if (!opened.isFile()) return { kind: "refused", reason: kindOf(opened) };
      const bytes = opened.size > BigInt(maxBytes) ? undefined : await readUpTo(file, maxBytes);
      if (bytes === undefined) return { kind: "refused", reason: `more than ${maxBytes} bytes` };
      return { kind: "read", stamp: stampOf(opened), bytes };
    } finally {
      await file.close();
    }
  } catch (error) {
    // Not instanceof: a test runner gives errors of the file system a class of its own.
    const code = typeof error === "object" && error !== null && "code" in error ? String(error.code) : "unknown";
    return { kind: "refused", reason: code };
  }
}

/** Undefined: there is more. */
async function readUpTo(file: Awaited<ReturnType<typeof open>>, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for (;;) {
    const chunk = Buffer.alloc(Math.min(64 * 1024, maxBytes - length + 1));
    const { bytesRead } = await file.read(chunk, 0, chunk.length);
    if (bytesRead === 0) return Buffer.concat(chunks);
    length += bytesRead;
    if (length > maxBytes) return undefined;
    chunks.push(chunk.subarray(0, bytesRead));
  }
}

interface Stats {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

function stampOf({ dev, ino, size, mtimeNs, ctimeNs }: Stats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(":");
}

interface Kinds {
  isDirectory(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
}

/** What an entry of the file system is that is no file, as words for people. */
export function kindOf(stats: Kinds): string {
  if (stats.isDirectory()) return "a folder";
  if (stats.isFIFO()) return "a named pipe";
  return stats.isSocket() ? "a socket" : "a device";
}
