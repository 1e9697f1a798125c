import { z } from "zod";
import { costDimensions } from "./cost-dimension.ts";
import type { Shape } from "./shape.ts";
import { instantSchema } from "./units.ts";

/** What may be changed about a workload. */
export const changeKinds = ["deploy", "prompt", "route", "flag", "batch", "price", "limit"] as const;

/** Not `\P{Cc}`, which readers of the JSON Schema may not know. */
const printable = new RegExp(String.raw`^[^\u0000-\u001f\u007f-\u009f]+$`);

/** A reported change; see {@link WorkloadChange}. */
export const newChangeSchema = z.strictObject({
  kind: z.enum(changeKinds),
  /** What was changed, e.g. `release 1.5.0`, `prompt implement version 4`, or the address of a commit. */
  ref: z.string().trim().min(1).max(200).regex(printable, "printable text"),
  /** UTC ms; the time of receipt when absent. */
  at: z.int().min(0).optional(),
  /** What it concerns, as usage reports name it; nothing: the whole workload. */
  dims: z.partialRecord(z.enum(costDimensions), z.string().min(1).max(120)).default({}),
});

/** See {@link newChangeSchema}; the defaulted members may be left out. */
export type NewChangeInput = z.input<typeof newChangeSchema>;

/** One change of a workload. A rise of cost that began near it coincides with it. `by` reported it. */
export const workloadChangeSchema = newChangeSchema.extend({ at: instantSchema, by: z.string() }).meta({ id: "WorkloadChange" });

/** See {@link workloadChangeSchema}. */
export type WorkloadChange = Shape<typeof workloadChangeSchema>;
