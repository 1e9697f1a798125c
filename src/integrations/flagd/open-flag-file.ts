import { constants } from "node:fs";
import { lstat, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { decodeUtf8 } from "../../core/decode-utf8.ts";
import { errorField } from "../../core/error-field.ts";
import { StepFailure } from "../../core/failure.ts";
import { type ClaimDeps, claimPath } from "../../platform/claim-path.ts";
import { readRegularFile } from "../../platform/read-regular-file.ts";
import type { FlagEdit } from "./flag-file.ts";

/** The file that flagd watches. Every member rejects with StepFailure when the file cannot be read, or written, as what it is. */
export interface FlagFile {
  read(): Promise<string>;
  /** Applies `edit` to the text as it is now and resolves with what it said, once the new text is on the disk. One change at a time, over all processes. */
  change(edit: (text: string) => FlagEdit): Promise<FlagEdit>;
}

/** A larger file is refused; gRPC carries 4 MiB to flagd's providers. */
const maxBytes = 4 * 1_048_576;
/** How long a change waits for another one. */
const lockWaitMs = 10_000;
/** How often a change is made again because something else wrote the file. */
const maxAttempts = 3;

/**
 * Changes the file by writing a new one beside it, with its permissions, and renaming that over it: flagd never reads half a file. Refused are symbolic
 * links (a mounted ConfigMap), files with several names, and everything that is not a file: what is renamed over those would be read by nobody.
 */
export function openFlagFile(path: string, deps: ClaimDeps): FlagFile {
  const lock = join(dirname(path), `.${basename(path)}.runbookd-lock`);
  const next = join(dirname(path), `.${basename(path)}.runbookd-new`);

  async function attempt(edit: (text: string) => FlagEdit, isHeld: () => Promise<boolean>): Promise<FlagEdit | undefined> {
    const { text, stamp } = await readText(path);
    const change = edit(text);
    if (change.kind !== "edited") return change;
    await writeBeside(next, path, change.text);
    try {
      const now = await readRegularFile(path, { maxBytes, previousStamp: stamp });
      if (now.kind !== "unchanged" || !(await isHeld())) return undefined;
      await rename(next, path);
    } finally {
      await rm(next, { force: true });
    }
    // What was renamed is in force; not every file system can promise that it survives a loss of power.
    await syncFolder(dirname(path)).catch(() => undefined);
    return change;
  }

  return {
    read: async () => (await readText(path)).text,
    async change(edit) {
      const claim = await claimPath(lock, { waitMs: lockWaitMs }, deps).catch((error: unknown) => {
        throw unwritable(path, error);
      });
      if (claim.kind === "taken") {
        const message = `${path} is being changed by another process. Nothing was changed, try again.`;
        throw new StepFailure({ reason: "overloaded", message, applied: "no" });
      }
      try {
        for (let nth = 0; nth < maxAttempts; nth += 1) {
          const change = await attempt(edit, () => claim.isHeld());
          if (change !== undefined) return change;
        }
      } catch (error) {
        throw unwritable(path, error);
      } finally {
        await claim.release();
      }
      const message = `${path} changed again and again while it was being changed. Nothing was changed, try again.`;
      throw new StepFailure({ reason: "overloaded", message, applied: "no" });
    },
  };
}

async function readText(path: string): Promise<{ readonly text: string; readonly stamp: string }> {
  const refuse = (reason: string) =>
    new StepFailure({ reason: "not_reachable", message: `The file of flagd, ${path}, cannot be used: ${reason}.`, applied: "no" });
  const entry = await lstat(path).catch((error: unknown) => {
    const code = errorField(error, "code");
    throw refuse(`it is not readable (${typeof code === "string" ? code : "unknown"})`);
  });
  if (entry.isSymbolicLink()) throw refuse("it is a symbolic link; name the file itself, in a folder that runbookd may write to");
  if (entry.isFile() && entry.nlink > 1) throw refuse("it has a second name (a hard link), which would keep the old text");
  const file = await readRegularFile(path, { maxBytes });
  if (file.kind !== "read") throw refuse(file.kind === "refused" ? `it is ${reasonOf(file.reason)}` : "it changed");
  const decoded = decodeUtf8(file.bytes, { keepMark: true });
  if (!decoded.ok) throw refuse(`line ${decoded.line}: ${decoded.message}`);
  return { text: decoded.text, stamp: file.stamp };
}

function reasonOf(reason: string): string {
  return /^[A-Z]+$/.test(reason) ? `not readable (${reason})` : reason;
}

/** Writes a file that is read by those who read the present one, and waits until it is on the disk. */
async function writeBeside(next: string, path: string, text: string): Promise<void> {
  const { mode, uid, gid } = await lstat(path);
  await rm(next, { force: true });
  const file = await open(next, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
  try {
    await file.writeFile(text);
    const made = await file.stat();
    if (made.uid !== uid || made.gid !== gid) {
      await file.chown(uid, gid).catch((error: unknown) => {
        // A process that may read the present file by its owner or group would lose access to it.
        if ((mode & 0o004) === 0) throw error;
      });
    }
    await file.chmod(mode & 0o7777);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes the renaming itself survive a loss of power. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

function unwritable(path: string, error: unknown): Error {
  if (error instanceof StepFailure) return error;
  const code = errorField(error, "code");
  if (typeof code !== "string") return error instanceof Error ? error : new Error(String(error));
  const message = `The file of flagd, ${path}, cannot be changed (${code}). runbookd needs to write to its folder and to keep its owner.`;
  return new StepFailure({ reason: "refused_by_target", message, applied: "no" });
}
