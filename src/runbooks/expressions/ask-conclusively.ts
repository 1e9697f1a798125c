import type { Instant } from "../../core/clock.ts";
import type { UnseenAnswer } from "../../core/prometheus.ts";
import { seriesRead } from "./promql.ts";

/** A complete answer to an instant query, as far as {@link askConclusively} reads it. */
interface CompleteAnswer {
  readonly kind: "samples";
  readonly samples: readonly { readonly at: Instant }[];
}

/** A query's answer cannot be relied on, because a series that it reads does not exist. */
export interface MissingSeries {
  readonly kind: "missing";
  /** A sentence without a full stop. */
  readonly reason: string;
}

/** How to ask. */
export interface Asking<Answer> {
  /** Evaluates a query at `at`, or now without it. */
  readonly ask: (promql: string, at?: Instant) => Promise<Answer>;
  /** UTC ms; now without it. */
  readonly at?: Instant | undefined;
  /** Selectors whose absence is an answer too. */
  readonly mayBeMissing?: (selector: string) => boolean;
}

/**
 * Asks a query whose empty answer means something. Such an answer counts only at a moment at which every series that the query reads exists:
 * a process that did not answer its last scrape looks exactly like a condition that does not hold.
 *
 * Each query is evaluated at a moment of its own, and a scrape between two of them changes what they see. So an empty answer is asked for again at
 * the moment of Prometheus's own clock at which the series were seen, and they are looked for once more at that moment.
 */
export async function askConclusively<Answer extends CompleteAnswer | UnseenAnswer>(
  query: string,
  { ask, at, mayBeMissing = () => false }: Asking<Answer>,
): Promise<Answer | MissingSeries> {
  const first = await ask(query, at);
  if (first.kind !== "samples" || first.samples.length > 0) return first;
  const selectors = seriesRead(query).filter((selector) => !mayBeMissing(selector));
  if (selectors.length === 0) return first;
  let moment = at;
  const findMissing = async () => {
    for (const selector of selectors) {
      const exists = await ask(`count(${selector})`, moment);
      if (exists.kind !== "samples") return exists;
      const [sample] = exists.samples;
      if (sample === undefined) return { kind: "missing", reason: `No series ${selector}` } as const;
      moment ??= sample.at;
    }
    return undefined;
  };
  const missing = await findMissing();
  if (missing !== undefined) return missing;
  const again = await ask(query, moment);
  if (again.kind !== "samples" || again.samples.length > 0) return again;
  return (await findMissing()) ?? again;
}
