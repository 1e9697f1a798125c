import { z } from "zod";
import { modelFeaturesSchema } from "../../../packages/sdk/src/wire/models.ts";
import { type ModelRef, modelRefSchema } from "../../../packages/sdk/src/wire/routing.ts";
import { isSameModel } from "../usage/price-table.ts";

const instant = z.iso.date().transform((text) => Date.parse(text));
const tokens = z.int().min(1).max(1_000_000_000);

/** One dated row about one model, as people write it. What is absent is unknown, never "no". */
export const modelRowSchema = z.strictObject({
  /** OTel's provider name, e.g. `anthropic`, `openai`. */
  provider: z.string().min(1).max(60),
  /** The model's id without its date: `gpt-5` also describes `gpt-5-2025-08-07`. */
  model: z.string().min(1).max(120),
  lifecycle: z.enum(["active", "deprecated", "retired"]).exactOptional(),
  deprecatedAt: instant.exactOptional(),
  retiresAt: instant.exactOptional(),
  contextTokens: tokens.exactOptional(),
  outputTokens: tokens.exactOptional(),
  features: modelFeaturesSchema.default({}),
  /** What the provider recommends in its place. */
  replacement: modelRefSchema.exactOptional(),
  /** Where this is written, e.g. the address of a page. */
  source: z.string().min(1).max(300),
  /** Day on which the source said so. */
  asOf: instant,
});

/** One dated row; see {@link modelRowSchema}. */
export type ModelRow = z.output<typeof modelRowSchema>;

/** A table of models as people write it. */
export type ModelTableSource = z.input<typeof modelTableSchema>;

/** Rows in any order; two rows for the same provider and model are refused. */
export const modelTableSchema = z.array(modelRowSchema).superRefine((rows, context) => {
  const named = new Set<string>();
  for (const [index, { provider, model }] of rows.entries()) {
    const name = `${provider}/${model}`;
    if (named.has(name)) context.addIssue({ code: "custom", path: [index], message: `a second row for ${name}; keep one` });
    named.add(name);
  }
});

/** What people have written down of models. */
export interface ModelTable {
  readonly rows: readonly ModelRow[];
  /** The row of the model, or of the same model without its date. */
  find(model: ModelRef): ModelRow | undefined;
}

/** Rows of `written` go before those of `shipped` for the same model. Throws a ZodError that names each wrong row. */
export function createModelTable(shipped: ModelTableSource, written: ModelTableSource = []): ModelTable {
  const preferred = modelTableSchema.parse(written);
  const isWritten = ({ provider, model }: ModelRow) => preferred.some((row) => row.provider === provider && row.model === model);
  const rows = [...preferred, ...modelTableSchema.parse(shipped).filter((row) => !isWritten(row))];
  // The longest id first: the first that fits is the one.
  const byLength = rows.toSorted((a, b) => b.model.length - a.model.length);
  return { rows, find: ({ provider, model }) => byLength.find((row) => row.provider === provider && isSameModel(row.model, model)) };
}
