import { describe, expect, it } from "@jest/globals";
import { sha256 } from "../../src/core/json.ts";
import { type Checkpoint, type CheckpointRepository, maxChangedFileBytes, maxChangedFiles } from "../../src/llm/tickets/checkpoint.ts";

/** A repository whose base is one file `a.txt` with the text `base`, and what the outside does to it. */
export interface CheckpointBench {
  readonly repository: CheckpointRepository;
  /** Writes files of the ticket's workspace, as whoever works there does; `undefined` removes one. */
  readonly write: (ticketId: string, files: Readonly<Record<string, string | undefined>>) => Promise<void>;
  readonly files: (ticketId: string) => Promise<Readonly<Record<string, string>>>;
  readonly damage: (ticketId: string, n: number) => Promise<void>;
  readonly conflict: (ticketId: string) => Promise<void>;
  readonly merge: (ticketId: string, commit: string) => Promise<void>;
  readonly buildOn: (ticketId: string) => Promise<void>;
}

const orThrow = (checkpoint: Checkpoint | undefined): Checkpoint => {
  if (checkpoint === undefined) throw new Error("There is no checkpoint.");
  return checkpoint;
};

/** The specification of every repository of checkpoints. `open` makes a fresh one. */
export function describeCheckpoints(name: string, open: () => Promise<CheckpointBench>): void {
  const note = { stage: "implement", green: false, conversation: "hello" };

  describe(`${name} as a repository of checkpoints`, () => {
    it("finds the workspace that a ticket was given, and no other", async () => {
      const { repository } = await open();
      expect(await repository.find("GH-1")).toBeUndefined();
      const made = await repository.open("GH-1");
      expect(await repository.open("GH-1")).toEqual(made);
      expect(await repository.find("GH-1")).toEqual(made);
      expect(made.conflicts).toEqual([]);
      expect(await repository.find("GH")).toBeUndefined();
      expect((await repository.open("acme/shop#1 ..")).folder).not.toBe(made.folder);
    });

    it("saves everything under its number with the conversation, and the same again once", async () => {
      const { repository, write } = await open();
      expect(await repository.save("GH-1", note)).toBeUndefined();
      await repository.open("GH-1");
      await write("GH-1", { "a.txt": "more", "new/b.txt": "new" });
      const first = await repository.save("GH-1", note);
      expect(first).toMatchObject({
        n: 1,
        ref: "refs/checkpoints/GH-1/1",
        stage: "implement",
        green: false,
        conversationSha256: sha256("hello"),
      });
      expect(await repository.save("GH-1", note)).toEqual(first);
      const second = await repository.save("GH-1", { ...note, stage: "test", green: true });
      expect(second).toMatchObject({ n: 2, green: true, tree: first?.tree });
      const third = await repository.save("GH-1", { ...note, stage: "test", green: true, conversation: "hello\nagain" });
      expect(await repository.list("GH-1")).toEqual([first, second, third].map((checkpoint) => ({ kind: "whole", checkpoint })));
      expect(third === undefined ? "" : await repository.conversation(third)).toBe("hello\nagain");
      expect(await repository.list("GH-2")).toEqual([]);
    });

    it("reads the files that a checkpoint adds or changes, with what they said before", async () => {
      const { repository, write } = await open();
      await repository.open("GH-1");
      const empty = await repository.save("GH-1", note);
      expect(await repository.changes(orThrow(empty))).toEqual({ files: [], unread: 0 });
      await write("GH-1", { "a.txt": "more\nöäü", "new/b.txt": "new", "z.txt": "" });
      const first = await repository.save("GH-1", note);
      const files = [
        { path: "a.txt", text: "more\nöäü", before: "base" },
        { path: "new/b.txt", text: "new", before: "" },
        { path: "z.txt", text: "", before: "" },
      ];
      expect(await repository.changes(orThrow(first))).toEqual({ files, unread: 0 });
      await write("GH-1", { "a.txt": undefined, "z.txt": "later" });
      const second = await repository.save("GH-1", note);
      expect(await repository.changes(orThrow(second))).toEqual({
        files: [files[1], { path: "z.txt", text: "later", before: "" }],
        unread: 0,
      });
      expect(await repository.changes(orThrow(first))).toEqual({ files, unread: 0 });
    });

    it("counts the changed files that it does not read", async () => {
      const { repository, write } = await open();
      await repository.open("GH-1");
      const many = Object.fromEntries(Array.from({ length: maxChangedFiles }, (_, nth) => [`many/${nth}.txt`, "few"]));
      await write("GH-1", { "a.txt": "x".repeat(maxChangedFileBytes + 1), "b.txt": "x".repeat(maxChangedFileBytes), ...many });
      const saved = await repository.save("GH-1", note);
      const { files, unread } = await repository.changes(orThrow(saved));
      expect(files).toHaveLength(maxChangedFiles);
      expect(files[0]?.path).toBe("b.txt");
      expect(unread).toBe(2);
    });

    it("makes the workspace exactly what a checkpoint holds", async () => {
      const { repository, write, files } = await open();
      await repository.open("GH-1");
      await write("GH-1", { "a.txt": "more", "b.txt": "new" });
      const first = await repository.save("GH-1", note);
      await write("GH-1", { "a.txt": undefined, "b.txt": "worse", "c.txt": "later" });
      const second = await repository.save("GH-1", note);
      await repository.restore("GH-1", first?.commit ?? "");
      expect(await files("GH-1")).toEqual({ "a.txt": "more", "b.txt": "new" });
      await repository.restore("GH-1", second?.commit ?? "");
      expect(await files("GH-1")).toEqual({ "b.txt": "worse", "c.txt": "later" });
      await repository.open("GH-1", true);
      expect(await files("GH-1")).toEqual({ "a.txt": "base" });
    });

    it("tells a broken checkpoint from a whole one, and keeps it", async () => {
      const { repository, write, damage } = await open();
      await repository.open("GH-1");
      await write("GH-1", { "b.txt": "one" });
      const first = await repository.save("GH-1", note);
      await write("GH-1", { "b.txt": "two" });
      await repository.save("GH-1", note);
      await damage("GH-1", 2);
      const [whole, broken] = await repository.list("GH-1");
      expect(whole).toEqual({ kind: "whole", checkpoint: first });
      expect(broken).toMatchObject({ kind: "broken", n: 2, ref: "refs/checkpoints/GH-1/2" });
      await write("GH-1", { "b.txt": "three" });
      expect(await repository.save("GH-1", note)).toMatchObject({ n: 3 });
      expect((await repository.list("GH-1")).map(({ kind }) => kind)).toEqual(["whole", "broken", "whole"]);
    });

    it("tells files that are in conflict, saves them as they lie there, and a restore settles them", async () => {
      const { repository, write, conflict } = await open();
      await repository.open("GH-1");
      await write("GH-1", { "b.txt": "one" });
      const first = await repository.save("GH-1", note);
      await conflict("GH-1");
      expect((await repository.find("GH-1"))?.conflicts).toEqual(["a.txt"]);
      expect(await repository.save("GH-1", { ...note, stage: "partial" })).toMatchObject({ n: 2 });
      expect((await repository.find("GH-1"))?.conflicts).toEqual(["a.txt"]);
      await repository.restore("GH-1", first?.commit ?? "");
      expect((await repository.find("GH-1"))?.conflicts).toEqual([]);
    });

    it("publishes the same work once, and takes it back while nobody built on it", async () => {
      const { repository, write } = await open();
      await repository.open("GH-1");
      await write("GH-1", { "b.txt": "one" });
      const commit = await repository.publish("GH-1", "Fix it");
      expect(await repository.publish("GH-1", "Fix it")).toBe(commit);
      expect(await repository.push("GH-1")).toBe(true);
      expect(await repository.withdraw("GH-1", commit)).toEqual({ kind: "withdrawn" });
      expect(await repository.withdraw("GH-1", commit)).toEqual({ kind: "nothing" });
    });

    it("does not take back what others built on, and reverts what was merged on a branch of its own", async () => {
      const { repository, write, buildOn, merge } = await open();
      for (const id of ["GH-1", "GH-2"]) {
        await repository.open(id);
        await write(id, { [`${id}.txt`]: "one" });
      }
      const first = await repository.publish("GH-1", "Fix it");
      await buildOn("GH-1");
      expect(await repository.withdraw("GH-1", first)).toMatchObject({ kind: "moved" });
      const second = await repository.publish("GH-2", "Fix that");
      await merge("GH-2", second);
      expect(await repository.withdraw("GH-2", second)).toEqual({ kind: "reverted", branch: "revert/GH-2" });
      expect(await repository.withdraw("GH-2", second)).toEqual({ kind: "reverted", branch: "revert/GH-2" });
    });
  });
}
