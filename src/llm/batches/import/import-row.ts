import { z } from "zod";
import type { Json } from "../../../../packages/sdk/src/wire/json.ts";
import { externalIdSchema, ticketKindSchema } from "../../../../packages/sdk/src/wire/names.ts";
import { type MicroUsd, oneUsd } from "../../../core/money.ts";
import type { FilePlace, ImportFault } from "./import-fault.ts";

/** One ticket as a file says it; the batch gives it its id, budget and queue. */
export interface ImportedTicket {
  /** What the ticket is called where it comes from, e.g. `acme/shop#7`; no two tickets of it are worked on at once. */
  readonly externalRef: string;
  /** Tickets of one kind cost alike: the estimate is made per kind. */
  readonly kind: string;
  readonly payload: Json;
  readonly variant?: string;
  readonly maxAttempts?: number;
  readonly estimateMicroUsd?: MicroUsd;
  readonly place: FilePlace;
}

/** What holds for every row that does not say otherwise. */
export interface ImportDefaults {
  readonly kind: string;
  readonly repo?: string;
  readonly baseSha?: string;
}

/** A row before it is proven: values by name, and where each stands. */
export interface ImportRow {
  readonly values: { readonly [name: string]: Json };
  placeOf(name?: string): FilePlace;
}

const wholeNumber = z.union(
  [
    z.int(),
    z
      .string()
      .regex(/^\d{1,9}$/)
      .transform(Number),
  ],
  { error: "a whole number" },
);
const amountUsd = z.union(
  [
    z.number(),
    z
      .string()
      .regex(/^\d{1,9}(\.\d{1,6})?$/)
      .transform(Number),
  ],
  { error: "an amount in US dollars such as 0.25" },
);

/** Names that mean something; everything else of a row is handed to the application as part of the payload. */
const columns = {
  ref: externalIdSchema,
  kind: ticketKindSchema,
  repo: z.string().regex(/^[\w.:/@~+-]{1,300}$/, "a repository such as acme/shop, or its address"),
  base_sha: z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, "a whole commit id of 40 or 64 hexadecimal digits"),
  variant: z.string().min(1).max(60, "at most 60 characters"),
  max_attempts: wholeNumber.pipe(z.int().min(1, "1 to 100").max(100, "1 to 100")),
  estimate_usd: amountUsd.pipe(z.number().min(0, "an amount of at least 0").max(1_000_000, "at most 1000000")),
} as const;

/** Names that other tools use for the reference. */
const refNames = ["ref", "external_ref", "externalRef"] as const;

/** Characters of JSON that a ticket carries at most. */
export const largestPayload = 16_384;

const letters = (name: string) => name.toLowerCase().replaceAll(/[\s_-]/gu, "");

/** The known column that a name differs from only in its letters' case, blanks or dashes: as part of the payload it would mean nothing. */
export function misspelledColumn(name: string): string | undefined {
  if (Object.hasOwn(columns, name) || refNames.some((one) => one === name)) return undefined;
  return [...Object.keys(columns), ...refNames].find((column) => letters(column) === letters(name));
}

/** Names that other tools give to what identifies a ticket. */
const idNames = ["id", "key", "issuekey", "issueid", "reference", "number", "url"];

function suggestion({ values }: ImportRow): string {
  const name = Object.keys(values).find((one) => idNames.includes(letters(one)) && values[one] !== "");
  return name === undefined ? "" : ` If that is \`${name}\`, call it \`ref\`.`;
}

/** Proves one row. Every fault is told at the place of the value that has it. */
export function readImportRow(
  row: ImportRow,
  defaults: ImportDefaults,
): { readonly ticket?: ImportedTicket; readonly faults: readonly ImportFault[] } {
  const faults: ImportFault[] = [];
  const refName = refNames.find((name) => row.values[name] !== undefined) ?? "ref";
  const read = <Value>(name: string, schema: z.ZodType<Value>): Value | undefined => {
    const value = row.values[name];
    if (value === undefined || value === null || value === "") return undefined;
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    faults.push({ ...row.placeOf(name), message: `\`${name}\` must be ${parsed.error.issues[0]?.message ?? "something else"}.` });
    return undefined;
  };

  const before = faults.length;
  const externalRef = read(refName, columns.ref);
  if (externalRef === undefined && faults.length === before) {
    faults.push({
      ...row.placeOf(),
      message: `The ticket has no \`ref\`; accepted is what identifies it where it comes from, e.g. acme/shop#7.${suggestion(row)}`,
    });
  }
  const kind = read("kind", columns.kind) ?? defaults.kind;
  const repo = read("repo", columns.repo) ?? defaults.repo;
  const baseSha = read("base_sha", columns.base_sha) ?? defaults.baseSha;
  const variant = read("variant", columns.variant);
  const maxAttempts = read("max_attempts", columns.max_attempts);
  const estimateUsd = read("estimate_usd", columns.estimate_usd);

  const payload: Json = {
    ...Object.fromEntries(Object.entries(row.values).filter(([name]) => name !== refName && !Object.hasOwn(columns, name))),
    ...(repo === undefined ? {} : { repo }),
    ...(baseSha === undefined ? {} : { base_sha: baseSha }),
  };
  const size = JSON.stringify(payload).length;
  if (size > largestPayload) {
    faults.push({
      ...row.placeOf(),
      message: `The ticket carries ${size} characters of JSON; accepted are ${largestPayload}. Hand in a reference to the rest.`,
    });
  }
  if (faults.length > 0 || externalRef === undefined) return { faults };
  return {
    faults,
    ticket: {
      externalRef,
      kind,
      payload,
      ...(variant === undefined ? {} : { variant }),
      ...(maxAttempts === undefined ? {} : { maxAttempts }),
      ...(estimateUsd === undefined ? {} : { estimateMicroUsd: Math.round(estimateUsd * oneUsd) }),
      place: row.placeOf(),
    },
  };
}
