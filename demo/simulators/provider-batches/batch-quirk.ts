/** What goes wrong; each is off until it is switched on. */
export type BatchQuirk =
  /** Creating is refused because the money is gone: 429 with the code that says so. */
  | { readonly kind: "spend_limited" }
  /** Every request is refused with retry-after. */
  | { readonly kind: "rate_limited" }
  /** 529 at Anthropic, 503 at OpenAI. */
  | { readonly kind: "overloaded" }
  /** A batch is created and the connection breaks before the answer. */
  | { readonly kind: "lost_answer" }
  /** The answer to reading a batch is no batch. */
  | { readonly kind: "nonsense" }
  /** Counts stay 0 until the whole batch has ended. Anthropic is always so. */
  | { readonly kind: "late_counts" }
  /** Results come in another order than items. */
  | { readonly kind: "shuffled" }
  /** The last `share` of the items expires. */
  | { readonly kind: "expiry"; readonly share: number }
  /** The first `share` of the items ends with this error. */
  | {
      readonly kind: "item_error";
      readonly error: "overloaded" | "rate_limited" | "spend_limited" | "server_error" | "invalid";
      readonly share: number;
    }
  /** The model declines the first `share` of the items. */
  | { readonly kind: "refusal"; readonly share: number }
  /** The input is accepted and refused later: the whole batch at OpenAI, every item at Anthropic. */
  | { readonly kind: "input_error" }
  /** Every result comes twice. */
  | { readonly kind: "double_results" }
  /** A line in the middle of the results is cut off; its item's result comes nowhere else. */
  | { readonly kind: "broken_line" }
  /** The results hold one of another batch. */
  | { readonly kind: "foreign_result" }
  /** The first result is missing until the quirk ends. */
  | { readonly kind: "missing_result" };

/** The quirks that are on. */
export interface QuirkSet {
  /** Switches a quirk on; disposing the answer switches it off. */
  inject(quirk: BatchQuirk): Disposable;
  find<Kind extends BatchQuirk["kind"]>(kind: Kind): (BatchQuirk & { readonly kind: Kind }) | undefined;
  has(kind: BatchQuirk["kind"]): boolean;
}

/** An empty board. */
export function createQuirkSet(): QuirkSet {
  const active = new Set<BatchQuirk>();
  const isKind = <Kind extends BatchQuirk["kind"]>(quirk: BatchQuirk, kind: Kind): quirk is BatchQuirk & { readonly kind: Kind } =>
    quirk.kind === kind;
  return {
    inject(quirk) {
      const copy = { ...quirk };
      active.add(copy);
      return { [Symbol.dispose]: () => void active.delete(copy) };
    },
    find(kind) {
      for (const quirk of active) if (isKind(quirk, kind)) return quirk;
      return undefined;
    },
    has: (kind) => [...active].some((quirk) => quirk.kind === kind),
  };
}
