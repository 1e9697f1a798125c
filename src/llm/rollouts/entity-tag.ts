import { canonicalJson, type Json } from "../../../packages/sdk/src/wire/json.ts";
import { sha256 } from "../../core/json.ts";

/** The entity tag of a served document, quotes included: equal for equal documents, whatever the order of their keys. */
export function entityTagOf(document: { readonly [name: string]: Json }): string {
  return `"${sha256(canonicalJson(document)).slice(0, 32)}"`;
}
