import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { createEventReader } from "./event-text.ts";

const text = 'id: 1-0\nevent: ready\ndata: {}\n\n: keep-alive\n\nid: 2-0\nevent: run\ndata: {"id":"run_1"}\n\n';

describe("a stream of events", () => {
  it("is read the same wherever it is cut", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 6 }), (cuts) => {
        const places = [0, ...cuts.toSorted((a, b) => a - b), text.length];
        const read = createEventReader();
        const events = places.slice(1).flatMap((end, index) => [...read(text.slice(places[index], end))]);
        expect(events).toEqual([
          { id: "1-0", event: "ready", data: "{}" },
          { id: "2-0", event: "run", data: '{"id":"run_1"}' },
        ]);
      }),
    );
  });

  it("ends at an event that is larger than any of this server's", () => {
    const read = createEventReader();
    expect(() => read("data: ".padEnd(70_000, "x"))).toThrow("64 kB");
  });
});
