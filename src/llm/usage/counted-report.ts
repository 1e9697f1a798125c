import type { EstimateSource, TokenPartition, UsageEvent } from "../../../packages/sdk/src/wire/usage.ts";
import type { Instant } from "../../core/clock.ts";
import { sha256 } from "../../core/json.ts";
import type { MicroUsd } from "../../core/money.ts";
import { noTokens } from "./token-partition.ts";

/** What one model and ticket are charged under an id. */
export interface CountedGroup {
  /** Hashes of the model and the ticket, four letters each. */
  readonly model: string;
  readonly ticket: string;
  readonly costMicroUsd: MicroUsd;
  readonly basis: CostBasis;
}

/** Where an amount comes from. `corrected`: from a person. */
export type CostBasis = "exact" | "corrected" | EstimateSource;

/** What is remembered of the reports of one id. */
export interface CountedReport {
  /** Of the first report: when its request ended. */
  readonly at: Instant;
  readonly countedAt: Instant;
  readonly group: CountedGroup;
  /** Undefined: no report could be read. */
  readonly tokens: TokenPartition | undefined;
  /** Reports of other models or tickets under the same id. */
  readonly others: readonly CountedGroup[];
}

/** Whether the amount stands for an unknown cost. */
export function isEstimate(basis: CostBasis): boolean {
  return basis !== "exact" && basis !== "corrected";
}

/** What is charged: of several groups the one that costs most. */
export function chargedOf({ group, others }: Pick<CountedReport, "group" | "others">): CountedGroup {
  return others.reduce((most, other) => (other.costMicroUsd > most.costMicroUsd ? other : most), group);
}

/** The identity of a report, as a text. */
export function identityOf({ provider, budget, id }: Pick<UsageEvent, "provider" | "budget" | "id">): string {
  return JSON.stringify([provider, budget, id]);
}

const hashLength = 4;
const namesLength = 2 * hashLength;

/** Four letters: reports of one id are compared, and never reports of different ids. */
export function hashOfName(name: string): string {
  return Buffer.from(sha256(name).slice(0, 6), "hex").toString("base64url");
}

/** An amount that only the store can determine, and its basis: one of these is in the text where they belong. */
export const costPlaceholder = "?";

const letters = { exact: "e", corrected: "c", reservation: "r", operation_p90: "p", setting: "s" } as const satisfies Record<
  CostBasis,
  string
>;

/** The letter of a basis in the text of a report. */
export function letterOf(basis: CostBasis): string {
  return letters[basis];
}

/** The basis that a letter means. Throws for another letter. */
export function basisOf(letter: string): CostBasis {
  switch (letter) {
    case "e":
      return "exact";
    case "c":
      return "corrected";
    case "r":
      return "reservation";
    case "p":
      return "operation_p90";
    case "s":
      return "setting";
    default:
      throw new Error(`a counted report has the basis ${JSON.stringify(letter)}`);
  }
}

const parts = ["uncached", "read", "write5m", "write30m", "write1h", "write12h", "output", "reasoning"] as const;
/** Each count begins with its letter; a count of 0 is left out. */
const partLetters = "ABCDEFGH";

/**
 * A report as a short text, because millions are kept: model, ticket and time, delay of the report in seconds, basis and cost, counts, then other groups. Numbers
 * are in base 36. The group at `pending` has {@link costPlaceholder} in place of its basis and cost; 0 is the first one.
 */
export function encodeCounted(report: CountedReport, pending?: number): string {
  const { at, countedAt, group, tokens, others } = report;
  const cost = (one: CountedGroup, index: number) =>
    index === pending ? costPlaceholder : letters[one.basis] + one.costMicroUsd.toString(36);
  const counts = parts.map((part, index) =>
    tokens === undefined || tokens[part] === 0 ? "" : partLetters.charAt(index) + tokens[part].toString(36),
  );
  const delay = Math.round((countedAt - at) / 1000);
  const head = `${group.model}${group.ticket}${at.toString(36)},${delay === 0 ? "" : delay.toString(36)},${cost(group, 0)},`;
  const first = head + (tokens === undefined ? "-" : counts.join(""));
  return [first, ...others.map((other, index) => `${other.model}${other.ticket}${cost(other, index + 1)}`)].join(";");
}

/**
 * The report of a text. A cost that a script wrote is decimal and has its letter in upper case. Throws when the text is not one of {@link encodeCounted}.
 */
export function decodeCounted(text: string): CountedReport {
  const [head = "", ...others] = text.split(";");
  const [names = "", delay = "", cost = "", counts = ""] = head.split(",");
  const at = Number.parseInt(names.slice(namesLength), 36);
  return {
    at,
    countedAt: at + (delay === "" ? 0 : Number.parseInt(delay, 36) * 1000),
    group: groupOf(names.slice(0, namesLength), cost),
    tokens: counts === "-" ? undefined : tokensOf(counts),
    others: others.map((other) => groupOf(other.slice(0, namesLength), other.slice(namesLength))),
  };
}

function tokensOf(counts: string): TokenPartition {
  const tokens = { ...noTokens };
  for (const [, letter = "", digits = ""] of counts.matchAll(/([A-H])([0-9a-z]+)/g)) {
    const part = parts[partLetters.indexOf(letter)];
    if (part !== undefined) tokens[part] = Number.parseInt(digits, 36);
  }
  return tokens;
}

function groupOf(names: string, cost: string): CountedGroup {
  const letter = cost.slice(0, 1);
  return {
    model: names.slice(0, hashLength),
    ticket: names.slice(hashLength),
    basis: basisOf(letter.toLowerCase()),
    costMicroUsd: Number.parseInt(cost.slice(1), letter === letter.toUpperCase() ? 10 : 36),
  };
}
