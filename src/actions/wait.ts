import { z } from "zod";
import { formatDuration } from "../core/duration.ts";
import { defineAction } from "./define-action.ts";
import { durationParameter, millisecondsOf } from "./parameter-types.ts";

const progressSchema = z.object({ until: z.number() });

/** Waits without holding a worker. */
export const wait = defineAction({
  name: "wait",
  summary: "Waits. The run is suspended and occupies no worker until the time is over.",
  parameters: z.strictObject({ for: durationParameter("How long to wait.") }),
  result: { waited_seconds: "how long it waited" },
  effect: "read",
  risk: "none",
  timeoutMs: 5_000,
  probes: false,
  undoes: false,
  behave(parameters, _ports: object) {
    const ms = millisecondsOf(parameters.for);
    return {
      async plan() {
        return { summary: `Wait ${formatDuration(ms)}`, targets: [], changes: [], reversible: true, data: null };
      },
      async run(_plan, { clock, progress }) {
        const now = clock.now();
        const until = progress === undefined ? now + ms : progressSchema.parse(progress).until;
        if (now < until) return { kind: "continue", afterMs: until - now, progress: { until } };
        return { kind: "done", output: { waited_seconds: (now - until + ms) / 1000 } };
      },
    };
  },
});
