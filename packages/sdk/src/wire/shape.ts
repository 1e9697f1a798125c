import type { z } from "zod";
import type { Json } from "./json.ts";

/** What a wire schema parses to, readonly throughout. */
export type Shape<Schema extends z.ZodType> = DeepReadonly<z.output<Schema>>;

/** Ends at `Json` and `unknown`, which are readonly or opaque already. */
type DeepReadonly<Value> = Json extends Value
  ? Value
  : Value extends object
    ? { readonly [Key in keyof Value]: DeepReadonly<Value[Key]> }
    : Value;
