import type { ShapeReader } from "./usage-shape.ts";

/** Our own shape: one partition already. */
export const partition: ShapeReader = {
  shape: "partition",
  needs: ["uncached", "output"],
  read: (source) => ({
    uncached: source.count("uncached"),
    read: source.count("read"),
    write5m: source.count("write5m"),
    write30m: source.count("write30m"),
    write1h: source.count("write1h"),
    write12h: source.count("write12h"),
    output: source.count("output") ?? 0,
    reasoning: source.count("reasoning"),
  }),
};
