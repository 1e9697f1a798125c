import type {
  BreakClass,
  CacheCause,
  CacheTransform,
  MissCause,
  UnitBehaviour,
  UnitMarker,
} from "../../../packages/sdk/src/wire/caches.ts";
import { formatShare } from "../../core/share.ts";
import type { BrokenUnit } from "./cache-breaks.ts";
import type { CacheRules } from "./cache-rules.ts";

type Described = Omit<CacheCause, "hitAfter" | "savedAfterMicroUsdPerDay">;

const mendedBy: Readonly<Record<BreakClass | MissCause, readonly [CacheTransform, CacheCause["risk"]]>> = {
  order_noise: ["T1", "none"],
  volatile_span: ["T2", "low"],
  scope_order: ["T3", "medium"],
  changes_often: ["T3", "medium"],
  conditional_section: ["T4", "medium"],
  parameter_churn: ["T5", "none"],
  ttl_gap: ["T6", "cost"],
  fan_out: ["T6", "none"],
  below_minimum: ["T7", "none"],
  lookback: ["markers", "none"],
  marker_misplaced: ["markers", "none"],
};

/** A break as a cause with a sentence; `unit` is how it behaved. */
export function describeBreak(
  broken: Pick<BrokenUnit, "unit" | "class"> & Partial<BrokenUnit> & { readonly orders?: number },
  unit?: UnitBehaviour,
): Described {
  const { breakRatio, damageTokens, spans, agreement, orders } = broken;
  const [transform, risk] = mendedBy[broken.class];
  const behind = damageTokens === undefined ? "" : `; ${Math.round(damageTokens)} tokens a request behind it would be read otherwise`;
  return {
    unit: broken.unit,
    class: broken.class,
    transform,
    risk,
    sentence: `${sentenceOf(broken, unit)}${behind}.`,
    evidence: {
      ...(breakRatio === undefined ? {} : { breakRatio }),
      ...(damageTokens === undefined ? {} : { damageTokens }),
      ...(spans === undefined || spans.length === 0 ? {} : { spans }),
      ...(agreement === undefined ? {} : { agreement }),
      ...(orders === undefined ? {} : { orders }),
    },
  };
}

function sentenceOf(
  {
    unit,
    class: name,
    breakRatio,
    spans = [],
    orders,
  }: Pick<BrokenUnit, "unit" | "class"> & Partial<BrokenUnit> & { readonly orders?: number },
  behaviour: UnitBehaviour | undefined,
): string {
  const often = breakRatio === undefined ? "" : ` in ${formatShare(breakRatio, { decimals: 0 })} of the requests`;
  switch (name) {
    case "order_noise":
      return orders === undefined ? `The content of ${unit} comes in changing order${often}` : `The same tools come in ${orders} orders`;
    case "volatile_span":
      return `A ${spans.map(spanName).join(" and a ")} in ${unit} changes and ends the prefix${often}`;
    case "scope_order":
      return `${unit} differs between ${behaviour?.stability === "repo" ? "repositories" : "tickets"} and stands before what is shared more widely`;
    case "conditional_section":
      return `${unit} is there in ${formatShare(behaviour?.presence ?? 0, { decimals: 0 })} of the requests only and stands before what stays`;
    case "parameter_churn":
      return "Tool choice, thinking or output format changes between requests whose text is the same";
    case "changes_often":
      return `${unit} changes while a ticket is worked on${often}, and its hashes do not tell why: report masked hashes or opt in to texts`;
  }
}

/** Missed tokens as a cause with a sentence; `markers` are those that pay, undefined while that cannot be told. */
export function describeMiss(
  miss: MissCause,
  missedShare: number,
  { rules, markers }: { readonly rules: CacheRules; readonly markers: readonly UnitMarker[] | undefined },
): Described {
  const [transform, risk] = mendedBy[miss];
  const places = markers?.length === 0 ? "none at all" : markers?.map(({ after, ttl }) => `${after} (${ttl})`).join(", ");
  const paying = (what: string) => (places === undefined ? "" : `; ${what} that pay: ${places}`);
  const sentences: Readonly<Record<MissCause, string>> = {
    ttl_gap: `${formatShare(missedShare, { decimals: 0 })} of the tokens had been cached and had expired${paying("lifetimes")}`,
    fan_out: `${formatShare(missedShare, { decimals: 0 })} of the tokens were being written by another request at that moment; send one first and the rest when it answers`,
    below_minimum: `${formatShare(missedShare, { decimals: 0 })} of the tokens stand in prefixes below the model's minimum of ${rules.minTokens}; a marker there does nothing`,
    lookback: `${formatShare(missedShare, { decimals: 0 })} of the tokens lie more than ${rules.lookbackBlocks} blocks before a marker${paying("markers")}`,
    marker_misplaced: `${formatShare(missedShare, { decimals: 0 })} of the tokens were sent before and no marker let them be read${paying("markers")}`,
  };
  return { unit: "prompt", class: miss, transform, risk, sentence: `${sentences[miss]}.`, evidence: { missedShare } };
}

const spanNames = {
  time: "time",
  uuid: "UUID",
  request_id: "request id",
  hex: "hash",
  temp_path: "path of a temporary file",
  epoch: "time",
  number: "number",
};

function spanName(kind: keyof typeof spanNames): string {
  return spanNames[kind];
}
