import { sha256 } from "../../core/json.ts";

/** What is said about a checkpoint when it is saved. */
export interface CheckpointMetadata {
  /** Part of the work that it was taken in, or `partial` for work that nobody had finished. */
  readonly stage: string;
  /** The repository's own tests passed with exactly this work. */
  readonly green: boolean;
  /** What was said with the model so far; kept without secrets beside the work, under its hash. */
  readonly conversation: string;
}

/** The saved work of one ticket at one moment: a commit of its own that no branch leads to. */
export interface Checkpoint {
  /** 1 for the first; numbers are never used twice. */
  readonly n: number;
  readonly ref: string;
  readonly commit: string;
  readonly tree: string;
  readonly stage: string;
  readonly green: boolean;
  readonly conversationSha256: string;
  /** What was in the workspace and could not be kept: paths with the reason in brackets. Absent: everything was kept. */
  readonly omitted?: readonly string[];
}

/** A checkpoint as it was found: whole, with everything of it read and compared with its hashes, or broken. A broken one is kept. */
export type ListedCheckpoint =
  | { readonly kind: "whole"; readonly checkpoint: Checkpoint }
  | { readonly kind: "broken"; readonly n: number; readonly ref: string; readonly reason: string };

/** A file that saved work adds or changes. */
export interface ChangedFile {
  readonly path: string;
  /** As UTF-8; what is none of it is replaced. */
  readonly text: string;
  /** What the file said in the work's base; empty for a new file, and for one that was too large to be read. */
  readonly before: string;
}

/** What saved work adds and changes. */
export interface SavedChanges {
  /** Regular files, by path. */
  readonly files: readonly ChangedFile[];
  /** Files that were not read, because they are too large or too many. */
  readonly unread: number;
}

/** Largest changed file that is read, in bytes. */
export const maxChangedFileBytes = 1024 * 1024;

/** Changed files that are read of one checkpoint, and their bytes together; those before the change count as well. */
export const maxChangedFiles = 500;
/** See {@link maxChangedFiles}. */
export const maxChangedBytes = 8 * 1024 * 1024;

/** The folder in which a ticket is worked on. */
export interface Workspace {
  readonly folder: string;
  /** What the work is based on. */
  readonly base: string;
  /** Files that two sides changed and nobody has settled. */
  readonly conflicts: readonly string[];
}

/** What became of something published: `withdrawn` it was ours and is gone, `reverted` it was merged and a branch that reverts it is there. */
export type Withdrawal =
  | { readonly kind: "nothing" | "withdrawn" }
  | { readonly kind: "reverted"; readonly branch: string }
  /** Somebody else built on it. */
  | { readonly kind: "moved"; readonly detail: string };

/**
 * Work of tickets in a repository. Every method rejects with an Error whose message names what git said when git fails; nothing is half done then that a
 * second call would not put right.
 */
export interface CheckpointRepository {
  /** Where this repository is kept, as addresses with their credentials: its remote, and its folder. */
  addresses(): Promise<readonly string[]>;
  /** The ticket's workspace, when there is one: whoever made it may be dead. */
  find(ticketId: string): Promise<Workspace | undefined>;
  /**
   * The ticket's workspace; made at the tip of what tickets are based on when there is none. `fresh`: made anew, with nothing that was in it; what was
   * not in a checkpoint is saved first, and the workspace is kept and the call rejects when no checkpoint can keep all of it. `base`: the
   * commit that a workspace is made at in place of that tip; rejects when the repository does not have it.
   */
  open(ticketId: string, fresh?: boolean, base?: string): Promise<Workspace>;
  /**
   * Saves everything in the workspace that is not ignored, without touching index, work tree or stash. Saving the same again answers the last
   * checkpoint. Undefined: there is no workspace.
   */
  save(ticketId: string, metadata: CheckpointMetadata): Promise<Checkpoint | undefined>;
  /** Oldest first. */
  list(ticketId: string): Promise<readonly ListedCheckpoint[]>;
  conversation(checkpoint: Checkpoint): Promise<string>;
  /** Files that differ from what the work is based on, within the bounds of {@link maxChangedFiles}. Files that the work removes, and links, are none. */
  changes(checkpoint: Checkpoint): Promise<SavedChanges>;
  /**
   * Makes the workspace exactly this work. What is ignored stays, and HEAD does. A workspace that is gone is made at `base`, or at what the checkpoint is
   * based on; rejects when the repository has neither.
   */
  restore(ticketId: string, commit: string, base?: string): Promise<void>;
  /** Sends the ticket's checkpoints to where the repository is kept. False: it is kept nowhere else. */
  push(ticketId: string): Promise<boolean>;
  /** Commits the workspace to the ticket's own branch and sends that; the same work again is published once. Answers the commit; rejects without one. */
  publish(ticketId: string, message: string): Promise<string>;
  /** Takes back what the ticket published: history is never rewritten. */
  withdraw(ticketId: string, commit: string): Promise<Withdrawal>;
}

/** What a ticket is called in refs and folders: itself when that is harmless, else its hash. */
export function ticketRefName(ticketId: string): string {
  return /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,60})$/.test(ticketId) && !ticketId.startsWith("h-")
    ? ticketId
    : `h-${sha256(ticketId).slice(0, 32)}`;
}

const maxOmitted = 20;

/** What a checkpoint could not keep, as people read it: its first 20 paths, and how many more there are. Empty: everything was kept. */
export function omittedFrom({ omitted = [] }: Pick<Checkpoint, "omitted">): readonly string[] {
  const more = omitted.length - maxOmitted;
  return more > 0 ? [...omitted.slice(0, maxOmitted), `and ${more} more`] : omitted;
}

/** Where a ticket's checkpoint is. */
export function checkpointRef(ticketId: string, n: number): string {
  return `refs/checkpoints/${ticketRefName(ticketId)}/${n}`;
}

/** Branch that a ticket publishes. */
export function ticketBranch(ticketId: string): string {
  return `ticket/${ticketRefName(ticketId)}`;
}
