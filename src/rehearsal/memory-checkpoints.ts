import { canonicalJson } from "../../packages/sdk/src/wire/json.ts";
import { sha256 } from "../core/json.ts";
import {
  type Checkpoint,
  type CheckpointRepository,
  checkpointRef,
  type ListedCheckpoint,
  maxChangedFileBytes,
  maxChangedFiles,
} from "../llm/tickets/checkpoint.ts";

/** Files of a workspace by path. */
export type Files = Readonly<Record<string, string>>;

/** A repository of checkpoints in memory, and what makes things go wrong in it. */
export interface MemoryCheckpoints extends CheckpointRepository {
  /** Puts these files into the ticket's workspace, which is made when there is none; `undefined` removes a file. */
  write(ticketId: string, files: Readonly<Record<string, string | undefined>>): void;
  files(ticketId: string): Files | undefined;
  /** The checkpoint can be read and is not what its hash says. */
  damage(ticketId: string, n: number): void;
  conflict(ticketId: string, paths: readonly string[]): void;
  /** The workspace holds what no checkpoint can keep. */
  omit(ticketId: string, paths: readonly string[]): void;
  /** The workspace is gone. */
  forget(ticketId: string): void;
  /** The ticket's branch has further commits, or was merged. */
  publishedIs(ticketId: string, how: "moved" | "merged"): void;
}

interface Saved extends Checkpoint {
  readonly files: Files;
  readonly conversation: string;
}

/** What new workspaces hold. */
export function createMemoryCheckpoints(base: Files = {}): MemoryCheckpoints {
  const spaces = new Map<string, { files: Files; conflicts: readonly string[] }>();
  const saved = new Map<string, Saved[]>();
  const damaged = new Set<string>();
  const omitted = new Map<string, readonly string[]>();
  const published = new Map<string, { commit: string; how?: "moved" | "merged" }>();
  const baseId = idOf(base);
  const spaceOf = (ticketId: string) => {
    const space = spaces.get(ticketId) ?? { files: base, conflicts: [] };
    spaces.set(ticketId, space);
    return space;
  };
  const workspace = (ticketId: string) => ({ folder: `/memory/${ticketId}`, base: baseId, conflicts: spaceOf(ticketId).conflicts });

  return {
    write(ticketId, files) {
      const space = spaceOf(ticketId);
      const next = Object.entries({ ...space.files, ...files }).flatMap(([path, text]) =>
        text === undefined ? [] : [[path, text] as const],
      );
      space.files = Object.fromEntries(next);
    },
    files: (ticketId) => spaces.get(ticketId)?.files,
    damage: (ticketId, n) => void damaged.add(checkpointRef(ticketId, n)),
    conflict: (ticketId, paths) => void (spaceOf(ticketId).conflicts = paths),
    omit: (ticketId, paths) => void omitted.set(ticketId, paths),
    forget: (ticketId) => void spaces.delete(ticketId),
    publishedIs(ticketId, how) {
      const publication = published.get(ticketId);
      if (publication !== undefined) publication.how = how;
    },
    addresses: async () => ["https://git.example/acme/shop.git"],
    find: async (ticketId) => (spaces.has(ticketId) ? workspace(ticketId) : undefined),
    async open(ticketId, fresh = false) {
      if (fresh) spaces.delete(ticketId);
      return workspace(ticketId);
    },
    async save(ticketId, { stage, green, conversation }) {
      const space = spaces.get(ticketId);
      if (space === undefined) return undefined;
      const all = saved.get(ticketId) ?? [];
      const n = all.length + 1;
      const [tree, conversationSha256] = [idOf(space.files), sha256(conversation)];
      const last = all.at(-1);
      if (
        last !== undefined &&
        !damaged.has(last.ref) &&
        last.tree === tree &&
        last.stage === stage &&
        last.green === green &&
        last.conversationSha256 === conversationSha256 &&
        last.omitted === omitted.get(ticketId)
      )
        return plain(last);
      const paths = omitted.get(ticketId);
      const lost = paths === undefined ? {} : { omitted: paths };
      const ref = checkpointRef(ticketId, n);
      const commit = sha256([ref, tree, stage, conversationSha256].join(" ")).slice(0, 40);
      const made: Saved = { n, ref, commit, tree, stage, green, conversationSha256, files: space.files, conversation, ...lost };
      saved.set(ticketId, [...all, made]);
      return plain(made);
    },
    list: async (ticketId) =>
      (saved.get(ticketId) ?? []).map(
        (one): ListedCheckpoint =>
          damaged.has(one.ref)
            ? { kind: "broken", n: one.n, ref: one.ref, reason: `object ${one.tree} is not what its hash says, or is missing` }
            : { kind: "whole", checkpoint: plain(one) },
      ),
    async conversation({ ref }) {
      const match = [...saved.values()].flat().find((one) => one.ref === ref);
      if (match === undefined) throw new Error(`git cat-file: there is no ${ref}`);
      return match.conversation;
    },
    async changes({ ref }) {
      const files = [...saved.values()].flat().find((one) => one.ref === ref)?.files ?? {};
      const changed = Object.entries(files)
        .filter(([path, text]) => base[path] !== text)
        .toSorted(([one], [other]) => (one < other ? -1 : 1));
      const read = changed.filter(([, text]) => Buffer.byteLength(text) <= maxChangedFileBytes).slice(0, maxChangedFiles);
      return { files: read.map(([path, text]) => ({ path, text, before: base[path] ?? "" })), unread: changed.length - read.length };
    },
    async restore(ticketId, commit) {
      const match = saved.get(ticketId)?.find((one) => one.commit === commit);
      if (match === undefined) throw new Error(`git read-tree: there is no ${commit}`);
      const space = spaceOf(ticketId);
      space.files = match.files;
      space.conflicts = [];
    },
    push: async () => true,
    async publish(ticketId, message) {
      if (!spaces.has(ticketId)) throw new Error(`The workspace of ticket ${ticketId} is gone; there is nothing to publish.`);
      const commit = sha256(`${idOf(spaceOf(ticketId).files)} ${message}`).slice(0, 40);
      published.set(ticketId, { commit });
      return commit;
    },
    async withdraw(ticketId, commit) {
      const publication = published.get(ticketId);
      if (publication === undefined) return { kind: "nothing" };
      if (publication.how === "merged") return { kind: "reverted", branch: `revert/${ticketId}` };
      if (publication.how === "moved" || publication.commit !== commit) return { kind: "moved", detail: "it has further commits" };
      published.delete(ticketId);
      return { kind: "withdrawn" };
    },
  };
}

function idOf(files: Files): string {
  return sha256(canonicalJson(files)).slice(0, 40);
}

function plain({ files: _files, conversation: _conversation, ...checkpoint }: Saved): Checkpoint {
  return checkpoint;
}
