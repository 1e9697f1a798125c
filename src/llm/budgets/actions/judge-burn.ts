import { describeUnseen, type PrometheusReader } from "../../../core/prometheus.ts";

/** What the burn queries show together: over as soon as one is over, under only when every one was seen and is under. */
export type BurnRate = {
  readonly text: string;
} & ({ readonly kind: "under" | "over"; readonly values: readonly number[] } | { readonly kind: "unseen" });

/** Asks every query. No sample, NaN, an incomplete answer or an unreachable Prometheus is unseen and never under. */
// oxlint-disable-next-line max-params -- callers outside of this repository rely on this call shape
export async function judgeBurn(
  prometheus: PrometheusReader,
  queries: readonly string[],
  threshold: number,
  signal: AbortSignal,
): Promise<BurnRate> {
  const answers = await Promise.all(queries.map((query) => prometheus.query(query, { signal })));
  const values: number[] = [];
  let unseen = "";
  for (const [index, answer] of answers.entries()) {
    if (answer.kind !== "samples") {
      unseen = describeUnseen(answer);
    } else {
      const numbers = answer.samples.map((sample) => sample.value);
      if (numbers.length === 0 || numbers.some((value) => Number.isNaN(value))) unseen = `no data of ${queries[index] ?? "the burn"}`;
      // The dearest of several series decides; infinity is over.
      else values.push(Math.max(...numbers));
    }
  }
  const text = values.length > 0 ? `burn ${values.map((value) => value.toFixed(2)).join(" and ")}` : unseen;
  if (values.some((value) => value >= threshold)) return { kind: "over", values: values.map(finite), text };
  if (unseen !== "" || values.length === 0) return { kind: "unseen", text: unseen === "" ? "nothing to look at" : unseen };
  return { kind: "under", values: values.map(finite), text };
}

/** JSON has no infinity. */
function finite(value: number): number {
  return Number.isFinite(value) ? value : Number.MAX_SAFE_INTEGER;
}
