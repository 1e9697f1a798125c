import { describe, expect, it } from "@jest/globals";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { type FollowerSighting, followerMaxAgeMs, throttleFollowers } from "./followers.ts";

function aThrottle() {
  const clock = createFakeClock();
  const written: FollowerSighting[] = [];
  const state = { isAway: false };
  const book = throttleFollowers(
    {
      async record(sighting) {
        if (state.isAway) throw new Error("away");
        written.push(sighting);
      },
      count: async () => ({ followers: 7, current: 3 }),
    },
    clock,
  );
  return { clock, book, written, state };
}

describe("sightings of followers", () => {
  const sighting = { document: "route/implement", instance: "one", tag: '"1"' };

  it("are written when they say something new, and often enough to count", async () => {
    const { clock, book, written } = aThrottle();
    for (let second = 0; second < 60; second += 2) {
      await book.record(sighting);
      await clock.advance(2000);
    }
    expect(written).toHaveLength(3);
    await book.record(sighting);
    expect(written).toHaveLength(4);
    await book.record({ ...sighting, tag: '"2"' });
    await book.record({ ...sighting, tag: '"2"' });
    await book.record({ ...sighting, tag: '"2"', document: "route/review" });
    await book.record({ ...sighting, tag: '"2"', instance: "two" });
    expect(written).toHaveLength(7);
    await clock.advance(followerMaxAgeMs);
    await book.record({ ...sighting, tag: '"2"' });
    expect(written).toHaveLength(8);
  });

  it("that could not be written fail no request, and the next one is tried again", async () => {
    const { book, written, state } = aThrottle();
    state.isAway = true;
    await book.record(sighting);
    state.isAway = false;
    await book.record(sighting);
    expect(written).toEqual([sighting]);
    expect(await book.count("route/implement", '"1"')).toEqual({ followers: 7, current: 3 });
  });
});
