import type { Clock } from "../../core/clock.ts";
import { formatDuration } from "../../core/duration.ts";
import type { PrometheusReader } from "../../core/prometheus.ts";

/**
 * How far a sample may lie from the moment that was asked for: as far as Prometheus itself looks back for one by default (--query.lookback-delta).
 * Clocks that differ by less do no harm.
 */
const lookbackMs = 300_000;

/** A reader whose answers are of the moment that was asked for. A sample from another time, as a cache or a stopped Prometheus gives it, makes the answer incomplete. */
export function withFreshSamples(reader: PrometheusReader, clock: Pick<Clock, "now">): PrometheusReader {
  return {
    async query(promql, options) {
      const answer = await reader.query(promql, options);
      if (answer.kind !== "samples") return answer;
      const asked = options.at ?? clock.now();
      const other = answer.samples.find((sample) => Math.abs(asked - sample.at) > lookbackMs);
      if (other === undefined) return answer;
      const distance = formatDuration(Math.round(Math.abs(asked - other.at) / 1000) * 1000);
      return {
        kind: "incomplete",
        reason: `a sample is ${distance} ${other.at < asked ? "older" : "newer"} than the moment that was asked for`,
      };
    },
  };
}
