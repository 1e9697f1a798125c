import { describe, expect, it } from "@jest/globals";
import { type FollowerBook, followerMaxAgeMs, maxFollowers } from "../../src/llm/rollouts/followers.ts";
import { createFakeClock, type FakeClock } from "../fakes/fake-clock.ts";

const tag = '"1"';

/** The specification of every record of followers. */
export function describeFollowerBook(name: string, open: (clock: FakeClock) => Promise<FollowerBook>): void {
  const aBook = async () => {
    const clock = createFakeClock();
    const book = await open(clock);
    const note = async (instance: string, held: string | undefined, document = "route/implement") =>
      book.record({ document, instance, tag: held });
    return { clock, book, note };
  };

  describe(`${name} as a record of followers`, () => {
    it("counts each process once, with the version that it had last", async () => {
      const { book, note } = await aBook();
      expect(await book.count("route/implement", tag)).toEqual({ followers: 0, current: 0 });
      await note("one", undefined);
      await note("two", '"0"');
      await note("three", tag);
      expect(await book.count("route/implement", tag)).toEqual({ followers: 3, current: 1 });
      await note("one", tag);
      await note("three", '"0"');
      expect(await book.count("route/implement", tag)).toEqual({ followers: 3, current: 1 });
      await note("two", tag);
      expect(await book.count("route/implement", tag)).toEqual({ followers: 3, current: 2 });
      expect(await book.count("route/implement", '"0"')).toEqual({ followers: 3, current: 1 });
    });

    it("keeps documents apart", async () => {
      const { book, note } = await aBook();
      await note("one", tag);
      await note("one", tag, "prompt/implement");
      await note("two", tag, "prompt/implement");
      expect(await book.count("route/implement", tag)).toEqual({ followers: 1, current: 1 });
      expect(await book.count("prompt/implement", tag)).toEqual({ followers: 2, current: 2 });
    });

    it("forgets a process that does not ask any more", async () => {
      const { book, note, clock } = await aBook();
      await note("one", tag);
      await clock.advance(followerMaxAgeMs / 2);
      await note("two", tag);
      await clock.advance(followerMaxAgeMs / 2);
      expect(await book.count("route/implement", tag)).toEqual({ followers: 1, current: 1 });
    });

    it("keeps a bounded number, and gives the places of those that do not ask any more to others", async () => {
      const { book, note, clock } = await aBook();
      for (let nth = 0; nth < maxFollowers + 5; nth += 1) await note(`old-${nth}`, tag);
      expect(await book.count("route/implement", tag)).toEqual({ followers: maxFollowers, current: maxFollowers });
      await note("old-1", '"0"');
      expect(await book.count("route/implement", tag)).toEqual({ followers: maxFollowers, current: maxFollowers - 1 });
      await clock.advance(followerMaxAgeMs + 1);
      await note("new", tag);
      expect(await book.count("route/implement", tag)).toEqual({ followers: 1, current: 1 });
    });

    it("takes any name and any tag", async () => {
      const { book, note } = await aBook();
      await note("a b {x}\n", `"${"y".repeat(500)} 1"`);
      await note("", " ");
      expect(await book.count("route/implement", tag)).toEqual({ followers: 2, current: 0 });
    });
  });
}
